package acctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/idmap/terraform-provider-idmap/internal/client"
)

// The user of every test platform.
const (
	PlatformUsername = "migrator"
	PlatformPassword = "acctest pass/word+=&ü"
)

// Platform is a server that behaves like a DryvIQ platform, as far as that is published: our own server, with all taken
// away that only we have. It is our reading of the platform's public SDK and not the product; where that says nothing,
// this one is as strict as it can be: it refuses fields and parameters that are not published, its refusals have no codes,
// some of its 404s and 401s have no body, its links lead on by their query alone, and what a PUT of a map does not name stays
// as it was.
type Platform struct {
	URL, Username, Password string
	Client                  *client.Client // signed in
	Server                  *Server        // what is behind it; tests may look, and stage directories

	mu      sync.Mutex
	tokens  map[string]bool
	pages   map[string]string // the cursor of a page, by path and offset
	signIns int
	fail    func(*http.Request) int
}

// NewPlatform starts a platform on loopback with a fresh SQLite database. It ends with the test.
func NewPlatform(tb testing.TB) *Platform {
	tb.Helper()
	p := &Platform{
		Username: PlatformUsername, Password: PlatformPassword, Server: NewServer(tb), tokens: map[string]bool{}, pages: map[string]string{},
	}
	web := httptest.NewServer(p)
	tb.Cleanup(web.Close)
	p.URL = web.URL
	p.Client = p.NewClient(tb)
	return p
}

// NewClient returns a client that signs in as the platform's user, and knows nothing of the platform yet.
func (p *Platform) NewClient(tb testing.TB) *client.Client {
	tb.Helper()
	c, err := client.New(client.Config{Endpoint: p.URL, Username: p.Username, Password: p.Password})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// NewToken returns a bearer token, as somebody gets one who signed in elsewhere.
func (p *Platform) NewToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	token := uuid.NewString()
	p.tokens[token] = true
	return token
}

// RevokeTokens makes all tokens invalid.
func (p *Platform) RevokeTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.tokens)
}

// SignIns returns how often somebody signed in, or tried to.
func (p *Platform) SignIns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signIns
}

// FailWhere makes the platform answer requests with the status that status returns for them, and do nothing; where that is
// 0, all is as always. nil ends it.
func (p *Platform) FailWhere(status func(*http.Request) int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = status
}

// ServeHTTP lets through what is published, in the form in which it is.
func (p *Platform) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if status := p.failure(req); status != 0 {
		platformError(w, status, "It does not work today.")
		return
	}
	if req.URL.Path == "/connect/token" {
		p.signIn(w, req)
		return
	}
	switch body, fault := p.admit(req); {
	case !p.authorised(req):
		w.WriteHeader(http.StatusUnauthorized)
	case !publishedRoute.MatchString(req.URL.Path) || ownRoute.MatchString(req.URL.Path):
		platformError(w, http.StatusNotFound, "The resource does not exist.")
	case fault != "":
		platformError(w, http.StatusBadRequest, fault)
	default:
		p.forward(w, req, p.complete(req, body))
	}
}

func (p *Platform) failure(req *http.Request) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		return 0
	}
	return p.fail(req)
}

var (
	publishedRoute = regexp.MustCompile(`^/v1/(?:(?:account|group)_maps(?:/[^/]+(?:/(?:exceptions|exclusions(?:/(?:source|destination))?)(?:/[^/]+)?)?)?` +
		`|connections(?:/[^/]+(?:/(?:accounts|groups)(?:/[^/]+)?)?)?|jobs(?:/[^/]+)?|transfers/[^/]+/security_map)$`)
	ownRoute = regexp.MustCompile(`_maps/(?:validate|preview)$`)
)

func (p *Platform) authorised(req *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tokens[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
}

// signIn is the password grant of OAuth 2.
func (p *Platform) signIn(w http.ResponseWriter, req *http.Request) {
	p.mu.Lock()
	p.signIns++
	p.mu.Unlock()
	form := func(name string) string { return req.PostFormValue(name) }
	switch {
	case req.Method != http.MethodPost || form("grant_type") != "password" || form("scope") != "profile roles":
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
	case form("username") != p.Username || form("password") != p.Password:
		// Unkind servers repeat what they were sent. It must not come to light.
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "not " + form("username") + " with " + form("password")})
	default:
		writeJSON(w, http.StatusOK, map[string]any{"access_token": p.NewToken(), "token_type": "Bearer", "expires_in": 3600})
	}
}

