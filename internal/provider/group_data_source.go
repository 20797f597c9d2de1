package provider

import (
	"context"
	"fmt"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var (
	_ datasource.DataSourceWithConfigure        = (*groupDataSource)(nil)
	_ datasource.DataSourceWithConfigValidators = (*groupDataSource)(nil)
)

func newGroupDataSource() datasource.DataSource {
	return &groupDataSource{dataSource{name: "group"}}
}

type groupDataSource struct{ dataSource }

// groupNoun is how a group is called in diagnostics. Terraform does not manage groups one by one.
var groupNoun = noun{fields: map[string]string{"connection_id": "connection_id"}}

// groupData is a group as a data source shows it.
type groupData struct {
	ID        types.String `tfsdk:"id"`
	Name      types.String `tfsdk:"name"`
	Caption   types.String `tfsdk:"caption"`
	Addresses []string     `tfsdk:"addresses"`
	Disabled  types.Bool   `tfsdk:"disabled"`
	BuiltIn   types.Bool   `tfsdk:"built_in"`
	DeletedOn types.String `tfsdk:"deleted_on"`
}

func groupDataOf(g idmap.Group) groupData {
	return groupData{
		ID: types.StringValue(g.ID), Name: optionalString(g.Name), Caption: optionalString(g.Caption),
		Addresses: append([]string{}, g.Addresses...),
		Disabled:  types.BoolValue(g.Disabled), BuiltIn: types.BoolValue(g.BuiltIn),
		DeletedOn: timeString(g.DeletedOn),
	}
}

// groupAttributes are those of groupData, all computed.
func groupAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":         schema.StringAttribute{Computed: true, MarkdownDescription: "Immutable id on the platform, such as an Entra object id."},
		"name":       schema.StringAttribute{Computed: true, MarkdownDescription: "Name."},
		"caption":    schema.StringAttribute{Computed: true, MarkdownDescription: "Display name."},
		"addresses":  schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: "Addresses."},
		"disabled":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the group is disabled."},
		"built_in":   schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the platform made the group itself."},
		"deleted_on": schema.StringAttribute{Computed: true, MarkdownDescription: "When the group left the directory, RFC 3339; null while it is there."},
	}
}

type groupLookup struct {
	ConnectionID types.String `tfsdk:"connection_id"`
	Address      types.String `tfsdk:"address"`
	groupData
}

func (d *groupDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := groupAttributes()
	attributes["connection_id"] = schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: "Id of the connection whose directory has the group."}
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Immutable id on the platform. Exactly one of `id`, `name` and `address` is needed."}
	attributes["name"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Name of the group, without regard to case."}
	attributes["address"] = schema.StringAttribute{Optional: true, Validators: named(), MarkdownDescription: "One of the group's addresses."}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One group of a connection's directory, by its id, its name, or one of its addresses.",
		Attributes:          attributes,
	}
}

func (d *groupDataSource) ConfigValidators(context.Context) []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"), path.MatchRoot("address"))}
}

func (d *groupDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, groupNoun, req, resp, func(c *client.Client, data *groupLookup) error {
		found, err := data.find(ctx, c)
		data.groupData = groupDataOf(found)
		return err
	})
}

func (l groupLookup) find(ctx context.Context, c *client.Client) (idmap.Group, error) {
	connection, id, live := l.ConnectionID.ValueString(), l.ID.ValueString(), false
	if !l.ID.IsNull() {
		found, err := c.Group(ctx, connection, id)
		return found, notFound(err, fmt.Sprintf("group with the id %q in connection %q", id, connection))
	}
	label := func(g idmap.Group) string { return g.Label() + " (" + g.ID + ")" }
	if address := l.Address.ValueString(); !l.Address.IsNull() {
		found := c.Groups(ctx, connection, client.DirectoryFilter{Address: address, Deleted: &live})
		return only(found, fmt.Sprintf("group with the address %q in connection %q", address, connection), label)
	}
	name := l.Name.ValueString()
	found := c.Groups(ctx, connection, client.DirectoryFilter{Query: name, Deleted: &live})
	return only(called(found, name), fmt.Sprintf("group called %q in connection %q", name, connection), label)
}

// called leaves of the groups that have a text somewhere those whose name it is.
func called(found iter.Seq2[idmap.Group, error], name string) iter.Seq2[idmap.Group, error] {
	return func(yield func(idmap.Group, error) bool) {
		for g, err := range found {
			if err == nil && idmap.NameKey(g.Name) != idmap.NameKey(name) {
				continue
			}
			if !yield(g, err) {
				return
			}
		}
	}
}
