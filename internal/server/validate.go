package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	// maxFaults is how many faults of a body are told.
	maxFaults = 100
	// maxFields and maxDepth are more than anything that is read has. They bound what a hostile body costs.
	maxFields = 1000
	maxDepth  = 100
)

// errEnough ends the reading of a body of which enough is known to refuse it.
var errEnough = errors.New("enough faults")

var errTrailing = errors.New("text behind the end of the JSON document")

// validation holds a JSON body against its schema while it reads it: of a body that is refused nothing is kept but its
// first faults. huma.Validate is given single values only: of a whole body it would keep each of a million faults.
type validation struct {
	registry huma.Registry
	text     *json.Decoder
	at       []byte // path of the value that is read
	depth    int
	found    []idmap.Violation
}

// validate returns what of a JSON body does not fit its schema.
func validate(registry huma.Registry, schema *huma.Schema, body []byte) error {
	v := &validation{registry: registry, text: json.NewDecoder(bytes.NewReader(body))}
	err := v.value(schema, mandatory)
	if err == nil {
		err = v.end()
	}
	switch {
	case errors.Is(err, errEnough) && len(v.found) == maxFaults:
		v.found = append(v.found, idmap.Violation{Code: idmap.CodeMalformed, Description: "The rest of the body was not read. It may have more faults."})
	case err != nil && !errors.Is(err, errEnough):
		return malformed(err)
	}
	return idmap.Refuse(v.found...)
}

// end makes sure that nothing stands behind the body's one value.
func (v *validation) end() error {
	if _, err := v.text.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// presence says whether null may stand where a value could be left out.
type presence int

const (
	mandatory presence = iota
	optional
)

// value reads the next value. A schema of nil, or without a type, takes anything.
func (v *validation) value(schema *huma.Schema, p presence) error {
	token, err := v.text.Token()
	if err != nil || token == nil && p == optional {
		return err
	}
	for schema != nil && schema.Ref != "" {
		schema = v.registry.SchemaFromRef(schema.Ref)
	}
	v.depth++
	defer func() { v.depth-- }()
	switch {
	case v.depth > maxDepth:
		return v.refuse("objects and lists are nested deeper than %d levels", maxDepth)
	case token == json.Delim('{'):
		return v.object(v.typed(schema, huma.TypeObject, map[string]any{}))
	case token == json.Delim('['):
		return v.array(v.typed(schema, huma.TypeArray, []any{}))
	}
	return v.single(schema, token)
}

// typed returns the schema if it is one of that type. Else it notes the fault, and what is inside is overlooked.
func (v *validation) typed(schema *huma.Schema, wanted string, empty any) (*huma.Schema, error) {
	if schema == nil || schema.Type == wanted {
		return schema, nil
	}
	return nil, v.single(schema, empty)
}

// single holds a value against its schema that has nothing inside.
func (v *validation) single(schema *huma.Schema, value any) error {
	if schema == nil {
		return nil
	}
	result := &huma.ValidateResult{}
	huma.Validate(v.registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, value, result)
	for _, err := range result.Errors {
		if err := v.add(sentence(v.where(), err)); err != nil {
			return err
		}
	}
	return nil
}

func (v *validation) array(schema *huma.Schema, err error) error {
	var items *huma.Schema
	if schema != nil {
		items = schema.Items
	}
	outside := len(v.at)
	for n := 0; err == nil && v.text.More(); n++ {
		if schema != nil && schema.MaxItems != nil && n == *schema.MaxItems {
			return v.refuse("the list is longer than %d items, which is the most that is taken at once", n)
		}
		v.at = append(strconv.AppendInt(append(v.at, '['), int64(n), 10), ']')
		err = v.value(items, mandatory)
		v.at = v.at[:outside]
	}
	return v.close(err)
}

func (v *validation) object(schema *huma.Schema, err error) error {
	seen := map[string]bool{}
	for err == nil && v.text.More() {
		var token json.Token
		if token, err = v.text.Token(); err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] = true; len(seen) > maxFields {
			return v.refuse("the object has more than %d fields", maxFields)
		}
		outside := v.enter(name)
		err = v.field(schema, name)
		v.at = v.at[:outside]
	}
	if err = v.close(err); err != nil || schema == nil {
		return err
	}
	return v.missing(schema, seen)
}

// close reads the end of a list or an object, unless there was an error before.
func (v *validation) close(err error) error {
	if err == nil {
		_, err = v.text.Token()
	}
	return err
}

// enter puts a field at the end of the path, and returns the length of what was there.
func (v *validation) enter(name string) (outside int) {
	outside = len(v.at)
	if outside > 0 {
		v.at = append(v.at, '.')
	}
	v.at = append(v.at, name...)
	return outside
}

// field reads a field of an object.
func (v *validation) field(schema *huma.Schema, name string) error {
	if schema == nil {
		return v.value(nil, optional)
	}
	if known, ok := schema.Properties[name]; ok {
		if slices.Contains(schema.Required, name) {
			return v.value(known, mandatory)
		}
		return v.value(known, optional)
	}
	if !takes(schema, name) {
		if err := v.add("At " + v.where() + ": there is no such field. Remove it, or mend its name."); err != nil {
			return err
		}
	}
	of, _ := schema.AdditionalProperties.(*huma.Schema)
	return v.value(of, mandatory)
}

// takes reports whether an object may have a field that its schema does not name. One in another case than the schema's
// may not: the decoder would take it for that one.
func takes(schema *huma.Schema, name string) bool {
	for known := range schema.Properties {
		if strings.EqualFold(known, name) {
			return false
		}
	}
	open, isFlag := schema.AdditionalProperties.(bool)
	return !isFlag || open
}

// missing notes the fields that an object lacks.
func (v *validation) missing(schema *huma.Schema, seen map[string]bool) error {
	for _, name := range schema.Required {
		if seen[name] {
			continue
		}
		outside := v.enter(name)
		err := v.add("The field " + v.where() + " is missing. Give it a value.")
		v.at = v.at[:outside]
		if err != nil {
			return err
		}
	}
	return nil
}

// where is the path of the value that is read.
func (v *validation) where() string { return clip(string(v.at)) }

// add notes a fault. Behind the last that is told it ends the reading.
func (v *validation) add(description string) error {
	v.found = append(v.found, idmap.Violation{Code: idmap.CodeMalformed, Field: v.where(), Description: description})
	if len(v.found) == maxFaults {
		return errEnough
	}
	return nil
}

// refuse notes a fault that ends the reading.
func (v *validation) refuse(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if at := v.where(); at != "" {
		text = "At " + at + ": " + text
	}
	_ = v.add(upper(text) + ".") // whatever it says, the reading ends
	return errEnough
}

// clip shortens what is echoed of a request.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
