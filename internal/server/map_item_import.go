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
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

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

// sentItems are items as they were sent, and how a violation names the place of one.
type sentItems[T any] struct {
	all    []T
	append bool
	single bool
	place  func(i int, field string) (place, prefix string)
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

func (m *mapItems[T]) post(ctx context.Context, in *itemsPostInput) (*itemsPostOutput, error) {
	sent, err := m.read(in)
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	items, err := m.items(sent)
	if err != nil {
		return nil, m.refusal(ctx, err)
	}
	report, err := m.backend.PutMapItems(ctx, callOf(ctx, ""), m.kind, in.ID, m.roles, items, sent.append)
	if err != nil {
		return nil, m.refusal(ctx, relocate(err, sent.place))
	}
	report.Warnings = relocated(report.Warnings, sent.place)
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

// items checks what only the address tells, and names every item at fault.
func (m *mapItems[T]) items(sent sentItems[T]) ([]idmap.MapItem, error) {
	items := make([]idmap.MapItem, len(sent.all))
	var found []idmap.Violation
	for i, one := range sent.all {
		item, err := m.item(one)
		for _, v := range idmap.ViolationsOf(err) {
			place, prefix := sent.place(i, v.Field)
			v.Field, v.Description = place, prefix+v.Description
			found = append(found, v)
		}
		item.ID = "" // read-only: an item is known by whom it is about
		items[i] = item
	}
	return items, idmap.Refuse(found...)
}

// read reads the body in the form that its content type says.
func (m *mapItems[T]) read(in *itemsPostInput) (sentItems[T], error) {
	contentType, parameters, err := mime.ParseMediaType(in.ContentType)
	switch {
	case in.ContentType == "", contentType == jsonType, strings.HasSuffix(contentType, "+json"):
		return m.readJSON(in)
	case contentType == multipartType:
		return m.readFile(in, func(body io.Reader, parse func(io.Reader) error) error {
			return onlyPart(multipart.NewReader(body, parameters["boundary"]), parse)
		})
	case contentType == directory.CSV.ContentType():
		return m.readFile(in, func(body io.Reader, parse func(io.Reader) error) error { return parse(body) })
	case err != nil:
		return sentItems[T]{}, idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The content type %q cannot be read.", in.ContentType)
	}
	return sentItems[T]{}, idmap.Refusef(idmap.CodeMalformed, "header.Content-Type", "The content type %q is none that is read here. Send %s, %s, or %s with one CSV file.",
		in.ContentType, jsonType, directory.CSV.ContentType(), multipartType)
}

// readFile parses a CSV file as it arrives; within opens the body to it.
func (m *mapItems[T]) readFile(in *itemsPostInput, within func(body io.Reader, parse func(io.Reader) error) error) (sentItems[T], error) {
	sent := sentItems[T]{append: in.Append != "false"}
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
	sent.place = func(i int, field string) (string, string) {
		return strings.TrimSuffix(fmt.Sprintf("line %d, %s", lines[i], field), ", "), fmt.Sprintf("Line %d: ", lines[i])
	}
	return sent, err
}

// onlyPart parses the one part of a form. A second one could be meant to say something that nobody would hear.
func onlyPart(form *multipart.Reader, parse func(io.Reader) error) error {
	broken := idmap.Refusef(idmap.CodeMalformed, "", "The form cannot be read. Send %s with one part, the CSV file.", multipartType)
	part, err := form.NextPart()
	if err != nil {
		return broken
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

func (m *mapItems[T]) readJSON(in *itemsPostInput) (sentItems[T], error) {
	text, err := io.ReadAll(io.LimitReader(in.body, maxMapBody+1))
	switch {
	case err != nil:
		return sentItems[T]{}, endedEarly()
	case len(text) > maxMapBody:
		return sentItems[T]{}, idmap.Refusef(idmap.CodeTooLarge, "", "The body is larger than %d MiB. Send fewer items at once, with \"append\": true.", maxMapBody>>20)
	case !utf8.Valid(text) || jsonHasNUL(text):
		return sentItems[T]{}, brokenText("the request body")
	}
	var parsed any
	if err := json.Unmarshal(text, &parsed); err != nil {
		return sentItems[T]{}, malformed(err)
	}
	if object, _ := parsed.(map[string]any); object["items"] != nil || object["append"] != nil {
		body, err := decode[itemList[T]](m.api, text, parsed)
		sent := sentItems[T]{all: body.Items, append: in.Append == "true", place: atListed}
		if body.Append != nil {
			sent.append = *body.Append
		}
		return sent, err
	}
	item, err := decode[T](m.api, text, parsed)
	return sentItems[T]{all: []T{item}, append: true, single: true, place: atItem}, err
}

// decode makes a T of a JSON body, which is given parsed too. What does not fit is refused as huma would.
func decode[T any](api huma.API, text []byte, parsed any) (T, error) {
	var value T
	registry := api.OpenAPI().Components.Schemas
	path := huma.NewPathBuffer([]byte{}, 0)
	path.Push("body")
	found := &huma.ValidateResult{}
	huma.Validate(registry, registry.Schema(reflect.TypeFor[T](), true, ""), path, huma.ModeWriteToServer, parsed, found)
	if len(found.Errors) > 0 {
		return value, idmap.Refuse(foundByHuma(http.StatusBadRequest, "", found.Errors).Errors...)
	}
	if err := json.Unmarshal(text, &value); err != nil {
		return value, malformed(err)
	}
	return value, nil
}

// itemField is how the backend names a field of an item among those that it was given.
var itemField = regexp.MustCompile(`^items\[(\d+)\]\.?(.*)$`)

func atItem(_ int, field string) (string, string) { return field, "" }

func atListed(i int, field string) (string, string) {
	return strings.TrimSuffix(fmt.Sprintf("items[%d].%s", i, field), "."), ""
}

// relocate names the places of violations as the request has them.
func relocate(err error, place func(int, string) (string, string)) error {
	e, ok := errors.AsType[*idmap.Error](err)
	if !ok {
		return err
	}
	moved := *e
	moved.Violations = relocated(e.Violations, place)
	return &moved
}

func relocated(violations []idmap.Violation, place func(int, string) (string, string)) []idmap.Violation {
	return each(violations, func(v idmap.Violation) idmap.Violation {
		parts := itemField.FindStringSubmatch(v.Field)
		if parts == nil {
			return v
		}
		i, err := strconv.Atoi(parts[1])
		if err != nil {
			return v
		}
		at, prefix := place(i, parts[2])
		v.Field, v.Description = at, prefix+v.Description
		return v
	})
}
