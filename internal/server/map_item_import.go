package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	jsonType      = "application/json"
	multipartType = "multipart/form-data"
)

// itemsPostInput is one item, a list of items, or a file of them. It is read as it arrives, not by huma.
type itemsPostInput struct {
	IDInput
	FieldsInput
	ItemMatchInput
	ContentType string `header:"Content-Type"`
	Append      string `query:"append" enum:"true,false" doc:"Whether a list or a file is added to what is there, or replaces it. A file is added if nothing is said."`

	body io.Reader
}

// Resolve takes the body before anybody reads it.
func (in *itemsPostInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	return nil
}

// itemList is a list of items as one request.
type itemList[T any] struct {
	Type   typeOf[itemNoun] `json:"type,omitempty"`
	Append *bool            `json:"append,omitempty" doc:"Add to what is there. false or nothing: what is there and not among the items is removed."`
	Items  []T              `json:"items" nullable:"false" maxItems:"250000"`
}

// itemsReport says what a list or a file of items changed.
type itemsReport struct {
	Count     int               `json:"count" doc:"Items that were sent."`
	Created   int               `json:"created"`
	Updated   int               `json:"updated"`
	Deleted   int               `json:"deleted" doc:"Items that were there, and not among those that were sent."`
	Unchanged int               `json:"unchanged"`
	Warnings  []idmap.Violation `json:"warnings,omitempty" nullable:"false"`
}

type itemsPostOutput struct {
	Status int
	Body   any
}

// sentItems are items as they were sent, and where they stand in what was sent.
type sentItems[T any] struct {
	all    []T
	append bool
	single bool
	place  place
	done   func() // of the turn of a large body; never nil
}

func (m *mapItems[T]) registerPost(path, summary string) {
	op := created(operation(http.MethodPost, path, idmap.ScopeWrite, summary))
	op.Description = "One item, a list of items, or a CSV file of them. With a bad item or a bad row nothing is written."
	op.Metadata[fileKey] = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		directory.CSV.ContentType(): {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	registry := m.api.OpenAPI().Components.Schemas
	schema := func(t reflect.Type) *huma.Schema { return registry.Schema(t, true, "") }
	op.Responses = map[string]*huma.Response{
		"201": jsonResponse("One item was written.", schema(reflect.TypeFor[one[itemNoun, T]]())),
		"200": jsonResponse("A list or a file was written.", schema(reflect.TypeFor[one[importReportNoun, itemsReport]]())),
	}
	huma.Register(m.api, op, m.post)
	// What huma does not know of when it registers the operation, it does not read itself.
	content := m.api.OpenAPI().Paths[path].Post.RequestBody.Content
	content[jsonType] = &huma.MediaType{Schema: &huma.Schema{OneOf: []*huma.Schema{
		schema(reflect.TypeFor[T]()), schema(reflect.TypeFor[itemList[T]]()),
	}}}
	file := &huma.Schema{Type: huma.TypeString, Format: "binary", Description: "A CSV file; the name of the field does not matter."}
	content[multipartType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": file}, AdditionalProperties: true}}
}

func jsonResponse(description string, schema *huma.Schema) *huma.Response {
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{jsonType: {Schema: schema}}}
}

func (m *mapItems[T]) putItems(ctx context.Context, in *itemsPostInput, items []idmap.MapItem, add bool) (backend.ItemsReport, error) {
	call, err := m.write(ctx, in.ID, in.ItemMatchInput)
	if err != nil {
		return backend.ItemsReport{}, err
	}
	return m.backend.PutMapItems(ctx, call, m.kind, in.ID, m.roles, items, add)
}

func (m *mapItems[T]) post(ctx context.Context, in *itemsPostInput) (*itemsPostOutput, error) {
	sent, err := m.read(ctx, in)
	defer sent.done()
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	items, err := m.items(sent.all)
	var report backend.ItemsReport
	if err == nil {
		report, err = m.putItems(ctx, in, items, sent.append)
	}
	if err != nil {
		return nil, m.refusal(ctx, sent.place.refusal(err))
	}
	report.Warnings = sent.place.findings(report.Warnings)
	if sent.single {
		return m.added(report), nil
	}
	return &itemsPostOutput{Status: http.StatusOK, Body: one[importReportNoun, itemsReport]{Object: itemsReport{
		Count: len(items), Created: report.Created, Updated: report.Updated, Deleted: report.Deleted,
		Unchanged: len(items) - report.Created - report.Updated, Warnings: report.Warnings,
	}}}, nil
}

func (m *mapItems[T]) added(report backend.ItemsReport) *itemsPostOutput {
	body := one[itemNoun, T]{Object: m.wire(report.Items[0]), Warnings: report.Warnings}
	return &itemsPostOutput{Status: http.StatusCreated, Body: body}
}

// items checks what only the address tells, and names every item at fault as the backend does.
func (m *mapItems[T]) items(all []T) ([]idmap.MapItem, error) {
	items := make([]idmap.MapItem, len(all))
	var found []idmap.Violation
	for n, one := range all {
		item, err := m.item(one)
		for _, v := range idmap.ViolationsOf(err) {
			v.Field = fmt.Sprintf("items[%d].%s", n, v.Field)
			found = append(found, v)
		}
		item.ID = "" // read-only: an item is known by whom it is about
		items[n] = item
	}
	return items, idmap.Refuse(found...)
}

// read reads the body in the form that its content type says.
func (m *mapItems[T]) read(ctx context.Context, in *itemsPostInput) (sentItems[T], error) {
	none := sentItems[T]{done: func() {}}
	contentType, parameters, err := mime.ParseMediaType(in.ContentType)
	switch {
	case in.ContentType == "", contentType == jsonType, strings.HasSuffix(contentType, "+json"):
		return m.readJSON(ctx, in)
	case contentType == multipartType:
		return m.readFile(in, func(body io.Reader, parse func(io.Reader) error) error {
			return onlyPart(multipart.NewReader(body, parameters["boundary"]), parse)
		})
	case contentType == directory.CSV.ContentType():
		if err := onlyUTF8(in.ContentType); err != nil {
			return none, err
		}
		return m.readFile(in, func(body io.Reader, parse func(io.Reader) error) error { return parse(body) })
	case err != nil:
		return none, idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The content type %q cannot be read.", in.ContentType)
	}
	return none, idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The content type %q is none that is read here. Send %s, %s, or %s with one CSV file.",
		in.ContentType, jsonType, directory.CSV.ContentType(), multipartType)
}

