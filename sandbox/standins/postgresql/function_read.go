package postgresql

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type functionRow struct {
	Returns, Language, Body, Parallel, Volatility string
	SecurityDefiner, Strict                       bool
	Modes, Names, Types, Defaults                 []string
}

// readFunction finds a function by its signature. The arrays have one entry for each argument.
const readFunction = `select pg_get_function_result(p.oid) as returns, l.lanname::text as language, p.prosrc as body,
  case p.proparallel when 's' then 'SAFE' when 'r' then 'RESTRICTED' else 'UNSAFE' end as parallel,
  case p.provolatile when 'i' then 'IMMUTABLE' when 's' then 'STABLE' else 'VOLATILE' end as volatility,
  p.prosecdef as security_definer, p.proisstrict as strict, a.modes, a.names, a.types, a.defaults
from pg_proc p join pg_language l on l.oid = p.prolang, lateral (
  select coalesce(array_agg(case coalesce(p.proargmodes[n], 'i') when 'i' then 'IN' when 'o' then 'OUT' when 'b' then 'INOUT'
      when 'v' then 'VARIADIC' else 'TABLE' end order by n), '{}') as modes,
    coalesce(array_agg(coalesce(p.proargnames[n], '') order by n), '{}') as names,
    coalesce(array_agg(format_type(t, null) order by n), '{}') as types,
    coalesce(array_agg(coalesce(pg_get_function_arg_default(p.oid, n::int), '') order by n), '{}') as defaults
  from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as u(t, n)
) a
where p.oid = to_regprocedure($1) and p.prokind = 'f'`

// observe takes over what Postgres says. A text that Postgres only spells in another way stays as it was written.
func (m *functionModel) observe(row functionRow) {
	m.Returns = spelled(m.Returns, row.Returns)
	m.Language, m.Parallel = spelled(m.Language, row.Language), spelled(m.Parallel, row.Parallel)
	m.Volatility = spelled(m.Volatility, row.Volatility)
	m.SecurityDefiner, m.Strict = types.BoolValue(row.SecurityDefiner), types.BoolValue(row.Strict)
	if plainBody(m.Body.ValueString()) != row.Body || m.Body.IsNull() {
		m.Body = types.StringValue(row.Body)
	}
	var arguments []argumentModel
	for index, mode := range row.Modes {
		if mode == "TABLE" {
			continue // Belongs to RETURNS TABLE (...).
		}
		var before argumentModel
		if len(arguments) < len(m.Arguments) {
			before = m.Arguments[len(arguments)]
		}
		arguments = append(arguments, argumentModel{
			Mode: spelled(before.Mode, mode), Name: orNull(before.Name, row.Names[index]),
			Type: spelled(before.Type, row.Types[index]), Default: expression(before.Default, row.Defaults[index]),
		})
	}
	m.Arguments = arguments
	fillUnset(&m.DropCascade, false)
	m.ID = types.StringValue(m.identity())
}

// aliases are the spellings of types that people write and Postgres does not keep.
var aliases = map[string]string{
	"int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean", "varchar": "character varying",
	"float8": "double precision", "float4": "real", "decimal": "numeric", "timestamptz": "timestamp with time zone",
	"timestamp": "timestamp without time zone", "char": "character",
}

var lengths = regexp.MustCompile(`\s*\([^)]*\)`)

// spelled keeps what was written when it means what is found.
func spelled(written types.String, found string) types.String {
	plain := func(text string) string {
		word := strings.Join(strings.Fields(strings.ToLower(text)), " ")
		// Arguments have no length: Postgres drops it from their types.
		word = strings.TrimSpace(lengths.ReplaceAllString(word, ""))
		if alias, ok := aliases[word]; ok {
			return alias
		}
		return word
	}
	if !written.IsNull() && plain(written.ValueString()) == plain(found) {
		return written
	}
	return types.StringValue(found)
}

// expression keeps a default value's own words: Postgres adds a cast to its type.
func expression(written types.String, found string) types.String {
	if text := written.ValueString(); text != "" && (found == text || strings.HasPrefix(found, text+"::")) {
		return written
	}
	return orNull(written, found)
}

func orNull(written types.String, found string) types.String {
	if found == "" && written.ValueString() == "" {
		return written
	}
	return types.StringValue(found)
}

var functionIdentity = regexp.MustCompile(`^([^.]+)\.([^.]+)\.([^(]+)\((.*)\)$`)

// ImportState takes database.schema.name(types of what goes in). Reading then completes the arguments.
func (*function) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	parts := functionIdentity.FindStringSubmatch(req.ID)
	if parts == nil {
		resp.Diagnostics.AddError("Not an identifier", "Expected database.schema.name(types), got "+strconv.Quote(req.ID)+".")
		return
	}
	var arguments []argumentModel
	for _, word := range strings.Split(parts[4], ",") {
		if word = strings.TrimSpace(word); word != "" {
			arguments = append(arguments, argumentModel{Mode: types.StringValue("IN"), Type: types.StringValue(word)})
		}
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("database"), parts[1])...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("schema"), parts[2])...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("name"), parts[3])...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("arg"), arguments)...)
}
