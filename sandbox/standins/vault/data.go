package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/vault/api"
)

type keyValue2Data struct{ client *api.Client }

func newKeyValue2Data() datasource.DataSource { return &keyValue2Data{} }

type keyValue2Model struct {
	ID       types.String `tfsdk:"id"`
	Mount    types.String `tfsdk:"mount"`
	Name     types.String `tfsdk:"name"`
	Version  types.Int64  `tfsdk:"version"`
	Path     types.String `tfsdk:"path"`
	Data     types.Map    `tfsdk:"data"`
	DataJSON types.String `tfsdk:"data_json"`
}

func (*keyValue2Data) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "vault_kv_secret_v2"
}

func (*keyValue2Data) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id":        schema.StringAttribute{Computed: true},
		"mount":     schema.StringAttribute{Required: true},
		"name":      schema.StringAttribute{Required: true},
		"version":   schema.Int64Attribute{Optional: true},
		"path":      schema.StringAttribute{Computed: true},
		"data":      schema.MapAttribute{Computed: true, Sensitive: true, ElementType: types.StringType},
		"data_json": schema.StringAttribute{Computed: true, Sensitive: true},
	}}
}

func (d *keyValue2Data) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if client, ok := req.ProviderData.(*api.Client); ok {
		d.client = client
	}
}

func (d *keyValue2Data) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model keyValue2Model
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	at := model.Mount.ValueString() + "/data/" + model.Name.ValueString()
	var query map[string][]string
	if !model.Version.IsNull() {
		query = map[string][]string{"version": {fmt.Sprint(model.Version.ValueInt64())}}
	}
	secret, err := d.client.Logical().ReadWithDataWithContext(ctx, at, query)
	if err == nil && (secret == nil || secret.Data["data"] == nil) {
		err = fmt.Errorf("no such secret, or its version is deleted")
	}
	if err != nil {
		failed(&resp.Diagnostics, "read", at, err)
		return
	}
	plain, err := field{kind: mapping}.decode(secret.Data["data"])
	if err != nil {
		failed(&resp.Diagnostics, "read", at, err)
		return
	}
	encoded, err := json.Marshal(secret.Data["data"])
	if err != nil {
		failed(&resp.Diagnostics, "read", at, err)
		return
	}
	found, diagnostics := types.MapValueFrom(ctx, types.StringType, plain)
	resp.Diagnostics.Append(diagnostics...)
	model.ID, model.Path = types.StringValue(at), types.StringValue(at)
	model.Data, model.DataJSON = found, types.StringValue(string(encoded))
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

type policyDocument struct{}

func newPolicyDocument() datasource.DataSource { return policyDocument{} }

type policyDocumentModel struct {
	ID    types.String `tfsdk:"id"`
	HCL   types.String `tfsdk:"hcl"`
	Rules []ruleModel  `tfsdk:"rule"`
}

type ruleModel struct {
	Path         types.String `tfsdk:"path"`
	Description  types.String `tfsdk:"description"`
	Capabilities []string     `tfsdk:"capabilities"`
}

func (policyDocument) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = "vault_policy_document"
}

func (policyDocument) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"id":  schema.StringAttribute{Computed: true},
			"hcl": schema.StringAttribute{Computed: true},
		},
		Blocks: map[string]schema.Block{"rule": schema.ListNestedBlock{
			NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
				"path":         schema.StringAttribute{Required: true},
				"description":  schema.StringAttribute{Optional: true},
				"capabilities": schema.ListAttribute{Required: true, ElementType: types.StringType},
			}},
		}},
	}
}

func (policyDocument) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model policyDocumentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var text strings.Builder
	for index, rule := range model.Rules {
		if index > 0 {
			text.WriteString("\n")
		}
		if description := rule.Description.ValueString(); description != "" {
			fmt.Fprintf(&text, "# %s\n", description)
		}
		fmt.Fprintf(&text, "path %q {\n  capabilities = [\"%s\"]\n}\n", rule.Path.ValueString(), strings.Join(rule.Capabilities, `", "`))
	}
	model.ID, model.HCL = types.StringValue("static"), types.StringValue(text.String())
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}
