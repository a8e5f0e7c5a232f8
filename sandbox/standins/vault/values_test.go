package vault

import (
	"encoding/json"
	"reflect"
	"testing"
)

var sample = []field{
	{name: "backend", local: true},
	{name: "names", api: "bound_names", kind: set},
	{name: "ttl", kind: number},
	{name: "kind", fallback: "default"},
	{name: "strict", kind: flag},
	{name: "claims", kind: mapping},
	{name: "secret", sensitive: true, hidden: true},
	{name: "accessor", computed: true},
}

func TestParametersSendWhatDiffersFromVaultsDefault(t *testing.T) {
	now := values{"backend": "x", "names": []string{"a"}, "ttl": int64(0), "kind": "default", "strict": true, "accessor": "id"}
	want := map[string]any{"bound_names": []string{"a"}, "strict": true}
	if got := parameters(sample, now, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestParametersSendWhatGoesBackToTheDefault(t *testing.T) {
	before := values{"names": []string{"a"}, "ttl": int64(5), "kind": "other"}
	now := values{"names": []string{}, "ttl": int64(0), "kind": "default"}
	want := map[string]any{"bound_names": []string{}, "ttl": int64(0), "kind": "default"}
	if got := parameters(sample, now, before); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestObserveFillsDefaultsAndKeepsWhatVaultNeverTells(t *testing.T) {
	into := values{"secret": "kept", "names": []string{" a\n"}}
	data := map[string]any{
		"bound_names": []any{"a"}, "ttl": json.Number("60"), "claims": map[string]any{"ref": []any{"one", "two"}}, "accessor": "id",
	}
	if err := observe(sample, into, data); err != nil {
		t.Fatal(err)
	}
	want := values{
		"secret": "kept", "names": []string{" a\n"}, "ttl": int64(60), "kind": "default", "strict": false,
		"claims": map[string]string{"ref": "one,two"}, "accessor": "id",
	}
	if !reflect.DeepEqual(into, want) {
		t.Errorf("got %v", into)
	}
}

func TestObserveRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for name, data := range map[string]map[string]any{
		"number": {"ttl": "soon"}, "flag": {"strict": "yes"}, "set": {"bound_names": "a"}, "map": {"claims": []any{"a"}},
	} {
		if err := observe(sample, values{}, data); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestJSONMeansTheSameInAnySpelling(t *testing.T) {
	one := field{kind: jsonText}
	if !one.means(`{"b":1, "a":[true]}`, `{"a":[true],"b":1}`) || one.means(`{"a":1}`, `{"a":"1"}`) || one.means("", "{}") {
		t.Error("JSON is not compared by meaning")
	}
}

func TestLocationsAreFilledAndTakenApart(t *testing.T) {
	from := values{"backend": "team/jwt/", "role_name": "one"}
	if got := jwtRole.at(from); got != "auth/team/jwt/role/one" {
		t.Errorf("got %s", got)
	}
	parsed, err := jwtRole.parse("auth/team/jwt/role/one")
	if err != nil || parsed.text("backend") != "team/jwt" || parsed.text("role_name") != "one" {
		t.Errorf("got %v, %v", parsed, err)
	}
	if _, err := jwtRole.parse("auth/team/jwt/config"); err == nil {
		t.Error("another location is taken for one")
	}
}
