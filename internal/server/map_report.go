package server

import (
	"context"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ResolutionInput selects rows of a report.
type ResolutionInput struct {
	Resolution []string `query:"resolution,explode" maxItems:"100" doc:"What decided, such as Exception or Unresolved: repeated, or separated by commas. Rows of others are resolved and left out: of what is rare, a page can take as long as the whole report."`
	Reason     string   `query:"reason" enum:"no_candidate,ambiguous,below_threshold,destination_excluded,destination_deleted" doc:"Why no rule matched. Of what is rare a page can take long, as for resolution."`
}

// filter reads the resolutions, without regard to case.
func (in *ResolutionInput) filter(query string) (idmap.ResolutionFilter, error) {
	f := idmap.ResolutionFilter{Reason: idmap.Reason(in.Reason), Query: folded(query)}
	for word := range strings.SplitSeq(strings.Join(in.Resolution, ","), ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		known := idmap.AllResolved()
		at := slices.IndexFunc(known, func(r idmap.Resolved) bool { return strings.EqualFold(string(r), word) })
		if at < 0 {
			return f, idmap.Refusef(idmap.CodeMalformed, "query.resolution", "There is no such resolution. Name some of %s.", joined(known))
		}
		f.Resolved = append(f.Resolved, known[at])
	}
	return f, nil
}

func joined[S ~string](words []S) string {
	return strings.Join(each(words, func(word S) string { return string(word) }), ", ")
}

// ReportInput asks for a page of a report, or for all of it as a file.
type ReportInput struct {
	ListInput
	ResolutionInput
	Format string `query:"format" enum:"json,csv" doc:"csv: the whole report as a file, as with Accept: text/csv."`
	Accept string `header:"Accept"`
}

// csv reports whether a file is wanted: the parameter, else the first type that is accepted.
func (in *ReportInput) csv() bool {
	first, _, _ := strings.Cut(in.Accept, ",")
	accepted, _, err := mime.ParseMediaType(first)
	return in.Format == "csv" || in.Format == "" && err == nil && accepted == directory.CSV.ContentType()
}

type reportInput struct {
	IDInput
	ReportInput
}

type previewInput[N noun] struct {
	ReportInput
	Body struct {
		Type        typeOf[N]                 `json:"type,omitempty"`
		ID          string                    `json:"id,omitempty" maxLength:"255" doc:"The stored map of which this would be the update."`
		Map         *idmap.Map                `json:"map" doc:"The map as proposed."`
		Directories []idmap.ProposedDirectory `json:"directories,omitempty" nullable:"false" maxItems:"100" doc:"Connections and directories as they are going to be."`
	}
}

type reportBody struct {
	Type      string `json:"type" enum:"map_report"`
	MapReport struct {
		Totals      *idmap.MapTotals   `json:"totals,omitempty" doc:"Of the whole map, whatever the filter. On the first page only."`
		Resolutions []idmap.Resolution `json:"resolutions" nullable:"false"`
	} `json:"map_report"`
	Meta meta `json:"meta"`
}

// streamOutput writes its answer itself.
type streamOutput struct{ Body func(huma.Context) }

type validateMapsInput struct {
	Body struct {
		Items       []idmap.MapIntent         `json:"items" nullable:"false" maxItems:"20"`
		Directories []idmap.ProposedDirectory `json:"directories,omitempty" nullable:"false" maxItems:"100" doc:"Connections and directories as they are going to be."`
	}
}

type resolveInput struct {
	IDInput
	Body struct {
		Sources []idmap.Principal `json:"sources" nullable:"false" maxItems:"1000"`
	}
}

func (m *maps[N]) reports(collection, one string) {
	huma.Register(m.api, large(operation(http.MethodPost, collection+"/validate", idmap.ScopeRead, "Judge writes of "+m.kind.Label()+"s without making them")), m.validate)
	huma.Register(m.api, m.reportOperation(large(operation(http.MethodPost, collection+"/preview", idmap.ScopeRead,
		"What a proposed "+m.kind.Label()+" would do: a report; send the body again for each page"))), m.preview)
	huma.Register(m.api, m.reportOperation(operation(http.MethodGet, one+"/report", idmap.ScopeRead,
		"What "+m.kind.WithArticle()+" makes of every source "+m.kind.Entry())), m.report)
	huma.Register(m.api, operation(http.MethodPost, one+"/resolve", idmap.ScopeRead,
		"What "+m.kind.WithArticle()+" makes of some source "+m.kind.Entry()+"s"), m.resolve)
}

// reportOperation tells the document of both forms of the answer.
func (m *maps[N]) reportOperation(op huma.Operation) huma.Operation {
	schema := m.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[reportBody](), true, "")
	answer := jsonResponse("A page of the report, or the whole of it as a file.", schema)
	answer.Content[directory.CSV.ContentType()] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	op.Responses = map[string]*huma.Response{"200": answer}
	return op
}

func (m *maps[N]) validate(ctx context.Context, in *validateMapsInput) (*severalOutput[verdictNoun[N], idmap.MapVerdict], error) {
	verdicts, err := m.backend.ValidateMaps(ctx, callOf(ctx, ""), m.kind, in.Body.Items, in.Body.Directories)
	return answer(ctx, m.server, inOrder[verdictNoun[N]](verdicts), err)
}

func (m *maps[N]) resolve(ctx context.Context, in *resolveInput) (*severalOutput[resolutionNoun, idmap.Resolution], error) {
	resolutions, err := m.backend.ResolveMap(ctx, m.kind, in.ID, in.Body.Sources)
	return answer(ctx, m.server, inOrder[resolutionNoun](resolutions), listedAs("sources").refusal(err))
}

func (m *maps[N]) report(ctx context.Context, in *reportInput) (*streamOutput, error) {
	return m.results(ctx, &in.ReportInput, backend.MapSubject{Kind: m.kind, ID: in.ID})
}

func (m *maps[N]) preview(ctx context.Context, in *previewInput[N]) (*streamOutput, error) {
	return m.results(ctx, &in.ReportInput, backend.MapSubject{
		Kind: m.kind, ID: in.Body.ID, Proposed: in.Body.Map, Directories: in.Body.Directories,
	})
}

// results answers what a map does, in the form that is asked for.
func (m *maps[N]) results(ctx context.Context, in *ReportInput, subject backend.MapSubject) (*streamOutput, error) {
	f, err := in.filter(in.Q)
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	if in.csv() {
		return &streamOutput{Body: m.export(subject, f)}, nil
	}
	var totals *idmap.MapTotals
	rows, described, err := readPage(&in.PageInput, func(r idmap.Resolution) string { return r.ID }, func(page idmap.Page) (backend.List[idmap.Resolution], error) {
		report, err := m.backend.ReportMap(ctx, subject, f, page)
		if report.Totals != nil {
			totals = report.Totals
		}
		return report.Rows, err
	})
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	body := reportBody{Type: "map_report", Meta: described}
	body.MapReport.Totals, body.MapReport.Resolutions = totals, rows
	return &streamOutput{Body: func(ctx huma.Context) {
		moreTime(ctx)
		ctx.SetHeader("Content-Type", jsonType)
		ctx.SetStatus(http.StatusOK)
		_ = m.api.Marshal(ctx.BodyWriter(), jsonType, body) // fails where the client is gone
	}}, nil
}