// forward asks our server, in its own way, and answers in the platform's.
func (p *Platform) forward(w http.ResponseWriter, req *http.Request, body []byte) {
	answer := p.ask(req, req.Method, body)
	var content map[string]any
	switch err := json.Unmarshal(answer.Body.Bytes(), &content); {
	case answer.Body.Len() == 0:
		w.WriteHeader(answer.Code)
	case answer.Code == http.StatusNotFound:
		w.WriteHeader(http.StatusNotFound)
	case err != nil:
		platformError(w, http.StatusInternalServerError, "The answer is no JSON object.")
	case answer.Code >= 400:
		platformError(w, answer.Code, descriptions(content)...)
	default:
		p.strip(req, content)
		writeJSON(w, answer.Code, content)
	}
}

// ask sends our server a request about what another one is about.
func (p *Platform) ask(req *http.Request, method string, body []byte) *httptest.ResponseRecorder {
	inner := httptest.NewRequestWithContext(req.Context(), method, p.innerURL(req), bytes.NewReader(body))
	inner.Header.Set("Authorization", "Bearer "+p.Server.Token)
	if contentType := req.Header.Get("Content-Type"); contentType != "" {
		inner.Header.Set("Content-Type", contentType)
	}
	answer := httptest.NewRecorder()
	p.Server.Handler.ServeHTTP(answer, inner)
	return answer
}

// innerURL puts the cursor of our server in the place of the offset that a link had.
func (p *Platform) innerURL(req *http.Request) string {
	query := req.URL.Query()
	p.mu.Lock()
	defer p.mu.Unlock()
	if cursor := p.pages[pageKey(req.URL.Path, query)]; cursor != "" {
		query.Del("offset")
		query.Set("cursor", cursor)
	}
	return (&url.URL{Path: req.URL.Path, RawPath: req.URL.RawPath, RawQuery: query.Encode()}).String()
}

func pageKey(path string, query url.Values) string { return path + "?" + query.Encode() }

// strip takes out of an answer what is not published.
func (p *Platform) strip(req *http.Request, content map[string]any) {
	delete(content, "warnings")
	for noun, object := range content {
		switch object := object.(type) {
		case map[string]any:
			stripObject(noun, object)
		case []any:
			for _, row := range object {
				if row, ok := row.(map[string]any); ok {
					stripObject(noun, row)
				}
			}
		}
	}
	if meta, ok := content["meta"].(map[string]any); ok {
		p.relink(req, meta)
	}
}

func stripObject(noun string, object map[string]any) {
	for _, ours := range []string{"revision", "created_on", "modified_on", "external"} {
		delete(object, ours)
	}
	if mapBy, ok := object["map_by"].(map[string]any); ok && strings.Contains(noun, "_map") {
		delete(mapBy, "external_resolve")
		delete(mapBy, "fuzzy_threshold")
	}
}

// relink gives the link to the next page the form of the platform's: by offset, and without a path that could be followed.
func (p *Platform) relink(req *http.Request, meta map[string]any) {
	links, _ := meta["links"].(map[string]any)
	next, _ := links["next"].(map[string]any)
	href, _ := next["href"].(string)
	ours, err := url.Parse(href)
	if href == "" || err != nil {
		return
	}
	query := ours.Query()
	cursor := query.Get("cursor")
	query.Del("cursor")
	rows, _ := meta["offset"].(float64)
	limit, _ := meta["limit"].(float64)
	query.Set("offset", fmt.Sprint(int(rows+limit)))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[pageKey(req.URL.Path, query)] = cursor
	next["href"] = "list?" + query.Encode()
}

// descriptions are what a refusal of our server says, without its codes.
func descriptions(content map[string]any) []string {
	var all []string
	entries, _ := content["errors"].([]any)
	for _, entry := range entries {
		entry, _ := entry.(map[string]any)
		if text, _ := entry["description"].(string); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func platformError(w http.ResponseWriter, status int, descriptions ...string) {
	entries := make([]any, len(descriptions))
	for i, text := range descriptions {
		entries[i] = map[string]any{"description": text}
	}
	writeJSON(w, status, map[string]any{"errors": entries})
}

func writeJSON(w http.ResponseWriter, status int, content any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(content) // a client that is gone
}

// publishedParameters are those of the SDK's calls.
var publishedParameters = []string{"q", "offset", "limit", "fields", "include", "append"}

func unpublishedParameter(query url.Values) string {
	for name := range query {
		if !slices.Contains(publishedParameters, name) {
			return fmt.Sprintf("There is no parameter %s.", name)
		}
	}
	return ""
}
