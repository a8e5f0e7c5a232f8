package postgresql

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type database struct{ onServer }

func newDatabase() resource.Resource { return &database{} }

type databaseModel struct {
	ID                   types.String `tfsdk:"id"`
	Name                 types.String `tfsdk:"name"`
	Owner                types.String `tfsdk:"owner"`
	Template             types.String `tfsdk:"template"`
	Encoding             types.String `tfsdk:"encoding"`
	Collate              types.String `tfsdk:"lc_collate"`
	CharacterType        types.String `tfsdk:"lc_ctype"`
	Tablespace           types.String `tfsdk:"tablespace_name"`
	ConnectionLimit      types.Int64  `tfsdk:"connection_limit"`
	AllowConnections     types.Bool   `tfsdk:"allow_connections"`
	IsTemplate           types.Bool   `tfsdk:"is_template"`
	AlterObjectOwnership types.Bool   `tfsdk:"alter_object_ownership"`
}

func (*database) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "postgresql_database"
}

func (*database) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Description: "A database.", Attributes: map[string]schema.Attribute{
		"id":                     schema.StringAttribute{Computed: true},
		"name":                   schema.StringAttribute{Required: true},
		"owner":                  schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: keepText},
		"template":               fixedText("template0"),
		"encoding":               fixedText("UTF8"),
		"lc_collate":             fixedText("C"),
		"lc_ctype":               fixedText("C"),
		"tablespace_name":        text("pg_default"),
		"connection_limit":       number(-1),
		"allow_connections":      flag(true),
		"is_template":            flag(false),
		"alter_object_ownership": flag(false),
	}}
}

func (r *database) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan databaseModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Owner.IsUnknown() || plan.Owner.IsNull() {
		plan.Owner = types.StringValue(r.server.settings.Username)
	}
	name := plan.Name.ValueString()
	statement := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %s ENCODING %s LC_COLLATE %s LC_CTYPE %s TABLESPACE %s %s",
		identifier(name), identifier(plan.Owner.ValueString()), identifier(plan.Template.ValueString()),
		literal(plan.Encoding.ValueString()), literal(plan.Collate.ValueString()), literal(plan.CharacterType.ValueString()),
		identifier(plan.Tablespace.ValueString()), plan.options(" = "))
	if err := r.server.execute(ctx, "", statement); err != nil {
		failed(&resp.Diagnostics, "create database "+name, err)
		return
	}
	plan.ID = plan.Name
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

type databaseRow struct {
	Owner, Encoding, Collate, CharacterType, Tablespace string
	ConnectionLimit                                     int64
	AllowConnections, IsTemplate                        bool
}

const readDatabase = `select pg_get_userbyid(datdba)::text as owner, pg_encoding_to_char(encoding)::text as encoding,
  datcollate::text as collate, datctype::text as character_type, spcname::text as tablespace,
  datconnlimit::int8 as connection_limit, datallowconn as allow_connections, datistemplate as is_template
from pg_database join pg_tablespace t on t.oid = dattablespace where datname = $1`

func (r *database) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state databaseModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := state.ID.ValueString()
	row, found, err := rowIn[databaseRow](ctx, r.server, "", readDatabase, name)
	if err != nil {
		failed(&resp.Diagnostics, "read database "+name, err)
		return
	}
	if !found {
		resp.State.RemoveResource(ctx)
		return
	}
	state.Name, state.Owner = types.StringValue(name), types.StringValue(row.Owner)
	state.Encoding, state.Tablespace = types.StringValue(row.Encoding), types.StringValue(row.Tablespace)
	state.Collate, state.CharacterType = types.StringValue(row.Collate), types.StringValue(row.CharacterType)
	state.ConnectionLimit = types.Int64Value(row.ConnectionLimit)
	state.AllowConnections, state.IsTemplate = types.BoolValue(row.AllowConnections), types.BoolValue(row.IsTemplate)
	if state.Template.IsNull() {
		// No catalogue says what a database was made from.
		state.Template = types.StringValue("template0")
	}
	fillUnset(&state.AlterObjectOwnership, false)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *database) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state databaseModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	old, name := state.Name.ValueString(), plan.Name.ValueString()
	owner := plan.Owner.ValueString()
	if previous := state.Owner.ValueString(); previous != owner && plan.AlterObjectOwnership.ValueBool() {
		r.handOver(ctx, old, previous, owner, &resp.Diagnostics)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	var statements []string
	if old != name {
		r.server.leave(old)
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", identifier(old), identifier(name)))
	}
	if !plan.Owner.Equal(state.Owner) {
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", identifier(name), identifier(owner)))
	}
	if !plan.Tablespace.Equal(state.Tablespace) {
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s SET TABLESPACE %s", identifier(name), identifier(plan.Tablespace.ValueString())))
	}
	statements = append(statements, fmt.Sprintf("ALTER DATABASE %s WITH %s", identifier(name), plan.options(" ")))
	if err := r.server.execute(ctx, "", statements...); err != nil {
		failed(&resp.Diagnostics, "change database "+name, err)
		return
	}
	plan.ID = plan.Name
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// handOver gives the objects in a database to its new owner.
func (r *database) handOver(ctx context.Context, database, from, to string, diagnostics *diag.Diagnostics) {
	statement := fmt.Sprintf("REASSIGN OWNED BY %s TO %s", identifier(from), identifier(to))
	err := r.server.execute(ctx, database, statement)
	if said(err, dependentObjects) {
		// The role that initdb made owns the system catalogues, which Postgres never hands over.
		diagnostics.AddWarning("Objects of "+from+" in "+database+" stay its own", err.Error())
	} else if err != nil {
		failed(diagnostics, "hand over the objects of "+from+" in "+database, err)
	}
}

// Delete ends other sessions (FORCE, Postgres 13 and newer), as the real provider does.
func (r *database) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state databaseModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := state.ID.ValueString()
	r.server.leave(name)
	var statements []string
	if state.IsTemplate.ValueBool() {
		statements = append(statements, fmt.Sprintf("ALTER DATABASE %s IS_TEMPLATE false", identifier(name)))
	}
	statements = append(statements, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", identifier(name)))
	if err := r.server.execute(ctx, "", statements...); err != nil && !gone(err) {
		failed(&resp.Diagnostics, "drop database "+name, err)
	}
}

func (*database) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

// options is what CREATE DATABASE and ALTER DATABASE have in common; only the former wants equals signs.
func (m databaseModel) options(equals string) string {
	return strings.Join([]string{
		"CONNECTION LIMIT" + equals + fmt.Sprint(m.ConnectionLimit.ValueInt64()),
		"ALLOW_CONNECTIONS" + equals + fmt.Sprint(m.AllowConnections.ValueBool()),
		"IS_TEMPLATE" + equals + fmt.Sprint(m.IsTemplate.ValueBool()),
	}, " ")
}
