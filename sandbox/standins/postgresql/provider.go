// Package postgresql is a stand-in for the provider cyrilgdn/postgresql. Attribute names, defaults and identifiers are
// those of its documentation for the resources below; what it does not know it refuses.
package postgresql

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type postgresqlProvider struct{}

// New makes the provider.
func New() provider.Provider { return postgresqlProvider{} }

type providerModel struct {
	Host           types.String `tfsdk:"host"`
	Port           types.Int64  `tfsdk:"port"`
	Database       types.String `tfsdk:"database"`
	Username       types.String `tfsdk:"username"`
	Password       types.String `tfsdk:"password"`
	SSLMode        types.String `tfsdk:"sslmode"`
	Superuser      types.Bool   `tfsdk:"superuser"`
	ConnectTimeout types.Int64  `tfsdk:"connect_timeout"`
}

func (postgresqlProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "postgresql"
}

func (postgresqlProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	text := schema.StringAttribute{Optional: true}
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"host":            schema.StringAttribute{Optional: true, Description: "Server; else PGHOST."},
		"port":            schema.Int64Attribute{Optional: true, Description: "Port; else PGPORT, else 5432."},
		"database":        schema.StringAttribute{Optional: true, Description: "Database to connect to first; else PGDATABASE, else postgres."},
		"username":        schema.StringAttribute{Optional: true, Description: "Role; else PGUSER, else postgres."},
		"password":        schema.StringAttribute{Optional: true, Sensitive: true, Description: "Password; else PGPASSWORD."},
		"sslmode":         text,
		"superuser":       schema.BoolAttribute{Optional: true, Description: "Whether the role is a superuser; else PGSUPERUSER, else true."},
		"connect_timeout": schema.Int64Attribute{Optional: true, Description: "Seconds; else PGCONNECT_TIMEOUT, else 180."},
	}}
}

func (postgresqlProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var model providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	settings := settings{
		Host:           textOr(model.Host, "PGHOST", ""),
		Port:           numberOr(model.Port, "PGPORT", 5432, &resp.Diagnostics),
		Database:       textOr(model.Database, "PGDATABASE", "postgres"),
		Username:       textOr(model.Username, "PGUSER", "postgres"),
		Password:       textOr(model.Password, "PGPASSWORD", ""),
		SSLMode:        textOr(model.SSLMode, "PGSSLMODE", "require"),
		Superuser:      flagOr(model.Superuser, "PGSUPERUSER", true, &resp.Diagnostics),
		ConnectTimeout: time.Duration(numberOr(model.ConnectTimeout, "PGCONNECT_TIMEOUT", 180, &resp.Diagnostics)) * time.Second,
	}
	if settings.Host == "" && !model.Host.IsUnknown() {
		resp.Diagnostics.AddAttributeError(path.Root("host"), "No host", "Set host in the provider block, or PGHOST.")
	}
	resp.ResourceData = newServer(settings)
}

func (postgresqlProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newRole, newGrantRole, newDatabase, newFunction, newGrant}
}

func (postgresqlProvider) DataSources(context.Context) []func() datasource.DataSource { return nil }

func textOr(value types.String, variable, fallback string) string {
	if !value.IsNull() && !value.IsUnknown() {
		return value.ValueString()
	}
	if set := os.Getenv(variable); set != "" {
		return set
	}
	return fallback
}

func numberOr(value types.Int64, variable string, fallback int64, diagnostics *diag.Diagnostics) int64 {
	if !value.IsNull() && !value.IsUnknown() {
		return value.ValueInt64()
	}
	set := os.Getenv(variable)
	if set == "" {
		return fallback
	}
	number, err := strconv.ParseInt(set, 10, 64)
	if err != nil {
		diagnostics.AddError("Not a number", variable+" is "+strconv.Quote(set)+".")
	}
	return number
}

func flagOr(value types.Bool, variable string, fallback bool, diagnostics *diag.Diagnostics) bool {
	if !value.IsNull() && !value.IsUnknown() {
		return value.ValueBool()
	}
	set := os.Getenv(variable)
	if set == "" {
		return fallback
	}
	flag, err := strconv.ParseBool(set)
	if err != nil {
		diagnostics.AddError("Neither true nor false", variable+" is "+strconv.Quote(set)+".")
	}
	return flag
}

// onServer is what every resource of this package begins with.
type onServer struct{ server *server }

func (r *onServer) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if server, ok := req.ProviderData.(*server); ok {
		r.server = server
	}
}

// failed adds Postgres' answer, SQLSTATE included, and says what was being done.
func failed(diagnostics *diag.Diagnostics, doing string, err error) {
	diagnostics.AddError("Could not "+doing, err.Error())
}
