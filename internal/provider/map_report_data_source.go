package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ datasource.DataSourceWithConfigure = (*mapReportDataSource[accountRow])(nil)

func newAccountMapReportDataSource() datasource.DataSource {
	return &mapReportDataSource[accountRow]{
		dataSource: dataSource{name: "account_map_report"}, kind: idmap.AccountMap, rowOf: accountRowOf,
		names: map[string]string{"name": "Display name", "username": "Username", "email": "Primary address"},
	}
}

func newGroupMapReportDataSource() datasource.DataSource {
	return &mapReportDataSource[groupRow]{
		dataSource: dataSource{name: "group_map_report"}, kind: idmap.GroupMap, rowOf: groupRowOf,
		names: map[string]string{"name": "Name", "caption": "Display name"},
	}
}

// mapReportDataSource is the report of a map of one kind. Row is a row of it.
type mapReportDataSource[Row any] struct {
	dataSource
	kind  idmap.MapKind
	rowOf func(idmap.Resolution) Row
	names map[string]string // what a row calls the two sides by, beside their ids
}

type mapReportData[Row any] struct {
	MapID types.String `tfsdk:"map_id"`
	mapTotalsData
	IncludeRows types.Bool   `tfsdk:"include_rows"`
	Resolutions []string     `tfsdk:"resolutions"`
	Reason      types.String `tfsdk:"reason"`
	Query       types.String `tfsdk:"query"`
	Rows        []Row        `tfsdk:"rows"`
}

// mapTotalsData are the totals of a report, as assertions want them: nothing is left out because it is zero.
type mapTotalsData struct {
	Sources      types.Int64      `tfsdk:"sources"`
	ByResolution map[string]int64 `tfsdk:"by_resolution"`
	ByReason     map[string]int64 `tfsdk:"by_reason"`
	Resolved     types.Int64      `tfsdk:"resolved"`
	Unresolved   types.Int64      `tfsdk:"unresolved"`
	Ambiguous    types.Int64      `tfsdk:"ambiguous"`
	Stubs        types.Int64      `tfsdk:"stubs"`
	Disabled     types.Int64      `tfsdk:"disabled"`
	Coverage     types.Float64    `tfsdk:"coverage"`
}

func mapTotalsDataOf(t idmap.MapTotals) mapTotalsData {
	count := func(n int) types.Int64 { return types.Int64Value(int64(n)) }
	resolved, coverage := t.Sources-t.ByResolution[idmap.Unresolved], 1.0
	if t.Sources > 0 {
		coverage = float64(resolved) / float64(t.Sources)
	}
	return mapTotalsData{
		Sources:      count(t.Sources),
		ByResolution: counts(t.ByResolution, idmap.AllResolved()),
		ByReason:     counts(t.ByReason, idmap.Reasons()),
		Resolved:     count(resolved), Unresolved: count(t.Sources - resolved),
		Ambiguous: count(t.ByReason[idmap.ReasonAmbiguous]),
		Stubs:     count(t.Stubs), Disabled: count(t.Disabled),
		Coverage: types.Float64Value(coverage),
	}
}

// counts returns the counts under all their names, and what a later server counts besides.
func counts[K ~string](found map[K]int, all []K) map[string]int64 {
	filled := map[string]int64{}
	for _, name := range all {
		filled[string(name)] = 0
	}
	for name, n := range found {
		filled[string(name)] = int64(n)
	}
	return filled
}

// reportRow is a row of a report of either kind.
type reportRow struct {
	SourceID        types.String  `tfsdk:"source_id"`
	SourceName      types.String  `tfsdk:"source_name"`
	DestinationID   types.String  `tfsdk:"destination_id"`
	DestinationName types.String  `tfsdk:"destination_name"`
	Resolution      types.String  `tfsdk:"resolution"`
	Reason          types.String  `tfsdk:"reason"`
	Score           types.Float64 `tfsdk:"score"`
	Message         types.String  `tfsdk:"message"`
	Stub            types.Bool    `tfsdk:"stub"`
	Disabled        types.Bool    `tfsdk:"disabled"`
}

