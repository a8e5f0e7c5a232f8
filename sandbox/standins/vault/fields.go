package vault

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/mapplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type kind int

const (
	text kind = iota
	number
	flag
	set
	list
	mapping
	// jsonText is a JSON object as text: spelling and order do not matter.
	jsonText
)

// field is one attribute of a resource and the parameter of Vault's API behind it. An attribute that is not configured
// has Vault's default, so that whatever somebody else sets in Vault shows as a change.
type field struct {
	name string
	// api is the parameter's name where it is not the attribute's.
	api  string
	kind kind
	// block is the nested block the attribute stands in.
	block string

	required bool
	// computed is what only Vault knows.
	computed bool
	// chosen is what the definition chooses where nothing is configured.
	chosen bool
	// fallback is Vault's default where it is not empty: string, int64 or bool.
	fallback any
	// fixed: a change makes a new object.
	fixed     bool
	sensitive bool
	// local is not a parameter of the object: part of its path, or an instruction to the provider.
	local bool
	// hidden is never told by Vault: the state keeps what was written.
	hidden bool
}

func (f field) parameter() string {
	if f.api != "" {
		return f.api
	}
	return f.name
}

// zero is the value of a field that nobody set.
func (f field) zero() any {
	if f.fallback != nil {
		return f.fallback
	}
	switch f.kind {
	case number:
		return int64(0)
	case flag:
		return false
	case set, list:
		return []string{}
	case mapping:
		return map[string]string{}
	default:
		return ""
	}
}

// attribute is the field in the schema.
func (f field) attribute() schema.Attribute {
	optional := !f.required && !f.computed
	// Secrets have no default: null says that there is none.
	defaulted := optional && !f.chosen && !(f.sensitive && f.fallback == nil)
	switch f.kind {
	case number:
		attribute := schema.Int64Attribute{Required: f.required, Optional: optional, Computed: f.computed || defaulted, Sensitive: f.sensitive}
		if defaulted {
			attribute.Default = int64default.StaticInt64(f.zero().(int64))
		}
		return attribute
	case flag:
		attribute := schema.BoolAttribute{Required: f.required, Optional: optional, Computed: f.computed || defaulted}
		if defaulted {
			attribute.Default = booldefault.StaticBool(f.zero().(bool))
		}
		if f.fixed {
			attribute.PlanModifiers = append(attribute.PlanModifiers, boolplanmodifier.RequiresReplace())
		}
		return attribute
	case set:
		attribute := schema.SetAttribute{Required: f.required, Optional: optional, Computed: defaulted, ElementType: types.StringType}
		if defaulted {
			attribute.Default = setdefault.StaticValue(types.SetValueMust(types.StringType, []attr.Value{}))
		}
		return attribute
	case list:
		attribute := schema.ListAttribute{Required: f.required, Optional: optional, Computed: defaulted, ElementType: types.StringType}
		if defaulted {
			attribute.Default = listdefault.StaticValue(types.ListValueMust(types.StringType, []attr.Value{}))
		}
		return attribute
	case mapping:
		attribute := schema.MapAttribute{
			Required: f.required, Optional: optional, Computed: f.computed || defaulted, Sensitive: f.sensitive, ElementType: types.StringType,
		}
		if defaulted {
			attribute.Default = mapdefault.StaticValue(types.MapValueMust(types.StringType, map[string]attr.Value{}))
		}
		if f.fixed {
			attribute.PlanModifiers = append(attribute.PlanModifiers, mapplanmodifier.RequiresReplace())
		}
		return attribute
	default:
		return f.textAttribute(optional, defaulted)
	}
}

func (f field) textAttribute(optional, defaulted bool) schema.Attribute {
	attribute := schema.StringAttribute{Required: f.required, Optional: optional, Computed: f.computed || f.chosen || defaulted, Sensitive: f.sensitive}
	if defaulted {
		attribute.Default = stringdefault.StaticString(f.zero().(string))
	}
	if f.computed || f.chosen {
		attribute.PlanModifiers = append(attribute.PlanModifiers, stringplanmodifier.UseStateForUnknown())
	}
	if f.fixed {
		attribute.PlanModifiers = append(attribute.PlanModifiers, stringplanmodifier.RequiresReplace())
	}
	return attribute
}
