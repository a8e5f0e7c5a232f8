package postgresql

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type function struct{ onServer }

func newFunction() resource.Resource { return &function{} }

type functionModel struct {
	ID              types.String    `tfsdk:"id"`
	Name            types.String    `tfsdk:"name"`
	Schema          types.String    `tfsdk:"schema"`
	Database        types.String    `tfsdk:"database"`
	Returns         types.String    `tfsdk:"returns"`
	Language        types.String    `tfsdk:"language"`
	Body            types.String    `tfsdk:"body"`
	Parallel        types.String    `tfsdk:"parallel"`
	SecurityDefiner types.Bool      `tfsdk:"security_definer"`
	Strict          types.Bool      `tfsdk:"strict"`
	Volatility      types.String    `tfsdk:"volatility"`
	DropCascade     types.Bool      `tfsdk:"drop_cascade"`
	Arguments       []argumentModel `tfsdk:"arg"`
}

type argumentModel struct {
	Mode    types.String `tfsdk:"mode"`
	Name    types.String `tfsdk:"name"`
	Type    types.String `tfsdk:"type"`
	Default types.String `tfsdk:"default"`
}

func (*function) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "postgresql_function"
}

func oneOf(attribute schema.StringAttribute, words ...string) schema.StringAttribute {
	attribute.Validators = []validator.String{stringvalidator.OneOfCaseInsensitive(words...)}
	return attribute
}

func (*function) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Description: "A function.",
		Attributes: map[string]schema.Attribute{
			"id":               identity(),
			"name":             required(),
			"schema":           fixedText("public"),
			"database":         schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: keepOrReplaceText},
			"returns":          schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: keepOrReplaceText},
			"language":         text("plpgsql"),
			"body":             schema.StringAttribute{Required: true},
			"parallel":         oneOf(text("UNSAFE"), "UNSAFE", "RESTRICTED", "SAFE"),
			"security_definer": flag(false),
			"strict":           flag(false),
			"volatility":       oneOf(text("VOLATILE"), "VOLATILE", "STABLE", "IMMUTABLE"),
			"drop_cascade":     flag(false),
		},
		Blocks: map[string]schema.Block{"arg": schema.ListNestedBlock{
			PlanModifiers: []planmodifier.List{listplanmodifier.RequiresReplace()},
			NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
				"mode":    oneOf(text("IN"), "IN", "OUT", "INOUT", "VARIADIC"),
				"name":    schema.StringAttribute{Optional: true},
				"type":    schema.StringAttribute{Required: true},
				"default": schema.StringAttribute{Optional: true},
			}},
		}},
	}
}

func (r *function) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan functionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Database.IsUnknown() {
		plan.Database = types.StringValue(r.server.settings.Database)
	}
	if err := r.write(ctx, &plan, "CREATE"); err != nil {
		failed(&resp.Diagnostics, "create function "+plan.identity(), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *function) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan functionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.write(ctx, &plan, "CREATE OR REPLACE"); err != nil {
		failed(&resp.Diagnostics, "change function "+plan.identity(), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// write makes the function and learns what only Postgres knows of it.
func (r *function) write(ctx context.Context, plan *functionModel, verb string) error {
	database := plan.Database.ValueString()
	if err := r.server.transact(ctx, database, "function "+plan.Name.ValueString(), verb+plan.definition()); err != nil {
		return err
	}
	plan.ID = types.StringValue(plan.identity())
	if !plan.Returns.IsUnknown() {
		return nil
	}
	row, found, err := rowIn[functionRow](ctx, r.server, database, readFunction, plan.signature())
	if err == nil && !found {
		err = fmt.Errorf("%s is not there after it was made", plan.signature())
	}
	plan.Returns = types.StringValue(row.Returns)
	return err
}

func (r *function) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state functionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	row, found, err := rowIn[functionRow](ctx, r.server, state.Database.ValueString(), readFunction, state.signature())
	if err != nil && !gone(err) {
		failed(&resp.Diagnostics, "read function "+state.identity(), err)
		return
	}
	if err != nil || !found {
		resp.State.RemoveResource(ctx)
		return
	}
	state.observe(row)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *function) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state functionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	statement := "DROP FUNCTION IF EXISTS " + state.signature()
	if state.DropCascade.ValueBool() {
		statement += " CASCADE"
	}
	err := r.server.transact(ctx, state.Database.ValueString(), "function "+state.Name.ValueString(), statement)
	if err != nil && !gone(err) {
		failed(&resp.Diagnostics, "drop function "+state.identity(), err)
	}
}

// definition is what follows CREATE.
func (m functionModel) definition() string {
	var arguments []string
	for _, argument := range m.Arguments {
		words := []string{argument.mode()}
		if name := argument.Name.ValueString(); name != "" {
			words = append(words, identifier(name))
		}
		words = append(words, argument.Type.ValueString())
		if fallback := argument.Default.ValueString(); fallback != "" {
			words = append(words, "DEFAULT "+fallback)
		}
		arguments = append(arguments, strings.Join(words, " "))
	}
	returns := ""
	if !m.Returns.IsUnknown() && m.Returns.ValueString() != "" {
		returns = " RETURNS " + m.Returns.ValueString()
	} else if !m.returnsArguments() {
		returns = " RETURNS void"
	}
	words := []string{
		"LANGUAGE " + identifier(strings.ToLower(m.Language.ValueString())),
		strings.ToUpper(m.Volatility.ValueString()), "PARALLEL " + strings.ToUpper(m.Parallel.ValueString()),
		choose(m.Strict.ValueBool(), "STRICT", "CALLED ON NULL INPUT"),
		choose(m.SecurityDefiner.ValueBool(), "SECURITY DEFINER", "SECURITY INVOKER"),
	}
	return fmt.Sprintf(" FUNCTION %s(%s)%s %s AS %s", identifier(m.Schema.ValueString(), m.Name.ValueString()),
		strings.Join(arguments, ", "), returns, strings.Join(words, " "), literal(plainBody(m.Body.ValueString())))
}

// signature names the function among those of the same name: by the types of what goes in.
func (m functionModel) signature() string {
	return identifier(m.Schema.ValueString(), m.Name.ValueString()) + "(" + m.inputs() + ")"
}

func (m functionModel) identity() string {
	return fmt.Sprintf("%s.%s.%s(%s)", m.Database.ValueString(), m.Schema.ValueString(), m.Name.ValueString(), m.inputs())
}

func (m functionModel) inputs() string {
	var inputs []string
	for _, argument := range m.Arguments {
		if argument.mode() != "OUT" {
			inputs = append(inputs, argument.Type.ValueString())
		}
	}
	return strings.Join(inputs, ",")
}

func (m functionModel) returnsArguments() bool {
	for _, argument := range m.Arguments {
		if strings.HasSuffix(argument.mode(), "OUT") {
			return true
		}
	}
	return false
}

func (a argumentModel) mode() string { return strings.ToUpper(a.Mode.ValueString()) }

// quotedBody is a body with the AS and dollar quotes that the documentation allows around it.
var quotedBody = regexp.MustCompile(`(?is)^\s*AS\s+(\$\w*\$)(.*)(\$\w*\$)\s*;?\s*$`)

func plainBody(body string) string {
	if parts := quotedBody.FindStringSubmatch(body); parts != nil && parts[1] == parts[3] {
		return parts[2]
	}
	return body
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}
