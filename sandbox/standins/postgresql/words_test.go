package postgresql

import (
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What Postgres itself stores is compared in TestPasswordsAreRecognised.
func TestVerifies(t *testing.T) {
	const scram = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$"
	cases := map[string]struct {
		stored, password string
		want             bool
	}{
		"another md5":           {"md5b6d9e2ba0ff36b0b3b9b3c1f9b2e1a7c", "secret", false},
		"the text itself":       {"plain", "plain", true},
		"nothing stored":        {"", "secret", false},
		"a verifier cut short":  {scram, "secret", false},
		"a broken salt":         {"SCRAM-SHA-256$4096:!$a:b", "secret", false},
		"iterations no number":  {"SCRAM-SHA-256$many:c2FsdA==$c2FsdA==:c2FsdA==", "secret", false},
		"an unknown method":     {"SCRAM-SHA-512$4096:c2FsdA==$c2FsdA==:c2FsdA==", "secret", false},
		"a stored key too long": {"SCRAM-SHA-256$1:c2FsdA==$" + "c2FsdHNhbHQ=" + ":c2FsdA==", "secret", false},
	}
	for name, one := range cases {
		if got := verifies(one.stored, "rig", one.password); got != one.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestPlainBody(t *testing.T) {
	for written, want := range map[string]string{
		"select 1":                        "select 1",
		"AS $$ select 1 $$":               " select 1 ",
		"\n as $body$\nselect 1\n$body$;": "\nselect 1\n",
		"AS $a$ select 1 $b$":             "AS $a$ select 1 $b$",
		"select 'AS $$ text $$'":          "select 'AS $$ text $$'",
	} {
		if got := plainBody(written); got != want {
			t.Errorf("%q: got %q", written, got)
		}
	}
}

func TestSpelled(t *testing.T) {
	for _, one := range []struct{ written, found, want string }{
		{"int", "integer", "int"},
		{"VARCHAR(10)", "character varying", "VARCHAR(10)"},
		{"timestamptz", "timestamp with time zone", "timestamptz"},
		{"text", "integer", "integer"},
		{"plpgsql", "PLPGSQL", "plpgsql"},
	} {
		if got := spelled(types.StringValue(one.written), one.found).ValueString(); got != one.want {
			t.Errorf("%s found as %s: got %s", one.written, one.found, got)
		}
	}
}

func TestNamesAreQuoted(t *testing.T) {
	one := target{
		role: `r"ole`, database: "d", schema: `s"`, kindName: "function", kind: kinds["function"],
		objects: []string{`f"(text, int)`, "g"},
	}
	want := `REVOKE ALL PRIVILEGES ON FUNCTION "s""".` + `"f"""(text, int), "s""".` + `"g" FROM "r""ole"`
	if got := one.revoke(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := literal(`it's \ so`); got != `'it''s \ so'` {
		t.Errorf("got %s", got)
	}
	if grantee("Public") != "PUBLIC" || grantee("publican") != `"publican"` {
		t.Error("public is a keyword, other names are roles")
	}
}

func TestExpand(t *testing.T) {
	database := kinds["database"]
	if got := database.expand([]string{"temp", "connect", "TEMPORARY"}); !slices.Equal(got, []string{"CONNECT", "TEMPORARY"}) {
		t.Errorf("got %v", got)
	}
	if got := database.expand([]string{"ALL"}); !slices.Equal(got, database.privileges) {
		t.Errorf("got %v", got)
	}
}
