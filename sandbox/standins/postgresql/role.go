package postgresql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type role struct{ onServer }

func newRole() resource.Resource { return &role{} }

type roleModel struct {
	ID                types.String `tfsdk:"id"`
	Name              types.String `tfsdk:"name"`
	Password          types.String `tfsdk:"password"`
	Login             types.Bool   `tfsdk:"login"`
	Superuser         types.Bool   `tfsdk:"superuser"`
	CreateDatabase    types.Bool   `tfsdk:"create_database"`
	CreateRole        types.Bool   `tfsdk:"create_role"`
	Inherit           types.Bool   `tfsdk:"inherit"`
	Replication       types.Bool   `tfsdk:"replication"`
	BypassRLS         types.Bool   `tfsdk:"bypass_row_level_security"`
	ConnectionLimit   types.Int64  `tfsdk:"connection_limit"`
	EncryptedPassword types.Bool   `tfsdk:"encrypted_password"`
	ValidUntil        types.String `tfsdk:"valid_until"`
	Roles             types.Set    `tfsdk:"roles"`
	SkipDropRole      types.Bool   `tfsdk:"skip_drop_role"`
	SkipReassignOwned types.Bool   `tfsdk:"skip_reassign_owned"`
}

func (*role) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "postgresql_role"
}

func (*role) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Description: "A role.", Attributes: map[string]schema.Attribute{
		"id":                        schema.StringAttribute{Computed: true},
		"name":                      schema.StringAttribute{Required: true},
		"password":                  schema.StringAttribute{Optional: true, Sensitive: true},
		"login":                     flag(false),
		"superuser":                 flag(false),
		"create_database":           flag(false),
		"create_role":               flag(false),
		"inherit":                   flag(true),
		"replication":               flag(false),
		"bypass_row_level_security": flag(false),
		"connection_limit":          number(-1),
		"encrypted_password":        flag(true),
		"valid_until":               text("infinity"),
		"roles": schema.SetAttribute{
			Optional: true, Computed: true, ElementType: types.StringType,
			PlanModifiers: []planmodifier.Set{setplanmodifier.UseStateForUnknown()},
		},
		"skip_drop_role":      flag(false),
		"skip_reassign_owned": flag(false),
	}}
}

