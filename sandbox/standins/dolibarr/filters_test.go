package dolibarr

import (
	"reflect"
	"strings"
	"testing"
)

var testTypes = map[string]string{"ref": "text", "fk_statut": "integer", "datef": "date"}

func TestFiltersBecomeParameters(t *testing.T) {
	cases := []struct {
		text, sql string
		values    []any
	}{
		{"", "true", nil},
		{"(t.ref:like:'FA%')", "(t.ref::text ILIKE $3::text)", []any{"FA%"}},
		{"(t.ref:=:'it''s) or (1=1') and (t.fk_statut:>=:1)", "(t.ref = $3::text::text) AND (t.fk_statut >= $4::text::integer)", []any{"it's) or (1=1", "1"}},
		{"((t.ref:is:null) or (t.fk_statut:in:1,2))", "((t.ref IS NULL) OR (t.fk_statut::text = ANY($3::text[])))", []any{[]string{"1", "2"}}},
	}
	for _, one := range cases {
		filter, err := ParseFilters(one.text, testTypes, 3)
		if err != nil || filter.SQL != one.sql || !reflect.DeepEqual(filter.Values, one.values) {
			t.Errorf("%q gave %q %v (%v), expected %q %v", one.text, filter.SQL, filter.Values, err, one.sql, one.values)
		}
	}
}

func TestFiltersThatAreNoneAreRefused(t *testing.T) {
	for _, text := range []string{
		"1=1", "(1=1)", "(t.ref:=:'a' or 1=1)", "(t.ref:=:a)", "(t.nothing:=:1)", "(t.ref:~:'a')", "(t.ref:=:'a'); drop table llx_user",
		"(t.ref:=:'a') union (select 1)", "(t.ref:=:'a'))", "((t.ref:=:'a')", "(u.ref:=:'a')", "(t.ref:is:'x')", "(t.fk_statut:in:1,select)",
		"(t.ref\":=:1)", strings.Repeat("(", 50) + "t.ref:=:1" + strings.Repeat(")", 50),
	} {
		if filter, err := ParseFilters(text, testTypes, 1); err == nil {
			t.Errorf("%q was taken for %q", text, filter.SQL)
		}
	}
}

func FuzzFilterTextNeverBecomesSQL(f *testing.F) {
	f.Add("(t.ref:=:'x') and (t.ref:like:'y')")
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilters("(t.ref:=:'"+strings.ReplaceAll(text, "'", "''")+"')", testTypes, 1)
		if err == nil && filter.SQL != "(t.ref = $1::text::text)" {
			t.Errorf("%q changed the statement: %s", text, filter.SQL)
		}
	})
}

func TestSealedTextOpensUnderItsOwnIdOnly(t *testing.T) {
	sealed := Seal("production", "key-1")
	if own, err := Open("production", sealed); err != nil || own != "key-1" {
		t.Errorf("own id gave %q, %v", own, err)
	}
	if other, err := Open("sandbox", sealed); err != nil || other == "key-1" {
		t.Errorf("another id gave %q, %v", other, err)
	}
	if Seal("production", "key-1") != sealed {
		t.Error("the same text was sealed in two ways")
	}
}
