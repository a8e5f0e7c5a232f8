package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// values are the known attributes of one object by name: string, int64, bool, []string or map[string]string.
type values map[string]any

func (v values) text(name string) string {
	text, _ := v[name].(string)
	return text
}

func (v values) flag(name string) bool {
	flag, _ := v[name].(bool)
	return flag
}

// attributes is what plan, state and configuration have in common.
type attributes interface {
	GetAttribute(context.Context, path.Path, any) diag.Diagnostics
}

func (f field) path() path.Path {
	if f.block != "" {
		return path.Root(f.block).AtListIndex(0).AtName(f.name)
	}
	return path.Root(f.name)
}

// get reads the known attributes; null and unknown ones are left out.
func get(ctx context.Context, from attributes, fields []field, diagnostics *diag.Diagnostics) values {
	found := values{}
	for _, f := range fields {
		switch f.kind {
		case number:
			var value types.Int64
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			if !value.IsNull() && !value.IsUnknown() {
				found[f.name] = value.ValueInt64()
			}
		case flag:
			var value types.Bool
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			if !value.IsNull() && !value.IsUnknown() {
				found[f.name] = value.ValueBool()
			}
		case set:
			var value types.Set
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			getElements[[]string](ctx, found, f.name, value, diagnostics)
		case list:
			var value types.List
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			getElements[[]string](ctx, found, f.name, value, diagnostics)
		case mapping:
			var value types.Map
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			getElements[map[string]string](ctx, found, f.name, value, diagnostics)
		default:
			var value types.String
			diagnostics.Append(from.GetAttribute(ctx, f.path(), &value)...)
			if !value.IsNull() && !value.IsUnknown() {
				found[f.name] = value.ValueString()
			}
		}
	}
	return found
}

func getElements[T any](ctx context.Context, into values, name string, value interface {
	IsNull() bool
	IsUnknown() bool
	ElementsAs(context.Context, any, bool) diag.Diagnostics
}, diagnostics *diag.Diagnostics) {
	if value.IsNull() || value.IsUnknown() {
		return
	}
	var elements T
	diagnostics.Append(value.ElementsAs(ctx, &elements, false)...)
	into[name] = elements
}

// put writes the attributes into a state; what is not there becomes null.
func put(ctx context.Context, into interface {
	SetAttribute(context.Context, path.Path, any) diag.Diagnostics
}, fields []field, from values, diagnostics *diag.Diagnostics) {
	for _, f := range fields {
		if value, ok := from[f.name]; ok {
			diagnostics.Append(into.SetAttribute(ctx, f.path(), value)...)
		} else if f.block == "" {
			diagnostics.Append(into.SetAttribute(ctx, f.path(), f.null())...)
		}
	}
}

func (f field) null() any {
	switch f.kind {
	case number:
		return types.Int64Null()
	case flag:
		return types.BoolNull()
	case set:
		return types.SetNull(types.StringType)
	case list:
		return types.ListNull(types.StringType)
	case mapping:
		return types.MapNull(types.StringType)
	default:
		return types.StringNull()
	}
}

// parameters is the body of a write: what differs from Vault's default, and what `before` had that is now back to it.
func parameters(fields []field, now, before values) map[string]any {
	body := map[string]any{}
	for _, f := range fields {
		value, set := now[f.name]
		if f.local || f.computed {
			continue
		}
		if !set {
			value = f.zero()
		}
		previous, had := before[f.name]
		if !equal(value, f.zero()) || had && !equal(previous, value) {
			body[f.parameter()] = value
		}
	}
	return body
}

// observe takes over what Vault says. What only differs in spelling stays as it was written.
func observe(fields []field, into values, data map[string]any) error {
	for _, f := range fields {
		if f.local || f.hidden {
			continue
		}
		found, err := f.decode(data[f.parameter()])
		if err != nil {
			return fmt.Errorf("%s: %w", f.parameter(), err)
		}
		if written, known := into[f.name]; known && f.means(written, found) {
			continue
		}
		into[f.name] = found
	}
	return nil
}

// means tells whether Vault holds what was written: JSON in any spelling, list entries without the blanks around them.
func (f field) means(written, found any) bool {
	switch f.kind {
	case jsonText:
		text, _ := written.(string)
		return sameJSON(text, found.(string))
	case list, set:
		entries, _ := written.([]string)
		return slices.EqualFunc(entries, found.([]string), func(one, other string) bool { return strings.TrimSpace(one) == other })
	default:
		return equal(written, found)
	}
}

// decode reads a parameter as Vault's API gives it: numbers as json.Number, absent ones not at all.
func (f field) decode(found any) (any, error) {
	if found == nil {
		return f.zero(), nil
	}
	switch f.kind {
	case number:
		switch value := found.(type) {
		case json.Number:
			return value.Int64()
		case float64:
			return int64(value), nil
		}
	case flag:
		if value, ok := found.(bool); ok {
			return value, nil
		}
	case set, list:
		if many, ok := found.([]any); ok {
			return plainTexts(many), nil
		}
	case mapping:
		if many, ok := found.(map[string]any); ok {
			texts := map[string]string{}
			for key, value := range many {
				texts[key] = plainText(value)
			}
			return texts, nil
		}
	case jsonText:
		encoded, err := json.Marshal(found)
		return string(encoded), err
	default:
		return plainText(found), nil
	}
	return nil, fmt.Errorf("Vault answers %T", found)
}

func plainTexts(many []any) []string {
	texts := make([]string, 0, len(many))
	for _, one := range many {
		texts = append(texts, plainText(one))
	}
	return texts
}

// plainText writes a value as HCL would hold it in a map of strings: a list joined by commas, an object as JSON.
func plainText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case nil:
		return ""
	case []any:
		return strings.Join(plainTexts(value), ",")
	case map[string]any:
		encoded, _ := json.Marshal(value)
		return string(encoded)
	default:
		return fmt.Sprint(value)
	}
}

func equal(one, other any) bool {
	texts, isTexts := one.([]string)
	others, areTexts := other.([]string)
	if isTexts && areTexts {
		return slices.Equal(texts, others)
	}
	return reflect.DeepEqual(one, other)
}

func sameJSON(one, other string) bool {
	var first, second any
	if json.Unmarshal([]byte(one), &first) != nil || json.Unmarshal([]byte(other), &second) != nil {
		return false
	}
	return reflect.DeepEqual(first, second)
}
