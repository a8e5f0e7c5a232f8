package postgresql

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type grant struct{ onServer }

func newGrant() resource.Resource { return &grant{} }

type grantModel struct {
	ID              types.String `tfsdk:"id"`
	Role            types.String `tfsdk:"role"`
	Database        types.String `tfsdk:"database"`
	Schema          types.String `tfsdk:"schema"`
	ObjectType      types.String `tfsdk:"object_type"`
	Objects         types.Set    `tfsdk:"objects"`
	Privileges      types.Set    `tfsdk:"privileges"`
	WithGrantOption types.Bool   `tfsdk:"with_grant_option"`
}

func (*grant) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "postgresql_grant"
}

func (*grant) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "All the privileges of one role on objects of one kind: others of its privileges there are revoked.",
		Attributes: map[string]schema.Attribute{
			"id":          identity(),
			"role":        required(),
			"database":    required(),
			"schema":      schema.StringAttribute{Optional: true, PlanModifiers: replaceText},
			"object_type": oneOf(required(), kindNames()...),
			"objects": schema.SetAttribute{
				Optional: true, ElementType: types.StringType,
				PlanModifiers: []planmodifier.Set{setplanmodifier.RequiresReplace()},
			},
			"privileges": schema.SetAttribute{Required: true, ElementType: types.StringType},
			"with_grant_option": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false), PlanModifiers: replaceFlag,
			},
		},
	}
}

// ValidateConfig refuses a grant without a schema where its kind lives in one.
func (*grant) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config grantModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if config.Schema.IsNull() && !config.ObjectType.IsUnknown() && config.ObjectType.ValueString() != "database" {
		resp.Diagnostics.AddError("No schema", "A grant on object_type "+config.ObjectType.ValueString()+" needs schema.")
	}
}

func (r *grant) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan grantModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if r.write(ctx, &plan, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *grant) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan grantModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if r.write(ctx, &plan, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// write revokes everything and grants what is wanted, in one transaction: nobody sees the role without its privileges.
func (r *grant) write(ctx context.Context, plan *grantModel, diagnostics *diag.Diagnostics) {
	if diagnostics.HasError() {
		return
	}
	target := plan.target(ctx, diagnostics)
	statements := []string{target.revoke()}
	if privileges := texts(ctx, plan.Privileges, diagnostics); len(privileges) > 0 {
		statements = append(statements, target.grant(privileges, plan.WithGrantOption.ValueBool()))
	}
	if err := r.server.transact(ctx, target.database, target.lock(), statements...); err != nil {
		failed(diagnostics, "grant on "+target.describe(), err)
		return
	}
	plan.ID = types.StringValue(target.identity())
}

func (r *grant) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state grantModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	target := state.target(ctx, &resp.Diagnostics)
	if present, err := r.roleExists(ctx, target.role); err != nil || !present {
		r.missing(ctx, target, err, resp)
		return
	}
	rows, err := rowsIn[privilegesRow](ctx, r.server, target.database, target.kind.read, target.arguments()...)
	if err != nil {
		r.missing(ctx, target, err, resp)
		return
	}
	if len(rows) < len(target.objects) {
		// An object was dropped and its privileges with it: what makes it anew must grant anew.
		resp.State.RemoveResource(ctx)
		return
	}
	wanted := texts(ctx, state.Privileges, &resp.Diagnostics)
	slices.Sort(wanted)
	if state.Privileges.IsNull() {
		state.Privileges = setOf(ctx, nil, &resp.Diagnostics)
	}
	fillUnset(&state.WithGrantOption, false)
	state.ID = types.StringValue(target.identity())
	for _, row := range rows {
		held := row.Held
		if state.WithGrantOption.ValueBool() {
			held = row.Grantable
		}
		if !slices.Equal(target.kind.expand(wanted), held) {
			state.Privileges = setOf(ctx, held, &resp.Diagnostics)
			break
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *grant) roleExists(ctx context.Context, role string) (bool, error) {
	if grantee(role) == "PUBLIC" {
		return true, nil
	}
	type one struct{ Present int }
	_, found, err := rowIn[one](ctx, r.server, "", "select 1 as present from pg_roles where rolname = $1", role)
	return found, err
}

func (*grant) missing(ctx context.Context, target target, err error, resp *resource.ReadResponse) {
	if err != nil && !gone(err) {
		failed(&resp.Diagnostics, "read the privileges on "+target.describe(), err)
		return
	}
	resp.State.RemoveResource(ctx)
}

func (r *grant) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state grantModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	target := state.target(ctx, &resp.Diagnostics)
	if err := r.server.transact(ctx, target.database, target.lock(), target.revoke()); err != nil && !gone(err) {
		failed(&resp.Diagnostics, "revoke on "+target.describe(), err)
	}
}

func (m grantModel) target(ctx context.Context, diagnostics *diag.Diagnostics) target {
	objects := texts(ctx, m.Objects, diagnostics)
	slices.Sort(objects)
	name := strings.ToLower(m.ObjectType.ValueString())
	return target{
		role: m.Role.ValueString(), database: m.Database.ValueString(), schema: m.Schema.ValueString(),
		kindName: name, kind: kinds[name], objects: objects,
	}
}

func (t target) describe() string {
	return fmt.Sprintf("%s %s for %s", t.kindName, strings.Trim(strings.Join(append([]string{t.database, t.schema}, t.objects...), "."), "."), t.role)
}