func reportRowOf(r idmap.Resolution) reportRow {
	to := destinationOf(r)
	return reportRow{
		SourceID: types.StringValue(r.ID), SourceName: optionalString(r.Source.Name),
		DestinationID: optionalString(to.ID), DestinationName: optionalString(to.Name),
		Resolution: types.StringValue(string(r.Resolution)), Reason: optionalString(string(r.Reason)),
		Score: optionalFloat(r.Score), Message: types.StringValue(r.Message),
		Stub: types.BoolValue(r.Stub), Disabled: types.BoolValue(r.Disabled),
	}
}

// destinationOf returns the destination, which is nobody where there is none.
func destinationOf(r idmap.Resolution) idmap.Principal {
	if r.Destination == nil {
		return idmap.Principal{}
	}
	return *r.Destination
}

type accountRow struct {
	reportRow
	SourceUsername      types.String `tfsdk:"source_username"`
	SourceEmail         types.String `tfsdk:"source_email"`
	DestinationUsername types.String `tfsdk:"destination_username"`
	DestinationEmail    types.String `tfsdk:"destination_email"`
}

func accountRowOf(r idmap.Resolution) accountRow {
	to := destinationOf(r)
	return accountRow{
		reportRow:      reportRowOf(r),
		SourceUsername: optionalString(r.Source.Username), SourceEmail: optionalString(r.Source.Email),
		DestinationUsername: optionalString(to.Username), DestinationEmail: optionalString(to.Email),
	}
}

type groupRow struct {
	reportRow
	SourceCaption      types.String `tfsdk:"source_caption"`
	DestinationCaption types.String `tfsdk:"destination_caption"`
}

func groupRowOf(r idmap.Resolution) groupRow {
	return groupRow{
		reportRow:     reportRowOf(r),
		SourceCaption: optionalString(r.Source.Caption), DestinationCaption: optionalString(destinationOf(r).Caption),
	}
}

func (d *mapReportDataSource[Row]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	entries := d.kind.Entry() + "s"
	withRows := path.MatchRoot("include_rows")
	resp.Schema = schema.Schema{
		MarkdownDescription: fmt.Sprintf("What a stored %s map makes of the %s that are in its source connection now: totals, made for `check` blocks, and the rows behind them on demand. "+
			"Terraform reads it in the plan where `map_id` is known. Where this configuration makes the map or its connections, give `depends_on` with the map and both connections: "+
			"without them, a plan that changes a directory shows the old report, and so do its checks.", d.kind.Entry(), entries),
		Attributes: map[string]schema.Attribute{
			"map_id":  schema.StringAttribute{Required: true, Validators: named(), MarkdownDescription: fmt.Sprintf("Id of the %s map.", d.kind.Entry())},
			"sources": schema.Int64Attribute{Computed: true, MarkdownDescription: fmt.Sprintf("How many %s the source connection has.", entries)},
			"by_resolution": schema.MapAttribute{
				Computed: true, ElementType: types.Int64Type,
				MarkdownDescription: "How many were decided by what. The counts add up to `sources`. All of these are there, if need be with zero: " + choices(idmap.AllResolved()) + ".",
			},
			"by_reason": schema.MapAttribute{
				Computed: true, ElementType: types.Int64Type,
				MarkdownDescription: "Why no rule matched, of those that none did, whatever became of them then. All of these are there, if need be with zero: " + choices(idmap.Reasons()) + ".",
			},
			"resolved":   schema.Int64Attribute{Computed: true, MarkdownDescription: "How many are not unresolved. Those that the map excludes count: that is decided, too."},
			"unresolved": schema.Int64Attribute{Computed: true, MarkdownDescription: "How many nothing maps, not even a default."},
			"ambiguous":  schema.Int64Attribute{Computed: true, MarkdownDescription: "For how many the rules found several candidates, and so took none."},
			"stubs":      schema.Int64Attribute{Computed: true, MarkdownDescription: "How many are mapped to a stub, which owns records and never signs in."},
			"disabled":   schema.Int64Attribute{Computed: true, MarkdownDescription: fmt.Sprintf("How many are mapped to one of the %s that are disabled.", entries)},
			"coverage":   schema.Float64Attribute{Computed: true, MarkdownDescription: "Share of `resolved` in `sources`, from 0 to 1; 1 where there are no sources."},
			"include_rows": schema.BoolAttribute{
				Optional: true, MarkdownDescription: fmt.Sprintf("Whether `rows` are read. Default: `false`: they are kept in Terraform's state, and there is one for each of the %s.", entries),
			},
			"resolutions": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Only rows that one of these decided; see `by_resolution`. The totals are not filtered.",
				Validators: []validator.List{listvalidator.AlsoRequires(withRows), listvalidator.NoNullValues(), listvalidator.ValueStringsAre(oneOf(idmap.AllResolved()))},
			},
			"reason": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only rows with this reason; see `by_reason`. The totals are not filtered.",
				Validators: []validator.String{stringvalidator.AlsoRequires(withRows), oneOf(idmap.Reasons())},
			},
			"query": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only rows with this text in a name of the source or the destination, without regard to case. The totals are not filtered.",
				Validators: []validator.String{stringvalidator.AlsoRequires(withRows)},
			},
			"rows": schema.ListNestedAttribute{
				Computed: true, MarkdownDescription: fmt.Sprintf("The %s one by one, in the order of their ids; null without `include_rows`.", entries),
				NestedObject: schema.NestedAttributeObject{Attributes: d.rowAttributes()},
			},
		},
	}
}

