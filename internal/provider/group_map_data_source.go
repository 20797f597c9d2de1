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
	_ datasource.DataSourceWithConfigure        = (*groupMapDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*groupMapDataSource)(nil)
)

func newGroupMapDataSource() datasource.DataSource {
	return &groupMapDataSource{dataSource{name: "group_map"}}
}

type groupMapDataSource struct{ dataSource }

// groupMapData is a group map as its data source shows it.
type groupMapData struct {
	mapData
	Match        *groupMatchData `tfsdk:"match"`
	DefaultGroup types.String    `tfsdk:"default_group"`
}

type groupMatchData struct {
	IDs      bool `tfsdk:"ids"`
	Names    bool `tfsdk:"names"`
	Captions bool `tfsdk:"captions"`
}

func groupMapDataOf(m idmap.Map) groupMapData {
	by := m.MapBy
	data := groupMapData{
		mapData: mapDataOf(m),
		Match:   &groupMatchData{IDs: by.ID || by.Default, Names: by.Name || by.Default, Captions: by.Caption || by.Default},
	}
	if of := m.Destination.Default; of != nil {
		data.DefaultGroup = optionalString(of.Text())
	}
	return data
}

func (d *groupMapDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One group map, by its id or its name.",
		Attributes: mapAttributes(idmap.GroupMap, map[string]schema.Attribute{
			"match":         matchAttribute(groupMaps.match),
			"default_group": schema.StringAttribute{Computed: true, MarkdownDescription: "Group of the destination that takes what nothing else maps."},
		}),
	}
}

func (d *groupMapDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return byIDOrName()
}

func (d *groupMapDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, mapDataNoun, req, resp, func(c *client.Client, data *groupMapData) error {
		found, err := findMap(ctx, c, idmap.GroupMap, data.mapHead)
		*data = groupMapDataOf(found)
		return err
	})
}
