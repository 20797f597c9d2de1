package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var (
	_ datasource.DataSourceWithConfigure        = (*accountMapDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*accountMapDataSource)(nil)
)

func newAccountMapDataSource() datasource.DataSource {
	return &accountMapDataSource{dataSource{name: "account_map"}}
}

type accountMapDataSource struct{ dataSource }

// accountMapData is an account map as its data source shows it.
type accountMapData struct {
	mapData
	Match          *accountMatchData  `tfsdk:"match"`
	Fuzzy          *fuzzyData         `tfsdk:"fuzzy"`
	ExternalUsers  *externalUsersData `tfsdk:"external_users"`
	DefaultAccount types.String       `tfsdk:"default_account"`
}

type accountMatchData struct {
	IDs       bool `tfsdk:"ids"`
	Names     bool `tfsdk:"names"`
	Usernames bool `tfsdk:"usernames"`
	Emails    bool `tfsdk:"emails"`
}

type fuzzyData struct {
	Threshold types.Float64 `tfsdk:"threshold"`
}

type externalUsersData struct {
	Retain       bool `tfsdk:"retain"`
	ResolveFirst bool `tfsdk:"resolve_first"`
}

func accountMapDataOf(m idmap.Map) accountMapData {
	by := m.MapBy
	data := accountMapData{
		mapData: mapDataOf(m),
		Match: &accountMatchData{
			IDs: by.ID || by.Default, Names: by.Name || by.Default, Usernames: by.Username || by.Default, Emails: by.Email || by.Default,
		},
	}
	if by.Fuzzy {
		data.Fuzzy = &fuzzyData{Threshold: types.Float64PointerValue(by.FuzzyThreshold)}
	}
	if by.ExternalPassthrough {
		data.ExternalUsers = &externalUsersData{Retain: true, ResolveFirst: by.ExternalResolve == idmap.ExternalResolveFirst}
	}
	if of := m.Destination.Default; of != nil {
		data.DefaultAccount = optionalString(of.Text())
	}
	return data
}

func (d *accountMapDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One account map, by its id or its name.",
		Attributes: mapAttributes(idmap.AccountMap, map[string]schema.Attribute{
			"match": matchAttribute(accountMaps.match),
			"fuzzy": schema.SingleNestedAttribute{
				Computed: true, MarkdownDescription: "Partial matches, after all exact ones; null if there are none.",
				Attributes: map[string]schema.Attribute{
					"threshold": schema.Float64Attribute{Computed: true, MarkdownDescription: "Least score of a partial match, up to 1. Null where the server does not say."},
				},
			},
			"external_users": schema.SingleNestedAttribute{
				Computed: true, MarkdownDescription: "What becomes of guests; null if they are treated like everybody.",
				Attributes: map[string]schema.Attribute{
					"retain":        schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether guests keep their permissions and authorship."},
					"resolve_first": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the rules look for guests before these are kept as they are."},
				},
			},
			"default_account": schema.StringAttribute{Computed: true, MarkdownDescription: "Account of the destination that takes what nothing else maps."},
		}),
	}
}

func (d *accountMapDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return byIDOrName()
}

func (d *accountMapDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, mapDataNoun, req, resp, func(c *client.Client, data *accountMapData) error {
		found, err := findMap(ctx, c, idmap.AccountMap, data.mapHead)
		*data = accountMapDataOf(found)
		return err
	})
}
