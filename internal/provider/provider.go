// Package provider is the Terraform side of the product: schemas, models, the life cycle of resources, and diagnostics.
//
// It decides nothing about mappings. What one object alone can tell is checked by package rules, all else by the
// mapping backend: at plan through its validate call, at apply by the write itself, in the same words.
package provider

import (
	"context"
	"net/http"
	"os"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	tfaction "github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

var (
	_ provider.Provider                  = (*idmapProvider)(nil)
	_ provider.ProviderWithFunctions     = (*idmapProvider)(nil)
	_ provider.ProviderWithListResources = (*idmapProvider)(nil)
	_ provider.ProviderWithActions       = (*idmapProvider)(nil)
)

// EmbeddedOpener opens the backend that is built into the program, on a SQLite file, and returns a transport to it. The
// same path gives the same backend, for as long as the process lives.
type EmbeddedOpener func(ctx context.Context, path string) (http.RoundTripper, error)

// New returns the constructor of the provider that the plugin server wants. The opener serves embedded_database.
func New(version string, open EmbeddedOpener) func() provider.Provider {
	return func() provider.Provider { return &idmapProvider{version: version, open: open} }
}

type idmapProvider struct {
	version string
	open    EmbeddedOpener
}

func (p *idmapProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "idmap"
	resp.Version = p.version
}

func (p *idmapProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Maps the identities of one system to those of another: the mailbox of a person to the person's user in an application. " +
			"The mappings live in a mapping backend, either a server or, with `embedded_database`, a file that this provider serves itself.",
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				MarkdownDescription: "URL of the mapping backend, such as `https://idmap.example.com`. Environment variable: `IDMAP_ENDPOINT`. " +
					"Exactly one of `endpoint` and `embedded_database` is needed; the one that stands in the configuration wins over the other one's environment variable.",
				Optional: true,
			},
			"token": schema.StringAttribute{
				MarkdownDescription: "API token for the server at `endpoint`. Environment variable: `IDMAP_TOKEN`, which keeps it out of the configuration.",
				Optional:            true,
				Sensitive:           true,
			},
			"username": schema.StringAttribute{
				MarkdownDescription: "Name of a user, with `password`, to sign in to the server at `endpoint` where that is a DryvIQ platform, in place of a `token`. Environment variable: `IDMAP_USERNAME`.",
				Optional:            true,
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "Password of the user. Environment variable: `IDMAP_PASSWORD`, which keeps it out of the configuration.",
				Optional:            true,
				Sensitive:           true,
			},
			"embedded_database": schema.StringAttribute{
				MarkdownDescription: "Path of a SQLite file. The provider then runs the mapping backend itself, on that file, and needs no server. The file is made when it is missing, its folder is not. " +
					"Environment variable: `IDMAP_EMBEDDED_DATABASE`.",
				Optional: true,
			},
			"ca_cert_file": schema.StringAttribute{
				MarkdownDescription: "Path of a PEM file with the certificate authorities to trust beside the system's. Environment variable: `IDMAP_CA_CERT_FILE`.",
				Optional:            true,
			},
			"max_retries": schema.Int64Attribute{
				MarkdownDescription: "How often a request is repeated when the server is busy or cannot be reached. Default: `4`. Environment variable: `IDMAP_MAX_RETRIES`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(0, maxRetriesLimit)},
			},
			"request_timeout": schema.StringAttribute{
				MarkdownDescription: "How long one attempt of a request may take, such as `30s` (the default) or `2m`. Uploads of `accounts_file` and `groups_file` have ten minutes instead. Environment variable: `IDMAP_REQUEST_TIMEOUT`.",
				Optional:            true,
			},
			"max_concurrent_requests": schema.Int64Attribute{
				MarkdownDescription: "How many requests are under way at once, whatever Terraform's `-parallelism` is. Default: `10`. Environment variable: `IDMAP_MAX_CONCURRENT_REQUESTS`.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, maxConcurrencyLimit)},
			},
			"plan_checks": schema.BoolAttribute{
				MarkdownDescription: "Whether a plan asks the backend if what it plans would be accepted. Default: `true`. With `false` a refusal is found only at apply. Environment variable: `IDMAP_PLAN_CHECKS`.",
				Optional:            true,
			},
		},
	}
}

// Configure begins a walk of Terraform. It reads the settings and does no network I/O, so a plan that asks the server
// nothing needs no server.
func (p *idmapProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config configModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	begin := func(c *client.Client, planChecks bool) {
		w := newWalk(c, planChecks)
		resp.ResourceData, resp.DataSourceData, resp.ListResourceData, resp.ActionData = w, w, w, w
	}
	if unknown := config.unknown(); unknown != "" {
		resp.Diagnostics.AddAttributeWarning(path.Root(unknown), "Provider Not Configured Yet",
			"The value of "+unknown+" is known only after apply, so this plan asks the mapping backend nothing: objects are not refreshed and the rules are checked at apply.")
		begin(nil, false)
		return
	}
	settings := config.settings(os.Getenv, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if c := p.connect(ctx, settings, resp); c != nil {
		begin(c, settings.planChecks)
	}
}

func (p *idmapProvider) connect(ctx context.Context, s settings, resp *provider.ConfigureResponse) *client.Client {
	config := s.client
	config.UserAgent = "terraform-provider-idmap/" + p.version
	if s.embeddedDatabase != "" {
		transport, err := p.open(ctx, s.embeddedDatabase)
		if err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("embedded_database"), "Embedded Database Unusable",
				"The file of embedded_database cannot be used: "+err.Error()) // not the value: it may be a URL with a password
			return nil
		}
		config.Transport = transport
	}
	c, err := client.New(config)
	if err != nil {
		resp.Diagnostics.AddError("Invalid Provider Configuration", "With this configuration no mapping backend can be called: "+err.Error()+".")
		return nil
	}
	return c
}

func (p *idmapProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newConnectionResource, newUserMappingResource, newUserMappingsResource, newAccountMapResource, newGroupMapResource}
}

func (p *idmapProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		newConnectionDataSource, newConnectionsDataSource,
		newAccountDataSource, newAccountsDataSource,
		newGroupDataSource, newGroupsDataSource,
		newUserMappingDataSource, newUserMappingsDataSource,
		newEmailAssignmentDataSource,
		newSignInsDataSource, newSessionsDataSource, newSignInDiagnosisDataSource,
		newAccountMapDataSource, newAccountMapsDataSource, newAccountMapReportDataSource,
		newGroupMapDataSource, newGroupMapsDataSource, newGroupMapReportDataSource,
	}
}

func (p *idmapProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newCanonicalEmailFunction, newExceptionsFromCSVFunction, newExceptionsToCSVFunction}
}

func (p *idmapProvider) ListResources(context.Context) []func() list.ListResource {
	return []func() list.ListResource{newUserMappingListResource, newAccountMapListResource, newGroupMapListResource}
}

func (p *idmapProvider) Actions(context.Context) []func() tfaction.Action {
	return []func() tfaction.Action{newReleaseEmailAction, newRevokeSessionsAction}
}
