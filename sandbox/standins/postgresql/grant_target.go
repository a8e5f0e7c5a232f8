package postgresql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// privilegesRow is what one object grants to a role, sorted; Grantable are those the role may pass on.
type privilegesRow struct{ Held, Grantable []string }

// kind is a kind of object that privileges are granted on.
type kind struct {
	// keyword stands before the objects in GRANT; all stands in their place when none are named.
	keyword, all string
	// privileges is what ALL means.
	privileges []string
	// read gives a privilegesRow for every object. Parameters as in arguments.
	read string
}

// held reads an access list. A null list means the owner's defaults, where public may hold privileges, too.
func held(list, kindLetter, owner, from, where string) string {
	entries := fmt.Sprintf(`from aclexplode(coalesce(%s, acldefault('%s', %s))) a where a.grantee = g.oid`, list, kindLetter, owner)
	return fmt.Sprintf(`with g as (select case when lower($1) = 'public' then 0::oid else (select oid from pg_roles where rolname = $1) end as oid)
select array(select distinct a.privilege_type %[1]s order by 1) as held,
  array(select distinct a.privilege_type %[1]s and a.is_grantable order by 1) as grantable from g, %[2]s where %[3]s`, entries, from, where)
}

const inSchema = "n.nspname = $2 and (cardinality($3::text[]) = 0 or %s = any($3))"

func relations(letter, kinds string) string {
	return held("c.relacl", letter, "c.relowner", "pg_class c join pg_namespace n on n.oid = c.relnamespace",
		fmt.Sprintf(inSchema, "c.relname")+" and c.relkind in ("+kinds+")")
}

func routines(kinds string) string {
	return held("p.proacl", "f", "p.proowner", "pg_proc p join pg_namespace n on n.oid = p.pronamespace",
		fmt.Sprintf(inSchema, "p.proname")+" and p.prokind in ("+kinds+")")
}

var (
	onTables    = []string{"DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"}
	onFunctions = []string{"EXECUTE"}
)

var kinds = map[string]kind{
	"database": {keyword: "DATABASE", privileges: []string{"CONNECT", "CREATE", "TEMPORARY"},
		read: held("d.datacl", "d", "d.datdba", "pg_database d", "d.datname = current_database()")},
	"schema": {keyword: "SCHEMA", privileges: []string{"CREATE", "USAGE"},
		read: held("n.nspacl", "n", "n.nspowner", "pg_namespace n", "n.nspname = $2")},
	"table": {keyword: "TABLE", all: "ALL TABLES IN SCHEMA", privileges: onTables, read: relations("r", "'r', 'v', 'm', 'f', 'p'")},
	"sequence": {keyword: "SEQUENCE", all: "ALL SEQUENCES IN SCHEMA", privileges: []string{"SELECT", "UPDATE", "USAGE"},
		read: relations("s", "'S'")},
	"function":  {keyword: "FUNCTION", all: "ALL FUNCTIONS IN SCHEMA", privileges: onFunctions, read: routines("'f', 'a', 'w'")},
	"procedure": {keyword: "PROCEDURE", all: "ALL PROCEDURES IN SCHEMA", privileges: onFunctions, read: routines("'p'")},
	"routine":   {keyword: "ROUTINE", all: "ALL ROUTINES IN SCHEMA", privileges: onFunctions, read: routines("'f', 'a', 'w', 'p'")},
}

func kindNames() []string { return slices.Sorted(maps.Keys(kinds)) }

// expand writes ALL and short names out, sorted, as access lists hold them.
func (k kind) expand(wanted []string) []string {
	expanded := []string{}
	for _, privilege := range wanted {
		switch strings.ToUpper(privilege) {
		case "ALL", "ALL PRIVILEGES":
			expanded = append(expanded, k.privileges...)
		case "TEMP":
			expanded = append(expanded, "TEMPORARY")
		default:
			expanded = append(expanded, strings.ToUpper(privilege))
		}
	}
	slices.Sort(expanded)
	return slices.Compact(expanded)
}

// target is what a grant is about.
type target struct {
	role, database, schema, kindName string
	kind                             kind
	objects                          []string
}

// arguments of kind.read: only those its SQL mentions.
func (t target) arguments() []any {
	switch {
	case t.kindName == "database":
		return []any{t.role}
	case t.kindName == "schema":
		return []any{t.role, t.schema}
	default:
		return []any{t.role, t.schema, t.names()}
	}
}

// names are the objects without a signature, as catalogues hold them.
func (t target) names() []string {
	names := []string{}
	for _, object := range t.objects {
		name, _, _ := strings.Cut(object, "(")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// on is what follows ON in GRANT and REVOKE.
func (t target) on() string {
	switch {
	case t.kindName == "database":
		return t.kind.keyword + " " + identifier(t.database)
	case t.kindName == "schema":
		return t.kind.keyword + " " + identifier(t.schema)
	case len(t.objects) == 0:
		return t.kind.all + " " + identifier(t.schema)
	}
	var named []string
	for index, object := range t.objects {
		name := identifier(t.schema, t.names()[index])
		if _, signature, ok := strings.Cut(object, "("); ok {
			name += "(" + signature
		}
		named = append(named, name)
	}
	return t.kind.keyword + " " + strings.Join(named, ", ")
}

func (t target) revoke() string {
	return fmt.Sprintf("REVOKE ALL PRIVILEGES ON %s FROM %s", t.on(), grantee(t.role))
}

func (t target) grant(privileges []string, passOn bool) string {
	statement := fmt.Sprintf("GRANT %s ON %s TO %s", strings.Join(t.kind.expand(privileges), ", "), t.on(), grantee(t.role))
	if passOn {
		statement += " WITH GRANT OPTION"
	}
	return statement
}

// lock is the same for all grants whose catalogue rows may be the same.
func (t target) lock() string { return "grant " + t.kindName + " " + t.schema }

func (t target) identity() string {
	return strings.Join(append([]string{t.role, t.database, t.schema, t.kindName}, t.objects...), "_")
}

// ImportState takes role/database/schema/object_type, and objects joined by commas after one more slash. The real
// provider has no import here.
func (*grant) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	parts := strings.SplitN(req.ID, "/", 5)
	if len(parts) < 4 || kinds[parts[3]].keyword == "" {
		resp.Diagnostics.AddError("Not an identifier",
			"Expected role/database/schema/object_type or role/database/schema/object_type/object,object, got "+strconv.Quote(req.ID)+".")
		return
	}
	for index, name := range []string{"role", "database", "schema", "object_type"} {
		if parts[index] != "" {
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), parts[index])...)
		}
	}
	if len(parts) == 5 {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("objects"), strings.Split(parts[4], ","))...)
	}
}
