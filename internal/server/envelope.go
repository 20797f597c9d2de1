package server

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// noun is what envelopes call an object, and several of them. It is a type so that the document knows the words too.
type noun interface{ words() (one, many string) }

type (
	connectionNoun      struct{}
	accountNoun         struct{}
	groupNoun           struct{}
	userMappingNoun     struct{}
	emailAssignmentNoun struct{}
	auditEntryNoun      struct{}
	tokenNoun           struct{}
	accountMapNoun      struct{}
	groupMapNoun        struct{}
	resolutionNoun      struct{}
	jobNoun             struct{}
	itemNoun            struct{} // of the published sub-lists, whose word for many is the same
	importReportNoun    struct{}
	signInNoun          struct{}
	diagnosisNoun       struct{}
	sessionNoun         struct{}
	sessionUsageNoun    struct{} // a word for many that is the same
	revokedSessionsNoun struct{}
	verdictNoun[N noun] struct{}
)

func (connectionNoun) words() (string, string)      { return "connection", "connections" }
func (accountNoun) words() (string, string)         { return "account", "accounts" }
func (groupNoun) words() (string, string)           { return "group", "groups" }
func (userMappingNoun) words() (string, string)     { return "user_mapping", "user_mappings" }
func (emailAssignmentNoun) words() (string, string) { return "email_assignment", "email_assignments" }
func (auditEntryNoun) words() (string, string)      { return "audit_entry", "audit_entries" }
func (tokenNoun) words() (string, string)           { return "token", "tokens" }
func (accountMapNoun) words() (string, string)      { return string(idmap.AccountMap), "account_maps" }
func (groupMapNoun) words() (string, string)        { return string(idmap.GroupMap), "group_maps" }
func (resolutionNoun) words() (string, string)      { return "resolution", "resolutions" }
func (jobNoun) words() (string, string)             { return "job", "jobs" }
func (itemNoun) words() (string, string)            { return "item", "item" }
func (importReportNoun) words() (string, string)    { return "import_report", "import_reports" }
func (signInNoun) words() (string, string)          { return "sign_in", "sign_ins" }
func (diagnosisNoun) words() (string, string)       { return "diagnosis", "diagnoses" }
func (sessionNoun) words() (string, string)         { return "session", "sessions" }
func (sessionUsageNoun) words() (string, string)    { return "session_usage", "session_usage" }
func (revokedSessionsNoun) words() (string, string) { return "revoked_sessions", "revoked_sessions" }

func (verdictNoun[N]) words() (string, string) {
	name, _ := words[N]()
	return name + "_verdict", name + "_verdicts"
}

func words[N noun]() (one, many string) {
	var n N
	return n.words()
}

// typeOf is the type that a request body may carry: the noun, or nothing.
type typeOf[N noun] string

// Schema lets nothing else pass.
func (typeOf[N]) Schema(huma.Registry) *huma.Schema {
	name, _ := words[N]()
	return &huma.Schema{Type: huma.TypeString, Enum: []any{name}}
}

// one is the envelope of an object: {"type": "account_map", "account_map": {…}}.
type one[N noun, T any] struct {
	Object   T
	Warnings []idmap.Violation
}

// MarshalJSON puts the object under its noun.
func (e one[N, T]) MarshalJSON() ([]byte, error) {
	name, _ := words[N]()
	members := []member{{"type", name}, {name, e.Object}}
	if len(e.Warnings) > 0 {
		members = append(members, member{"warnings", e.Warnings})
	}
	return object(members)
}

// Schema tells the document what MarshalJSON makes.
func (one[N, T]) Schema(r huma.Registry) *huma.Schema {
	name, _ := words[N]()
	s := envelopeSchema(name, r.Schema(reflect.TypeFor[T](), true, name))
	s.Properties["warnings"] = arrayOf[idmap.Violation](r)
	return s
}

// listing is the envelope of a page of a list: {"type": "account_maps", "account_maps": […], "meta": {…}}.
type listing[N noun, T any] struct {
	Items []T
	Meta  meta
}

// MarshalJSON puts the rows under their noun.
func (e listing[N, T]) MarshalJSON() ([]byte, error) {
	_, name := words[N]()
	return object([]member{{"type", name}, {name, e.Items}, {"meta", e.Meta}})
}

// Schema tells the document what MarshalJSON makes.
func (listing[N, T]) Schema(r huma.Registry) *huma.Schema {
	_, name := words[N]()
	s := envelopeSchema(name, arrayOf[T](r))
	s.Properties["meta"] = r.Schema(reflect.TypeFor[meta](), true, "Meta")
	s.Required = append(s.Required, "meta")
	return s
}

func envelopeSchema(name string, content *huma.Schema) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"type", name}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{"type": {Type: huma.TypeString, Enum: []any{name}}, name: content},
	}
}

func arrayOf[T any](r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[T](), true, "")}
}

type member struct {
	name  string
	value any
}

// object writes an object with its members in their order, and without escapes that only HTML needs.
func object(members []member) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	separator := byte('{')
	for _, m := range members {
		text.WriteByte(separator)
		text.WriteString(strconv.Quote(m.name) + ":")
		if err := encoder.Encode(m.value); err != nil {
			return nil, err
		}
		separator = ','
	}
	text.WriteByte('}')
	return text.Bytes(), nil
}

// jsonFormat is huma's, but leaves what our envelopes write as it is: encoding/json would read all of it again.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e, ok := v.(json.Marshaler)
		if !ok {
			return huma.DefaultJSONFormat.Marshal(w, v)
		}
		text, err := e.MarshalJSON()
		if err == nil {
			_, err = w.Write(append(text, '\n'))
		}
		return err
	},
	Unmarshal: huma.DefaultJSONFormat.Unmarshal,
}

// oneOutput answers an object that has revisions.
type oneOutput[N noun, T any] struct {
	ETag string `header:"ETag"`
	Body one[N, T]
}

func stored[N noun, T any](object T, revision int64, warnings []idmap.Violation) *oneOutput[N, T] {
	return &oneOutput[N, T]{ETag: etag(revision), Body: one[N, T]{Object: object, Warnings: warnings}}
}

// plainOutput answers an object that has no revisions.
type plainOutput[N noun, T any] struct{ Body one[N, T] }

func plain[N noun, T any](object T) *plainOutput[N, T] {
	return &plainOutput[N, T]{Body: one[N, T]{Object: object}}
}

// listOutput answers a page of a list.
type listOutput[N noun, T any] struct{ Body listing[N, T] }

// several is the envelope of what belongs to the items of a request: {"type": "resolutions", "resolutions": […]}.
type several[N noun, T any] struct{ Items []T }

// MarshalJSON puts the objects under their noun.
func (e several[N, T]) MarshalJSON() ([]byte, error) {
	_, name := words[N]()
	return object([]member{{"type", name}, {name, e.Items}})
}

// Schema tells the document what MarshalJSON makes.
func (several[N, T]) Schema(r huma.Registry) *huma.Schema {
	_, name := words[N]()
	s := envelopeSchema(name, arrayOf[T](r))
	s.Properties[name].Description = "In the order asked."
	return s
}

// severalOutput answers what belongs to the items of a request, in their order.
type severalOutput[N noun, T any] struct{ Body several[N, T] }

func inOrder[N noun, T any](objects []T) *severalOutput[N, T] {
	return &severalOutput[N, T]{Body: several[N, T]{Items: append([]T{}, objects...)}}
}
