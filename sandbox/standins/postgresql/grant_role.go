package postgresql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type grantRole struct{ onServer }

func newGrantRole() resource.Resource { return &grantRole{} }

type grantRoleModel struct {
	ID              types.String `tfsdk:"id"`
	Role            types.String `tfsdk:"role"`
	GrantRole       types.String `tfsdk:"grant_role"`
	WithAdminOption types.Bool   `tfsdk:"with_admin_option"`
}

func (*grantRole) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "postgresql_grant_role"
}

func (*grantRole) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{Description: "Membership of role in grant_role.", Attributes: map[string]schema.Attribute{
		"id":         identity(),
		"role":       required(),
		"grant_role": required(),
		"with_admin_option": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false), PlanModifiers: replaceFlag,
		},
	}}
}

func (r *grantRole) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan grantRoleModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	statement := fmt.Sprintf("GRANT %s TO %s", identifier(plan.GrantRole.ValueString()), identifier(plan.Role.ValueString()))
	if plan.WithAdminOption.ValueBool() {
		statement += " WITH ADMIN OPTION"
	}
	if err := r.server.transact(ctx, "", "membership "+plan.Role.ValueString(), statement); err != nil {
		failed(&resp.Diagnostics, fmt.Sprintf("grant %s to %s", plan.GrantRole.ValueString(), plan.Role.ValueString()), err)
		return
	}
	plan.ID = types.StringValue(plan.identity())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *grantRole) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state grantRoleModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	type membership struct{ Admin bool }
	// From Postgres 16 on one membership may be granted by several: an admin option of any counts.
	row, found, err := rowIn[membership](ctx, r.server, "", `select bool_or(m.admin_option) as admin from pg_auth_members m
		join pg_roles g on g.oid = m.roleid join pg_roles r on r.oid = m.member
		where g.rolname = $1 and r.rolname = $2 having count(*) > 0`, state.GrantRole.ValueString(), state.Role.ValueString())
	if err != nil {
		failed(&resp.Diagnostics, "read the membership of "+state.Role.ValueString(), err)
		return
	}
	if !found {
		resp.State.RemoveResource(ctx)
		return
	}
	state.WithAdminOption = types.BoolValue(row.Admin)
	state.ID = types.StringValue(state.identity())
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// Update is never called: every change makes a new membership.
func (*grantRole) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (r *grantRole) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state grantRoleModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	statement := fmt.Sprintf("REVOKE %s FROM %s", identifier(state.GrantRole.ValueString()), identifier(state.Role.ValueString()))
	err := r.server.transact(ctx, "", "membership "+state.Role.ValueString(), statement)
	if err != nil && !gone(err) {
		failed(&resp.Diagnostics, fmt.Sprintf("revoke %s from %s", state.GrantRole.ValueString(), state.Role.ValueString()), err)
	}
}

// ImportState takes role/grant_role: the real provider has no import here, and its identifier joins names that contain
// underscores with underscores.
func (*grantRole) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	member, group, ok := strings.Cut(req.ID, "/")
	if !ok {
		resp.Diagnostics.AddError("Not an identifier", "Expected role/grant_role, got "+strconv.Quote(req.ID)+".")
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("role"), member)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("grant_role"), group)...)
}

func (m grantRoleModel) identity() string {
	return strings.Join([]string{
		m.Role.ValueString(), m.GrantRole.ValueString(), strconv.FormatBool(m.WithAdminOption.ValueBool()),
	}, "_")
}