func (d *mapReportDataSource[Row]) rowAttributes() map[string]schema.Attribute {
	entry := d.kind.Entry()
	attributes := map[string]schema.Attribute{
		"source_id":      schema.StringAttribute{Computed: true, MarkdownDescription: fmt.Sprintf("Id of the source %s.", entry)},
		"destination_id": schema.StringAttribute{Computed: true, MarkdownDescription: fmt.Sprintf("Id of the destination %s; null where there is none.", entry)},
		"resolution":     schema.StringAttribute{Computed: true, MarkdownDescription: "What decided."},
		"reason":         schema.StringAttribute{Computed: true, MarkdownDescription: "Why no rule matched; null where one did."},
		"score":          schema.Float64Attribute{Computed: true, MarkdownDescription: "How alike the names are, up to 1, of a partial match; else null."},
		"message":        schema.StringAttribute{Computed: true, MarkdownDescription: "The same in a sentence."},
		"stub":           schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the destination is a stub."},
		"disabled":       schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the destination is disabled."},
	}
	for name, means := range d.names {
		attributes["source_"+name] = schema.StringAttribute{Computed: true, MarkdownDescription: fmt.Sprintf("%s of the source %s.", means, entry)}
		attributes["destination_"+name] = schema.StringAttribute{Computed: true, MarkdownDescription: fmt.Sprintf("%s of the destination %s.", means, entry)}
	}
	return attributes
}

func (d *mapReportDataSource[Row]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	read(ctx, &d.dataSource, mapDataNoun, req, resp, func(c *client.Client, data *mapReportData[Row]) error {
		id := data.MapID.ValueString()
		totals, err := c.MapTotals(ctx, d.kind, id)
		data.mapTotalsData = mapTotalsDataOf(totals)
		if err == nil && data.IncludeRows.ValueBool() {
			data.Rows, err = each(c.MapReport(ctx, d.kind, id, data.filter()), d.rowOf)
		}
		return d.noReport(notFound(err, fmt.Sprintf("%s map with the id %q", d.kind.Entry(), id)))
	})
}

func (m mapReportData[Row]) filter() idmap.ResolutionFilter {
	filter := idmap.ResolutionFilter{Reason: idmap.Reason(m.Reason.ValueString()), Query: m.Query.ValueString()}
	for _, resolved := range m.Resolutions {
		filter.Resolved = append(filter.Resolved, idmap.Resolved(resolved))
	}
	return filter
}

// noReport says of a server that has no reports that it has none.
func (d *mapReportDataSource[Row]) noReport(err error) error {
	if !errors.Is(err, client.ErrNotSupported) {
		return err
	}
	return &findError{
		"Server Has No Reports",
		fmt.Sprintf("The server is a DryvIQ platform, which does not tell beforehand what %s makes of the %ss of its source. "+
			"A server of this product is required. Remove the data source, or look at the platform's own report of a job that uses the map.", d.kind.WithArticle(), d.kind.Entry()),
	}
}

// oneOf holds a text to one of the values.
func oneOf[K ~string](values []K) validator.String {
	return stringvalidator.OneOf(texts(values)...)
}

// choices lists values for a description.
func choices[K ~string](values []K) string {
	return "`" + strings.Join(texts(values), "`, `") + "`"
}

func texts[K ~string](values []K) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = string(value)
	}
	return all
}
