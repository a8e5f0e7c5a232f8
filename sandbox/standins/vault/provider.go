// Package vault is a stand-in for the provider hashicorp/vault. Attribute names, defaults and identifiers are those of
// its documentation for the resources it has; what it does not know it refuses.
package vault

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/vault/api"
)

type vaultProvider struct{}

// New makes the provider.
func New() provider.Provider { return vaultProvider{} }

type providerModel struct {
	Address        types.String    `tfsdk:"address"`
	Token          types.String    `tfsdk:"token"`
	CACertFile     types.String    `tfsdk:"ca_cert_file"`
	SkipTLSVerify  types.Bool      `tfsdk:"skip_tls_verify"`
	SkipChildToken types.Bool      `tfsdk:"skip_child_token"`
	MaxLeaseTTL    types.Int64     `tfsdk:"max_lease_ttl_seconds"`
	MaxRetries     types.Int64     `tfsdk:"max_retries"`
	LoginJWT       []jwtLoginModel `tfsdk:"auth_login_jwt"`
}

type jwtLoginModel struct {
	Mount types.String `tfsdk:"mount"`
	Role  types.String `tfsdk:"role"`
	JWT   types.String `tfsdk:"jwt"`
}

func (vaultProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "vault"
}

func (vaultProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"address":               schema.StringAttribute{Optional: true, Description: "Vault; else VAULT_ADDR."},
			"token":                 schema.StringAttribute{Optional: true, Sensitive: true, Description: "Else VAULT_TOKEN."},
			"ca_cert_file":          schema.StringAttribute{Optional: true, Description: "Else VAULT_CACERT."},
			"skip_tls_verify":       schema.BoolAttribute{Optional: true},
			"skip_child_token":      schema.BoolAttribute{Optional: true, Description: "Use the token itself instead of a short-lived child."},
			"max_lease_ttl_seconds": schema.Int64Attribute{Optional: true, Description: "Life of the child token; 1200 when not set."},
			"max_retries":           schema.Int64Attribute{Optional: true},
		},
		Blocks: map[string]schema.Block{"auth_login_jwt": schema.ListNestedBlock{
			Validators: []validator.List{listvalidator.SizeAtMost(1)},
			NestedObject: schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
				"mount": schema.StringAttribute{Optional: true, Description: "jwt when not set."},
				"role":  schema.StringAttribute{Required: true},
				"jwt":   schema.StringAttribute{Optional: true, Sensitive: true, Description: "Else TERRAFORM_VAULT_AUTH_JWT."},
			}},
		}},
	}
}

func (vaultProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, err := model.client()
	if err == nil {
		err = model.authenticate(ctx, client)
	}
	if err != nil {
		resp.Diagnostics.AddError("Could not get ready to talk to Vault", err.Error())
		return
	}
	resp.ResourceData, resp.DataSourceData = client, client
}

func (m providerModel) client() (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	if address := m.Address.ValueString(); address != "" {
		config.Address = address
	} else if os.Getenv("VAULT_ADDR") == "" {
		return nil, fmt.Errorf("no address: set address in the provider block, or VAULT_ADDR")
	}
	if !m.MaxRetries.IsNull() {
		config.MaxRetries = int(m.MaxRetries.ValueInt64())
	}
	if m.CACertFile.ValueString() != "" || m.SkipTLSVerify.ValueBool() {
		err := config.ConfigureTLS(&api.TLSConfig{CACert: m.CACertFile.ValueString(), Insecure: m.SkipTLSVerify.ValueBool()})
		if err != nil {
			return nil, err
		}
	}
	return api.NewClient(config)
}

// authenticate gives the client the token that the run works with.
func (m providerModel) authenticate(ctx context.Context, client *api.Client) error {
	if token := m.Token.ValueString(); token != "" {
		client.SetToken(token)
	}
	for _, login := range m.LoginJWT {
		if err := login.login(ctx, client); err != nil {
			return err
		}
	}
	if client.Token() == "" {
		return fmt.Errorf("no token: set VAULT_TOKEN, or an auth_login_jwt block")
	}
	if m.SkipChildToken.ValueBool() {
		return nil
	}
	lifetime := int64(1200)
	if !m.MaxLeaseTTL.IsNull() {
		lifetime = m.MaxLeaseTTL.ValueInt64()
	}
	ttl := fmt.Sprintf("%ds", lifetime)
	renewable := false
	child, err := client.Auth().Token().CreateWithContext(ctx, &api.TokenCreateRequest{
		DisplayName: "terraform", TTL: ttl, ExplicitMaxTTL: ttl, Renewable: &renewable,
	})
	if err != nil {
		return fmt.Errorf("no child token (skip_child_token = true goes without): %w", err)
	}
	client.SetToken(child.Auth.ClientToken)
	return nil
}

func (l jwtLoginModel) login(ctx context.Context, client *api.Client) error {
	jwt := l.JWT.ValueString()
	if jwt == "" {
		jwt = os.Getenv("TERRAFORM_VAULT_AUTH_JWT")
	}
	if jwt == "" {
		return fmt.Errorf("no token to log in with: set TERRAFORM_VAULT_AUTH_JWT")
	}
	mount := l.Mount.ValueString()
	if mount == "" {
		mount = "jwt"
	}
	client.ClearToken()
	at := "auth/" + mount + "/login"
	secret, err := client.Logical().WriteWithContext(ctx, at, map[string]any{"role": l.Role.ValueString(), "jwt": jwt})
	if err != nil {
		return fmt.Errorf("login as role %s: %w", l.Role.ValueString(), err)
	}
	if secret == nil || secret.Auth == nil {
		return fmt.Errorf("login as role %s: %s gave no token", l.Role.ValueString(), at)
	}
	client.SetToken(secret.Auth.ClientToken)
	return nil
}

func (vaultProvider) Resources(context.Context) []func() resource.Resource {
	var resources []func() resource.Resource
	for _, one := range []definition{
		policy, databaseRole, databaseConnection, keyValue, keyValue2, mount,
		authBackend, kubernetesConfig, kubernetesRole, jwtBackend, jwtRole,
	} {
		resources = append(resources, func() resource.Resource { return &vaultResource{definition: one} })
	}
	return resources
}

func (vaultProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newKeyValue2Data, newPolicyDocument}
}