// readFile parses a CSV file as it arrives; within opens the body to it.
func (m *mapItems[T]) readFile(in *itemsPostInput, within func(body io.Reader, parse func(io.Reader) error) error) (sentItems[T], error) {
	sent := sentItems[T]{append: in.Append != "false", done: func() {}}
	var lines []int
	body := &io.LimitedReader{R: in.body, N: maxFileBody + 1}
	err := within(body, func(file io.Reader) (err error) {
		if sent.all, lines, err = m.parse(file); err == nil {
			_, err = io.Copy(io.Discard, file)
		}
		return err
	})
	if body.N <= 0 {
		return sent, idmap.Refusef(idmap.CodeTooLarge, "", "The file is larger than %d MiB. Split it, and add its parts one after the other.", maxFileBody>>20)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return sent, idmap.Refusef(idmap.CodeMalformed, "", "The file ended before it was complete. Send it again.")
	}
	sent.place = func(n int, field string) (string, string) {
		line := fmt.Sprintf("line %d", lines[n])
		return strings.TrimSuffix(line+", "+field, ", "), upper(line) + ": "
	}
	return sent, err
}

// onlyUTF8 refuses a file that says that it is written in another charset.
func onlyUTF8(contentType string) error {
	_, parameters, _ := mime.ParseMediaType(contentType) // what cannot be read says nothing
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The file is sent in the charset %q. Files are read as UTF-8. Convert the file.", clip(charset))
	}
	return nil
}

// onlyPart parses the one part of a form. A second one could be meant to say something that nobody would hear.
func onlyPart(form *multipart.Reader, parse func(io.Reader) error) error {
	broken := idmap.Refusef(idmap.CodeMalformed, "", "The form cannot be read. Send %s with one part, the CSV file.", multipartType)
	part, err := form.NextPart()
	if err != nil {
		return broken
	}
	if err := onlyUTF8(part.Header.Get("Content-Type")); err != nil {
		return err
	}
	if err := parse(part); err != nil {
		return err
	}
	if _, err = form.NextPart(); err == nil {
		return idmap.Refusef(idmap.CodeMalformed, "", "The form has more than one part. Send one CSV file, and append=true or append=false in the address.")
	} else if !errors.Is(err, io.EOF) {
		return broken
	}
	return nil
}

func (m *mapItems[T]) readJSON(ctx context.Context, in *itemsPostInput) (sentItems[T], error) {
	text, done, err := m.readBody(ctx, in.body, maxMapBody)
	sent := sentItems[T]{append: true, single: true, place: ofOne, done: done}
	switch {
	case err != nil:
		return sent, err
	case len(text) > maxMapBody:
		return sent, idmap.Refusef(idmap.CodeTooLarge, "", "The body is larger than %d MiB. Send fewer items at once, with \"append\": true.", maxMapBody>>20)
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(text, &fields) // what is wrong with it is found below
	if fields["items"] == nil && fields["append"] == nil {
		item, err := decode[T](m.api, text)
		sent.all = []T{item}
		return sent, err
	}
	body, err := decode[itemList[T]](m.api, text)
	sent = sentItems[T]{all: body.Items, append: in.Append == "true", done: done}
	if body.Append != nil {
		sent.append = *body.Append
	}
	return sent, err
}

// ofOne is the place of an item that is the whole body.
func ofOne(_ int, field string) (string, string) { return field, "" }
