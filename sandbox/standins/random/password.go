package random

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type password struct{}

func newPassword() resource.Resource { return password{} }

type passwordModel struct {
	ID              types.String `tfsdk:"id"`
	Length          types.Int64  `tfsdk:"length"`
	Lower           types.Bool   `tfsdk:"lower"`
	Upper           types.Bool   `tfsdk:"upper"`
	Numeric         types.Bool   `tfsdk:"numeric"`
	Special         types.Bool   `tfsdk:"special"`
	MinLower        types.Int64  `tfsdk:"min_lower"`
	MinUpper        types.Int64  `tfsdk:"min_upper"`
	MinNumeric      types.Int64  `tfsdk:"min_numeric"`
	MinSpecial      types.Int64  `tfsdk:"min_special"`
	OverrideSpecial types.String `tfsdk:"override_special"`
	Keepers         types.Map    `tfsdk:"keepers"`
	Result          types.String `tfsdk:"result"`
}

func (password) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "random_password"
}

// Schema: every change makes a new password.
func (password) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	allowed := schema.BoolAttribute{
		Optional: true, Computed: true, Default: booldefault.StaticBool(true),
		PlanModifiers: []planmodifier.Bool{boolplanmodifier.RequiresReplace()},
	}
	minimum := schema.Int64Attribute{
		Optional: true, Computed: true, Default: int64default.StaticInt64(0),
		PlanModifiers: []planmodifier.Int64{int64planmodifier.RequiresReplace()},
	}
	kept := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id":     schema.StringAttribute{Computed: true, PlanModifiers: kept},
		"length": schema.Int64Attribute{Required: true, PlanModifiers: minimum.PlanModifiers},
		"lower":  allowed, "upper": allowed, "numeric": allowed, "special": allowed,
		"min_lower": minimum, "min_upper": minimum, "min_numeric": minimum, "min_special": minimum,
		"override_special": schema.StringAttribute{
			Optional: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"keepers": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, PlanModifiers: []planmodifier.Map{mapplanmodifier.RequiresReplace()},
		},
		"result": schema.StringAttribute{Computed: true, Sensitive: true, PlanModifiers: kept},
	}}
}

func (password) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan passwordModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	result, err := generate(plan.Length.ValueInt64(), plan.classes())
	if err != nil {
		resp.Diagnostics.AddError("Could not make a password", err.Error())
		return
	}
	plan.ID, plan.Result = types.StringValue("none"), types.StringValue(result)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (m passwordModel) classes() []class {
	marks := special
	if override := m.OverrideSpecial.ValueString(); override != "" {
		marks = override
	}
	var classes []class
	for _, one := range []struct {
		wanted     types.Bool
		characters string
		minimum    types.Int64
	}{
		{m.Lower, lower, m.MinLower}, {m.Upper, upper, m.MinUpper}, {m.Numeric, digits, m.MinNumeric}, {m.Special, marks, m.MinSpecial},
	} {
		if one.wanted.ValueBool() {
			classes = append(classes, class{characters: one.characters, minimum: one.minimum.ValueInt64()})
		}
	}
	return classes
}

// Read: the state is all there is.
func (password) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

// Update is never called: every change makes a new password.
func (password) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

// Delete: the state is all there is.
func (password) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// ImportState takes the password itself, as the real provider does.
func (password) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), "none")...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("result"), req.ID)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("length"), int64(len(req.ID)))...)
	for _, name := range []string{"lower", "upper", "numeric", "special"} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), true)...)
	}
	for _, name := range []string{"min_lower", "min_upper", "min_numeric", "min_special"} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), int64(0))...)
	}
}
