package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/datasourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mapDataNoun is how a map is called in diagnostics of data sources, which are all about what is stored.
var mapDataNoun = noun{}

// mapHead is what a list shows of a map of either kind.
type mapHead struct {
	ID                      types.String `tfsdk:"id"`
	Name                    types.String `tfsdk:"name"`
	SourceConnectionID      types.String `tfsdk:"source_connection_id"`
	DestinationConnectionID types.String `tfsdk:"destination_connection_id"`
	UnmappedPolicy          types.String `tfsdk:"unmapped_policy"`
	Revision                types.Int64  `tfsdk:"revision"`
}

func mapHeadOf(m idmap.Map) mapHead {
	policy := m.UnmappedPolicy
	if m.MapBy.Passthrough { // the published API's other way of saying so, and it wins
		policy = idmap.UnmappedPassthrough
	}
	head := mapHead{
		ID: types.StringValue(m.ID), Name: types.StringValue(m.Name),
		SourceConnectionID:      types.StringValue(m.Source.Connection.ID),
		DestinationConnectionID: types.StringValue(m.Destination.Connection.ID),
		UnmappedPolicy:          optionalString(string(policy)),
	}
	if m.Revision > 0 { // a DryvIQ platform counts none
		head.Revision = types.Int64Value(m.Revision)
	}
	return head
}

// mapHeadAttributes are those of mapHead, all computed.
func mapHeadAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":                        schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id of the map."},
		"name":                      schema.StringAttribute{Computed: true, MarkdownDescription: "Name of the map."},
		"source_connection_id":      schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the connection that is mapped."},
		"destination_connection_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Id of the connection that it is mapped to."},
		"unmapped_policy": schema.StringAttribute{
			Computed:            true,
			MarkdownDescription: "What becomes of those that nothing maps and that have no default: `skip` leaves them out, `fail` fails the transfer of what they own, `passthrough` hands them over as they are.",
		},
		"revision": schema.Int64Attribute{Computed: true, MarkdownDescription: "Grows with every change of the map, its exceptions and its exclusions. Null where the server counts none."},
	}
}

// mapData is what a map of either kind is, as its data source shows it.
type mapData struct {
	mapHead
	Exceptions            map[string]string `tfsdk:"exceptions"`
	SourceExclusions      []string          `tfsdk:"source_exclusions"`
	DestinationExclusions []string          `tfsdk:"destination_exclusions"`
}

func mapDataOf(m idmap.Map) mapData {
	data := mapData{
		mapHead: mapHeadOf(m), Exceptions: map[string]string{}, SourceExclusions: []string{}, DestinationExclusions: []string{},
	}
	items := map[idmap.ItemRole][]idmap.MapItem{}
	for _, i := range m.Items() {
		items[i.Role] = append(items[i.Role], i)
	}
	exceptions := items[idmap.RoleException]
	for i, text := range subjectTexts(exceptions) {
		data.Exceptions[text] = exceptions[i].Target.Text()
	}
	data.SourceExclusions = append(data.SourceExclusions, subjectTexts(items[idmap.RoleSourceExclusion])...)
	data.DestinationExclusions = append(data.DestinationExclusions, subjectTexts(items[idmap.RoleDestinationExclusion])...)
	slices.Sort(data.SourceExclusions)
	slices.Sort(data.DestinationExclusions)
	return data
}

// subjectTexts returns what the subjects of items of one role are called. Those that would share a spelling are called by
// their ids: as keys, one would hide the other.
func subjectTexts(items []idmap.MapItem) []string {
	uses := map[string]int{}
	for _, i := range items {
		text := i.Subject.Text()
		uses[text]++
		if id := i.Subject.ID; id != text {
			uses[id]++
		}
	}
	texts := make([]string, len(items))
	for n, i := range items {
		texts[n] = i.Subject.Text()
		if uses[texts[n]] > 1 && i.Subject.ID != "" {
			texts[n] = i.Subject.ID
		}
	}
	return texts
}

// mapAttributes are those of mapData, with those that only one kind of map has. One of id and name is asked for.
func mapAttributes(kind idmap.MapKind, own map[string]schema.Attribute) map[string]schema.Attribute {
	entry := kind.Entry()
	attributes := mapHeadAttributes()
	attributes["id"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Opaque id of the map. Exactly one of `id` and `name` is needed."}
	attributes["name"] = schema.StringAttribute{Optional: true, Computed: true, Validators: named(), MarkdownDescription: "Name of the map, without regard to case."}
	attributes["exceptions"] = schema.MapAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: fmt.Sprintf("Explicit pairs, which win over all rules: source %s to destination %s, each as it was called when the pair was made.", entry, entry),
	}
	attributes["source_exclusions"] = schema.ListAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: fmt.Sprintf("The %ss of the source that are not mapped, sorted.", entry),
	}
	attributes["destination_exclusions"] = schema.ListAttribute{
		Computed: true, ElementType: types.StringType,
		MarkdownDescription: fmt.Sprintf("The %ss of the destination that are nobody's match, sorted.", entry),
	}
	maps.Copy(attributes, own)
	return attributes
}

// byIDOrName is how both kinds of maps are found.
func byIDOrName() []datasource.ConfigValidator {
	return []datasource.ConfigValidator{datasourcevalidator.ExactlyOneOf(path.MatchRoot("id"), path.MatchRoot("name"))}
}

// findMap returns the map that a configuration asks for, with its items.
func findMap(ctx context.Context, c *client.Client, kind idmap.MapKind, asked mapHead) (idmap.Map, error) {
	id, what := asked.ID.ValueString(), fmt.Sprintf("%s map with the id %q", kind.Entry(), asked.ID.ValueString())
	if asked.ID.IsNull() {
		name := asked.Name.ValueString()
		what = fmt.Sprintf("%s map called %q", kind.Entry(), name)
		head, err := only(c.Maps(ctx, kind, client.MapFilter{Name: name}), what, func(m idmap.Map) string { return m.ID })
		if err != nil {
			return idmap.Map{}, err
		}
		id = head.ID
	}
	found, err := c.Map(ctx, kind, id)
	return found, notFound(err, what)
}

// matchAttribute is a nested attribute that says of each option whether the map compares by it.
func matchAttribute(options []matchOption) schema.SingleNestedAttribute {
	attributes := map[string]schema.Attribute{}
	for _, option := range options {
		attributes[option.name] = schema.BoolAttribute{Computed: true, MarkdownDescription: option.description}
	}
	return schema.SingleNestedAttribute{Computed: true, Attributes: attributes, MarkdownDescription: "What the rules compare."}
}

// optionalFloat returns null for zero, which on the wire stands for an absent value.
func optionalFloat(f float64) types.Float64 {
	if f == 0 {
		return types.Float64Null()
	}
	return types.Float64Value(f)
}
