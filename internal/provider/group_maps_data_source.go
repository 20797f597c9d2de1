package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ datasource.DataSourceWithConfigure = (*groupMapsDataSource)(nil)

func newGroupMapsDataSource() datasource.DataSource {
	return &groupMapsDataSource{dataSource{name: "group_maps"}}
}

type groupMapsDataSource struct{ dataSource }

type groupMapsData struct {
	mapFilterData
	GroupMaps []mapHead `tfsdk:"group_maps"`
}

func (d *groupMapsDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The group maps of the mapping backend, all or those that the filters select. What a map compares, its exceptions and its exclusions are shown by `idmap_group_map`.",
		Attributes:          mapListAttributes("group_maps", "The group maps."),
	}
}

func (d *groupMapsDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, mapDataNoun, req, resp, func(c *client.Client, data *groupMapsData) (err error) {
		data.GroupMaps, err = data.read(ctx, c, idmap.GroupMap)
		return err
	})
}
