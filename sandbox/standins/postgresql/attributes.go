package postgresql

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var (
	keepText    = []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replaceText = []planmodifier.String{stringplanmodifier.RequiresReplace()}
	// For what the server chooses when nothing is said: known after the first apply, a change makes a new object.
	keepOrReplaceText = []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplace()}
	replaceFlag       = []planmodifier.Bool{boolplanmodifier.RequiresReplace()}
)

func identity() schema.StringAttribute {
	return schema.StringAttribute{Computed: true, PlanModifiers: keepText}
}

// required is a text whose change makes a new object.
func required() schema.StringAttribute {
	return schema.StringAttribute{Required: true, PlanModifiers: replaceText}
}

func flag(fallback bool) schema.BoolAttribute {
	return schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(fallback)}
}

func number(fallback int64) schema.Int64Attribute {
	return schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(fallback)}
}

func text(fallback string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, Computed: true, Default: stringdefault.StaticString(fallback)}
}

// fixedText is a text with a default whose change makes a new object.
func fixedText(fallback string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional: true, Computed: true, Default: stringdefault.StaticString(fallback), PlanModifiers: replaceText,
	}
}

// texts reads a set or list of known texts.
func texts(ctx context.Context, value interface {
	ElementsAs(context.Context, any, bool) diag.Diagnostics
	IsNull() bool
	IsUnknown() bool
}, diagnostics *diag.Diagnostics) []string {
	var read []string
	if value.IsNull() || value.IsUnknown() {
		return nil
	}
	diagnostics.Append(value.ElementsAs(ctx, &read, false)...)
	return read
}

func setOf(ctx context.Context, values []string, diagnostics *diag.Diagnostics) types.Set {
	if values == nil {
		values = []string{}
	}
	set, found := types.SetValueFrom(ctx, types.StringType, values)
	diagnostics.Append(found...)
	return set
}
