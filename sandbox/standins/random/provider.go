// Package random is a stand-in for the provider hashicorp/random: passwords that live in the state only.
package random

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

type randomProvider struct{}

// New makes the provider.
func New() provider.Provider { return randomProvider{} }

func (randomProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "random"
}

func (randomProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{}
}

func (randomProvider) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}

func (randomProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newPassword}
}

func (randomProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }
