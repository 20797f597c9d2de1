package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// wire counts the requests to a real server, and may do to them what happens on the way.
type wire struct {
	next    http.RoundTripper
	latency time.Duration

	mu       sync.Mutex
	requests []string // method, path and body
	ahead    int      // mappings that were read ahead
	// hold makes the next request wait until it is closed.
	hold chan struct{}
	// disturb may answer in the server's place; or change its answer, where that is not nil.
	disturb func(req *http.Request, answer *http.Response) (*http.Response, error)
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	w.mu.Lock()
	w.requests = append(w.requests, req.Method+" "+req.URL.Path+" "+string(body))
	disturb, hold := w.disturb, w.hold
	w.hold = nil
	w.mu.Unlock()
	if hold != nil {
		<-hold
	}
	time.Sleep(w.latency)
	if disturb != nil {
		if resp, err := disturb(req, nil); resp != nil || err != nil {
			return resp, err
		}
	}
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(req.URL.Path, "/lookup") {
		var answer struct{ Ahead []json.RawMessage }
		content, _ := io.ReadAll(resp.Body)
		_ = json.Unmarshal(content, &answer)
		resp.Body = io.NopCloser(bytes.NewReader(content))
		w.mu.Lock()
		w.ahead += len(answer.Ahead)
		w.mu.Unlock()
	}
	if disturb != nil {
		return disturb(req, resp)
	}
	return resp, nil
}

func (w *wire) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// gathered returns a client that gathers, and the wire that it is on.
func gathered(t *testing.T, s *acctest.Server, change func(*client.Config)) (*client.Client, *wire) {
	t.Helper()
	w := &wire{next: client.HandlerTransport(s.Handler)}
	config := client.Config{Transport: w, Token: s.Token, Gather: true}
	if change != nil {
		change(&config)
	}
	c, err := client.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, w
}

// staged returns a server with a mail and an application connection and n mappings, and their ids in order.
func staged(t *testing.T, n int) (*acctest.Server, []string) {
	t.Helper()
	s := acctest.NewServer(t)
	t.Cleanup(s.Client.Close)
	for _, id := range []string{"mail", "app"} {
		if _, err := s.Client.CreateConnection(t.Context(), "", idmap.Connection{ID: id, Name: id, Platform: idmap.PlatformRef{ID: "generic"}}); err != nil {
			t.Fatal(err)
		}
	}
	var intents []idmap.UserMappingIntent
	for i := range n {
		m := person(i)
		intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m})
	}
	var ids []string
	for chunk := range slices.Chunk(intents, idmap.MaxBatch) {
		verdicts, err := s.Client.ApplyUserMappings(t.Context(), "", chunk)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			ids = append(ids, v.UserMapping.ID)
		}
	}
	slices.Sort(ids)
	return s, ids
}

func person(i int) (m idmap.UserMapping) {
	m.Source.Connection.ID, m.Destination.Connection.ID = "mail", "app"
	m.Email, m.UserID = fmt.Sprintf("user%d@example.com", i), fmt.Sprintf("user%d", i)
	return m
}

// readAll reads the mappings, ten at a time, as Terraform does.
func readAll(t *testing.T, c *client.Client, ids []string) {
	t.Helper()
	next := make(chan string)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for id := range next {
				if m, err := c.UserMapping(t.Context(), id); err != nil || m.ID != id {
					t.Errorf("%s is %+v, %v", id, m, err)
				}
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	all.Wait()
}

func shuffled(ids []string) []string {
	ids = slices.Clone(ids)
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] }) //nolint:gosec // an order keeps no secret
	return ids
}

// TestReadsAhead: what is read whole takes few requests, in whatever order it is asked for. TestReadAheadModel has the
// exact numbers; here it depends on how many of the first calls meet.
func TestReadsAhead(t *testing.T) {
	s, ids := staged(t, 2000)
	for name, order := range map[string][]string{"sorted": ids, "random": shuffled(ids)} {
		c, w := gathered(t, s, nil)
		w.latency = 5 * time.Millisecond
		readAll(t, c, order)
		t.Logf("%s: %d requests, %d read ahead", name, len(w.seen()), w.ahead)
		if n := len(w.seen()); n > 15 || w.ahead > 2100 {
			t.Errorf("%s: %d requests, %d read ahead", name, n, w.ahead)
		}
	}
	c, w := gathered(t, s, nil)
	readAll(t, c, shuffled(ids[1000:1020]))
	if n := len(w.seen()); n > 3 || w.ahead > 1000 {
		t.Errorf("20 of many that were made together: %d requests, %d read ahead", n, w.ahead)
	}
}

// together makes calls that share a request: they come, in their order, while the request of another call is under way.
func together(t *testing.T, c *client.Client, w *wire, opener func(), calls ...func()) {
	t.Helper()
	hold, before := make(chan struct{}), len(w.seen())
	w.mu.Lock()
	w.hold = hold
	w.mu.Unlock()
	var all sync.WaitGroup
	all.Go(opener)
	for len(w.seen()) == before {
		time.Sleep(time.Millisecond)
	}
	for i, call := range calls {
		all.Go(call)
		for c.Waiting() <= i {
			time.Sleep(time.Millisecond)
		}
	}
	close(hold)
	all.Wait()
}

// said is what a call answered, for comparison: without times, and without what tells one request from another.
func said(ids []string, answer any, err error) string {
	content, _ := json.Marshal(answer)
	text := string(content)
	if refused, ok := errors.AsType[*idmap.Error](err); ok {
		violations, _ := json.Marshal(refused.Violations)
		text += fmt.Sprintf(" refused %d %s %s", refused.Kind, refused.RetryAfter, violations)
	} else if err != nil {
		text += " failed " + err.Error()
	}
	for i, id := range ids {
		text = strings.ReplaceAll(text, id, fmt.Sprintf("mapping %d", i))
	}
	text = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f-]{27}"`).ReplaceAllString(text, `"new"`)
	return regexp.MustCompile(`"20\d\d-[^"]*Z"`).ReplaceAllString(text, `"then"`)
}

type operation func(ctx context.Context, c *client.Client, ids []string) (any, error)

type warned struct {
	idmap.UserMapping
	Warnings []idmap.Violation
}

func create(key string, m idmap.UserMapping) operation {
	return func(ctx context.Context, c *client.Client, _ []string) (any, error) {
		m, warnings, err := c.CreateUserMapping(ctx, key, m)
		return warned{m, warnings}, err
	}
}

// change updates a mapping of staged, or one that does not exist.
func change(i int, revision int64, email string) operation {
	return func(ctx context.Context, c *client.Client, ids []string) (any, error) {
		m := person(i)
		m.ID, m.Revision, m.Email = append(ids, "none")[min(i, len(ids))], revision, email
		m, warnings, err := c.UpdateUserMapping(ctx, m)
		return warned{m, warnings}, err
	}
}

func remove(i int, revision int64) operation {
	return func(ctx context.Context, c *client.Client, ids []string) (any, error) {
		return nil, c.DeleteUserMapping(ctx, append(ids, "none")[min(i, len(ids))], revision)
	}
}

func removeID(id string) operation {
	return func(ctx context.Context, c *client.Client, _ []string) (any, error) {
		return nil, c.DeleteUserMapping(ctx, id, 0)
	}
}

func read(i int) operation {
	return func(ctx context.Context, c *client.Client, ids []string) (any, error) {
		return ignored(c.UserMapping(ctx, append(ids, "none")[min(i, len(ids))]))
	}
}

func readID(id string) operation {
	return func(ctx context.Context, c *client.Client, _ []string) (any, error) {
		return ignored(c.UserMapping(ctx, id))
	}
}

func ignored(m idmap.UserMapping, err error) (any, error) { return m, err }

func validate(directories []idmap.ProposedDirectory, intents ...func(ids []string) idmap.UserMappingIntent) operation {
	return func(ctx context.Context, c *client.Client, ids []string) (any, error) {
		var all []idmap.UserMappingIntent
		for _, in := range intents {
			all = append(all, in(ids))
		}
		return c.ValidateUserMappings(ctx, all, directories)
	}
}

func creates(m idmap.UserMapping) func([]string) idmap.UserMappingIntent {
	return func([]string) idmap.UserMappingIntent {
		return idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m}
	}
}

func deletes(i int) func([]string) idmap.UserMappingIntent {
	return func(ids []string) idmap.UserMappingIntent {
		return idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: ids[i]}
	}
}

// with is person i with another email, and perhaps more.
func with(i int, email string, more ...func(*idmap.UserMapping)) idmap.UserMapping {
	m := person(i)
	m.Email = email
	for _, change := range more {
		change(&m)
	}
	return m
}

func proposed(authoritative bool, accounts ...string) []idmap.ProposedDirectory {
	list := []idmap.Account{}
	for _, name := range accounts {
		list = append(list, idmap.Account{ID: name, Username: name})
	}
	d := idmap.ProposedDirectory{Connection: idmap.Connection{ID: "app", Name: "app", Platform: idmap.PlatformRef{ID: "generic"}}, Accounts: &list}
	d.Connection.Authoritative = authoritative
	return []idmap.ProposedDirectory{d}
}

// TestGatheredCallsAnswerTheSame: each call answers what it answers alone, whatever is beside it.
func TestGatheredCallsAnswerTheSame(t *testing.T) {
	for name, test := range map[string]struct {
		opener   operation
		calls    []operation
		requests []string // how the calls go
	}{
		"reads": {
			read(0), []operation{read(1), read(99), read(2), read(1)}, []string{"POST /v1/user_mappings/lookup"},
		},
		"writes": {
			create("", person(50)),
			[]operation{
				create("k1", person(51)), create("", with(52, "user8@example.com")), create("", with(53, "nonsense")),
				create("", with(54, "user54@example.com", func(m *idmap.UserMapping) { m.Source.Connection.ID = "nowhere" })),
				change(1, 1, "other1@example.com"), change(2, 7, "other2@example.com"), change(99, 0, "user99@example.com"), change(3, 0, "user4@example.com"),
				change(5, 7, "user5@example.com"),
				remove(6, 1), remove(7, 9), removeID("nobody"), create("", with(55, "user9@example.com")),
			},
			[]string{"POST /v1/user_mappings/batch"},
		},
		"writes about one": {
			create("", person(50)),
			[]operation{change(1, 1, "other1@example.com"), change(1, 1, "again1@example.com"), create("k", person(51)), create("k", person(51)), create("k", person(52))},
			[]string{"POST /v1/user_mappings/batch", "POST /v1/user_mappings/batch", "POST /v1/user_mappings"},
		},
		"checks": {
			validate(nil, creates(person(50))),
			[]operation{
				validate(nil, creates(person(51))), validate(nil, creates(person(51))), validate(nil, creates(with(52, "user1@example.com"))),
				validate(nil, creates(with(52, "user1@example.com")), deletes(1)),
				validate(nil, deletes(1), deletes(2), deletes(1)), validate(nil, creates(person(53)), creates(person(53))),
			},
			[]string{"POST /v1/user_mappings/validate"},
		},
		"checks with a directory": {
			validate(nil, creates(person(50))),
			[]operation{
				validate(proposed(true, "user51"), creates(person(51))), validate(proposed(true, "user52", "user51"), creates(person(52))),
				validate(proposed(true, "user54"), creates(person(53))), validate(proposed(true), deletes(3)),
			},
			[]string{"POST /v1/user_mappings/validate"},
		},
		"checks that do not fit": { // without its directory, with another one, with none at all
			validate(nil, creates(person(50))),
			[]operation{
				validate(proposed(true, "user51"), creates(person(51))), validate(nil, creates(person(52))),
				validate(proposed(false, "user53"), creates(person(53))), validate(proposed(true, "user54"), creates(person(54))),
			},
			[]string{"POST /v1/user_mappings/validate", "POST /v1/user_mappings/validate", "POST /v1/user_mappings/validate"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			one, its := staged(t, 10)
			other, others := staged(t, 10)
			c, w := gathered(t, other, nil)
			want, got := make([]string, len(test.calls)), make([]string, len(test.calls))
			_, _ = test.opener(t.Context(), one.Client, its)
			var calls []func()
			for i, call := range test.calls {
				answer, err := call(t.Context(), one.Client, its)
				want[i] = said(its, answer, err)
				calls = append(calls, func() {
					answer, err := call(t.Context(), c, others)
					got[i] = said(others, answer, err)
				})
			}
			together(t, c, w, func() { _, _ = test.opener(t.Context(), c, others) }, calls...)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("call %d together\n%s\nalone\n%s", i, got[i], want[i])
				}
			}
			wantRequests(t, w, test.requests...)
		})
	}
}

// wantRequests holds the requests after the first against methods and paths.
func wantRequests(t *testing.T, w *wire, want ...string) {
	t.Helper()
	var got []string
	for _, r := range w.seen()[1:] {
		method, rest, _ := strings.Cut(r, " ")
		path, _, _ := strings.Cut(rest, " ")
		got = append(got, method+" "+path)
	}
	if !slices.Equal(got, want) {
		t.Errorf("requests %q\nwant     %q", got, want)
	}
}

// TestOneBadItem: what the server cannot read of one call fails no other. Ids that make no item are not put into one.
func TestOneBadItem(t *testing.T) {
	one, its := staged(t, 3)
	other, others := staged(t, 3)
	c, w := gathered(t, other, nil)
	calls := []operation{
		create("", person(51)), create("", with(52, "user52@example.com", func(m *idmap.UserMapping) { m.Origin = "nonsense" })),
		create(strings.Repeat("k", 300), person(53)), change(1, 1, "other1@example.com"), remove(2, 1),
	}
	got := make([]string, len(calls))
	var all []func()
	for i, call := range calls {
		all = append(all, func() {
			answer, err := call(t.Context(), c, others)
			got[i] = said(others, answer, err)
		})
	}
	together(t, c, w, func() { _, _ = create("", person(50))(t.Context(), c, others) }, all...)
	for i, call := range calls {
		answer, err := call(t.Context(), one.Client, its)
		if want := said(its, answer, err); got[i] != want {
			t.Errorf("call %d together\n%s\nalone\n%s", i, got[i], want)
		}
	}
	for _, id := range []string{"", ".", "..", "a/b", "a b", "\x00", "ä", strings.Repeat("i", 256), strings.Repeat("i", 3000)} {
		answer, err := readID(id)(t.Context(), c, others)
		single, singleErr := readID(id)(t.Context(), one.Client, its)
		if got, want := said(others, answer, err), said(its, single, singleErr); err == nil || got != want {
			if _, foreign := errors.AsType[*client.ForeignServerError](singleErr); !foreign { // it names the server
				t.Errorf("%q together\n%s\nalone\n%s", id, got, want)
			}
		}
	}
}
