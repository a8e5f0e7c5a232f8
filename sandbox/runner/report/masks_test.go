package report

import "testing"

func TestHide(t *testing.T) {
	key := "-----BEGIN KEY-----\nc2VjcmV0IGtleQ==\n}\n-----END KEY-----"
	for name, test := range map[string]struct {
		values []string
		more   []string
		text   string
		want   string
	}{
		"a secret anywhere":              {values: []string{"s3cret"}, text: "token=s3cret, again s3cret", want: "token=***, again ***"},
		"the longer one first":           {values: []string{"abc", "abcdef"}, text: "abcdef abc", want: "*** ***"},
		"no empty one":                   {values: []string{"", " ", "\n"}, text: "a b", want: "a b"},
		"every line of one with several": {values: []string{key}, text: "c2VjcmV0IGtleQ== {x}", want: "*** {x}"},
		"the whole of one with several":  {values: []string{key}, text: key, want: "***"},
		"what the job asked to hide":     {values: []string{"one"}, more: []string{"two"}, text: "one two", want: "*** ***"},
		"nothing to hide":                {text: "plain", want: "plain"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := NewMasks(test.values...).Hide(test.text, test.more...); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
