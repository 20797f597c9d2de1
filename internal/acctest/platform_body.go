package acctest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// admit reads the body, and says what in the request is not published, or "".
func (p *Platform) admit(req *http.Request) (body []byte, fault string) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, "The body breaks off."
	}
	if fault := unpublishedParameter(req.URL.Query()); fault != "" {
		return nil, fault
	}
	if req.Method == http.MethodGet || req.Method == http.MethodDelete {
		return nil, ""
	}
	upload := !strings.HasPrefix(req.Header.Get("Content-Type"), "application/json")
	if upload || !strings.Contains(req.URL.Path, "_maps") {
		return body, ""
	}
	var content any
	if err := json.Unmarshal(body, &content); err != nil {
		return nil, "The body is no JSON."
	}
	shape := mapShape
	if strings.Contains(req.URL.Path, "/ex") {
		shape = itemsShape
	}
	return body, shape.fault("", content)
}

var mapRoute = regexp.MustCompile(`^/v1/(account_map|group_map)s/[^/]+$`)

// complete adds to the body of a PUT of a map what it does not name of the map as it is: our server would take that away.
func (p *Platform) complete(req *http.Request, body []byte) []byte {
	route := mapRoute.FindStringSubmatch(req.URL.Path)
	if route == nil || req.Method != http.MethodPut {
		return body
	}
	var sent map[string]any
	var stored map[string]map[string]any
	if json.Unmarshal(body, &sent) != nil || sent == nil {
		return body
	}
	_ = json.Unmarshal(p.ask(req, http.MethodGet, nil).Body.Bytes(), &stored) // the envelope has other members
	stripObject(route[1], stored[route[1]])
	keep(stored[route[1]], sent)
	for _, part := range []string{"source", "destination", "map_by"} {
		before, _ := stored[route[1]][part].(map[string]any)
		if now, ok := sent[part].(map[string]any); ok {
			keep(before, now)
		}
	}
	completed, err := json.Marshal(sent)
	if err != nil {
		return body
	}
	return completed
}

// keep adds members that were not sent. A null is nothing from now on.
func keep(stored, sent map[string]any) {
	for name, value := range stored {
		if _, named := sent[name]; !named {
			sent[name] = value
		}
	}
	for name, value := range sent {
		if value == nil {
			delete(sent, name)
		}
	}
}

// shape is the published form of a JSON value. One without members is any value.
type shape map[string]shape

var (
	flags = func(names ...string) shape {
		s := shape{}
		for _, name := range names {
			s[name] = nil
		}
		return s
	}
	// sidShape is an account or a group. Samples of the platform's documents have the type besides.
	sidShape = flags("type", "id", "external_id", "email", "username", "given_name", "surname", "name", "caption",
		"admin", "built_in", "disabled", "readonly")
	endShape = shape{"connection": nil, "default": sidShape}
	mapShape = shape{
		"type": nil, "id": nil, "name": nil, "source": endShape, "destination": endShape, "unmapped_policy": nil,
		"map_by": flags("built_in", "caption", "default", "email", "external_passthrough", "fuzzy", "id", "ldap", "name", "passthrough", "username"),
	}
	itemShape = shape{"type": nil, "id": nil, "source": sidShape, "destination": sidShape, "location": nil, "sid": sidShape}
	// itemsShape is one item, or a list of them.
	itemsShape = shape{
		"type": nil, "id": nil, "source": sidShape, "destination": sidShape, "location": nil, "sid": sidShape,
		"append": nil, "items": itemShape,
	}
)

// fault names the first member that the shape does not have.
func (s shape) fault(at string, value any) string {
	if s == nil || value == nil {
		return ""
	}
	if list, ok := value.([]any); ok {
		for _, element := range list {
			if fault := s.fault(at, element); fault != "" {
				return fault
			}
		}
		return ""
	}
	members, ok := value.(map[string]any)
	if !ok {
		return fmt.Sprintf("At %q an object is expected.", at)
	}
	for name, member := range members {
		within, known := s[name]
		if !known {
			return fmt.Sprintf("There is no member %s.", at+name)
		}
		if fault := within.fault(at+name+".", member); fault != "" {
			return fault
		}
	}
	return ""
}