func (r *role) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan roleModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := plan.Name.ValueString()
	statements := []string{fmt.Sprintf("CREATE ROLE %s WITH %s%s", identifier(name), plan.options(), passwordClause(plan.Password))}
	granted := texts(ctx, plan.Roles, &resp.Diagnostics)
	for _, group := range granted {
		statements = append(statements, fmt.Sprintf("GRANT %s TO %s", identifier(group), identifier(name)))
	}
	if err := r.server.transact(ctx, "", "role "+name, statements...); err != nil {
		failed(&resp.Diagnostics, "create role "+name, err)
		return
	}
	plan.ID = plan.Name
	plan.Roles = setOf(ctx, granted, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

type roleRow struct {
	Login, Superuser, CreateDatabase, CreateRole, Inherit, Replication, BypassRLS bool
	ConnectionLimit                                                               int64
	ValidUntil                                                                    string
	Roles                                                                         []string
}

const readRole = `select rolcanlogin as login, rolsuper as superuser, rolcreatedb as create_database,
  rolcreaterole as create_role, rolinherit as inherit, rolreplication as replication, rolbypassrls as bypass_rls,
  rolconnlimit::int8 as connection_limit, coalesce(rolvaliduntil::text, 'infinity') as valid_until,
  array(select g.rolname::text from pg_auth_members m join pg_roles g on g.oid = m.roleid
        where m.member = r.oid order by 1) as roles
from pg_roles r where rolname = $1`

func (r *role) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state roleModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := state.ID.ValueString()
	row, found, err := rowIn[roleRow](ctx, r.server, "", readRole, name)
	if err != nil {
		failed(&resp.Diagnostics, "read role "+name, err)
		return
	}
	if !found {
		resp.State.RemoveResource(ctx)
		return
	}
	state.Name = types.StringValue(name)
	state.Login, state.Superuser = types.BoolValue(row.Login), types.BoolValue(row.Superuser)
	state.CreateDatabase, state.CreateRole = types.BoolValue(row.CreateDatabase), types.BoolValue(row.CreateRole)
	state.Inherit, state.Replication = types.BoolValue(row.Inherit), types.BoolValue(row.Replication)
	state.BypassRLS, state.ConnectionLimit = types.BoolValue(row.BypassRLS), types.Int64Value(row.ConnectionLimit)
	state.ValidUntil, state.Roles = types.StringValue(row.ValidUntil), setOf(ctx, row.Roles, &resp.Diagnostics)
	r.checkPassword(ctx, &state, &resp.Diagnostics)
	fillUnset(&state.EncryptedPassword, true)
	fillUnset(&state.SkipDropRole, false)
	fillUnset(&state.SkipReassignOwned, false)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// checkPassword forgets a password that is no longer the role's, so that the plan shows it. Only a superuser may look.
func (r *role) checkPassword(ctx context.Context, state *roleModel, diagnostics *diag.Diagnostics) {
	if !r.server.settings.Superuser || state.Password.IsNull() {
		return
	}
	type stored struct{ Password string }
	row, found, err := rowIn[stored](ctx, r.server, "",
		"select coalesce(passwd, '') as password from pg_shadow where usename = $1", state.ID.ValueString())
	if err != nil {
		failed(diagnostics, "compare the password of role "+state.ID.ValueString(), err)
		return
	}
	if found && !verifies(row.Password, state.ID.ValueString(), state.Password.ValueString()) {
		state.Password = types.StringNull()
	}
}

func (r *role) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state roleModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	name := plan.Name.ValueString()
	var statements []string
	if old := state.Name.ValueString(); old != name {
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s RENAME TO %s", identifier(old), identifier(name)))
	}
	password := ""
	if !plan.Password.Equal(state.Password) {
		password = passwordClause(plan.Password)
		if plan.Password.IsNull() {
			password = " PASSWORD NULL"
		}
	}
	statements = append(statements, fmt.Sprintf("ALTER ROLE %s WITH %s%s", identifier(name), plan.options(), password))
	if plan.Roles.IsUnknown() {
		plan.Roles = state.Roles
	}
	before, after := texts(ctx, state.Roles, &resp.Diagnostics), texts(ctx, plan.Roles, &resp.Diagnostics)
	for _, group := range before {
		if !slices.Contains(after, group) {
			statements = append(statements, fmt.Sprintf("REVOKE %s FROM %s", identifier(group), identifier(name)))
		}
	}
	for _, group := range after {
		if !slices.Contains(before, group) {
			statements = append(statements, fmt.Sprintf("GRANT %s TO %s", identifier(group), identifier(name)))
		}
	}
	if err := r.server.transact(ctx, "", "role "+name, statements...); err != nil {
		failed(&resp.Diagnostics, "change role "+name, err)
		return
	}
	plan.ID = plan.Name
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// Delete first hands over what the role owns in the provider's database, as the real provider does; what it owns in
// other databases makes Postgres refuse.
func (r *role) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state roleModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || state.SkipDropRole.ValueBool() {
		return
	}
	name := state.ID.ValueString()
	var statements []string
	if !state.SkipReassignOwned.ValueBool() {
		statements = append(statements,
			fmt.Sprintf("REASSIGN OWNED BY %s TO CURRENT_USER", identifier(name)),
			"DROP OWNED BY "+identifier(name))
	}
	statements = append(statements, "DROP ROLE "+identifier(name))
	if err := r.server.transact(ctx, "", "role "+name, statements...); err != nil && !gone(err) {
		failed(&resp.Diagnostics, "drop role "+name, err)
	}
}

func (*role) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}

// options is the whole of a role's attributes, so that one statement brings it where it should be.
func (m roleModel) options() string {
	word := func(value types.Bool, name string) string {
		if value.ValueBool() {
			return name
		}
		return "NO" + name
	}
	return strings.Join([]string{
		word(m.Login, "LOGIN"), word(m.Superuser, "SUPERUSER"), word(m.CreateDatabase, "CREATEDB"),
		word(m.CreateRole, "CREATEROLE"), word(m.Inherit, "INHERIT"), word(m.Replication, "REPLICATION"),
		word(m.BypassRLS, "BYPASSRLS"), fmt.Sprintf("CONNECTION LIMIT %d", m.ConnectionLimit.ValueInt64()),
		"VALID UNTIL " + literal(m.ValidUntil.ValueString()),
	}, " ")
}

func passwordClause(password types.String) string {
	if password.IsNull() {
		return ""
	}
	return " PASSWORD " + literal(password.ValueString())
}

// fillUnset gives an attribute that exists only in the configuration its default after an import.
func fillUnset(value *types.Bool, fallback bool) {
	if value.IsNull() {
		*value = types.BoolValue(fallback)
	}
}
