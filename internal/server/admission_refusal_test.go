package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/server"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// crowd are clients of a server over HTTP, none of which sends a request again.
type crowd struct {
	*acctest.Server // of the same database: it is not crowded
	t               *testing.T
	handler         http.Handler
	web             *httptest.Server
	tokens          map[string]string // secrets by name
	all             sync.WaitGroup
}

// crowded returns a server on that database, and clients with a token each.
func crowded(t *testing.T, database store.Store, handler func(*acctest.Server) http.Handler, clients ...string) *crowd {
	t.Helper()
	c := &crowd{t: t, Server: acctest.NewServerOn(t, database), tokens: map[string]string{}}
	c.handler = handler(c.Server)
	c.web = httptest.NewServer(c.handler)
	t.Cleanup(c.web.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, name := range clients {
		made, err := c.Client.CreateToken(t.Context(), idmap.Token{Name: name, Scopes: []idmap.Scope{idmap.ScopeWrite}})
		if err != nil {
			t.Fatal(err)
		}
		c.tokens[name] = made.Secret
	}
	return c
}

// create sends a request that creates the connection, once.
func (c *crowd) create(ctx context.Context, token, connection string) (reply, error) {
	body := fmt.Sprintf(`{"name":%q,"platform":{"id":"generic"}}`, connection)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.web.URL+"/v1/connections", strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.tokens[token])
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", connection)
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	return reply{t: c.t, Status: got.StatusCode, Header: got.Header, Body: text}, err
}

// later sends the request of create, which is to be answered with success in the end.
func (c *crowd) later(token, connection string) {
	c.all.Go(func() {
		if got, err := c.create(c.t.Context(), token, connection); err != nil || got.Status != http.StatusCreated {
			c.t.Errorf("%s was answered %d, %v: %s", connection, got.Status, err, got.Body)
		}
	})
}

// waits returns when so many requests wait.
func (c *crowd) waits(n float64) {
	c.t.Helper()
	until(c.t, fmt.Sprint(n, " requests to wait"), func() bool { return metric(c.t, c.handler, waitingRequests) == n })
}

// A refusal is how a request is refused for which there is no room.
type refusal struct {
	status                          int
	code, retryAfter, reason, words string
}

// mustRefuse sends a request that is to be refused.
func (c *crowd) mustRefuse(token, connection string, want refusal) {
	c.t.Helper()
	before := c.refusals(want)
	ctx, stop := context.WithTimeout(c.t.Context(), 30*time.Second) // for when it is let in, and waits
	defer stop()
	got, err := c.create(ctx, token, connection)
	if err != nil {
		c.t.Fatal(err)
	}
	want.must(got)
	if n := c.refusals(want) - before; n != 1 {
		c.t.Errorf("the metrics count %v more for %s", n, want.reason)
	}
}

// refusals returns how many the metrics count for that reason.
func (c *crowd) refusals(of refusal) float64 {
	c.t.Helper()
	return metric(c.t, c.handler, fmt.Sprintf(`idmap_http_requests_refused_total{reason=%q}`, of.reason))
}

// must checks an answer: it says in a sentence what was found, what is required and the way out, and when to come again.
func (want refusal) must(got reply) {
	got.t.Helper()
	got.want(want.status, want.code)
	if got.Header.Get("Retry-After") != want.retryAfter || got.text("detail") != want.words || got.get("status") != float64(want.status) || got.text("title") != http.StatusText(want.status) {
		got.t.Errorf("Retry-After %q and %s\nwant %+v", got.Header.Get("Retry-After"), got.Body, want)
	}
}

// clientQueue is the refusal of a request whose token has so many waiting.
func clientQueue(token string, waiting int) refusal {
	return refusal{http.StatusTooManyRequests, "rate_limited", "2", "client_queue", fmt.Sprintf(
		"Token %q has %d requests waiting, and one token may have no more. Send fewer at once, and this one again later.", token, waiting)}
}

// fullQueue is the refusal of a server that has so many requests waiting.
func fullQueue(waiting int) refusal {
	return refusal{http.StatusServiceUnavailable, "unavailable", "2", "queue", fmt.Sprintf(
		"The server has %d requests waiting, and takes no more. Send this one again later.", waiting)}
}

// made returns the names of the connections, as they were made, from the audit.
func (c *crowd) made() (names []string) {
	c.t.Helper()
	for entry, err := range c.Client.Audit(c.t.Context(), idmap.AuditFilter{Kind: "connection"}) {
		if err != nil {
			c.t.Fatal(err)
		}
		var after struct{ Name string }
		if err := json.Unmarshal(entry.After, &after); err != nil {
			c.t.Fatal(err)
		}
		names = append(names, after.Name)
	}
	slices.Reverse(names) // the newest is first
	stored := 0
	for _, err := range c.Client.Connections(c.t.Context(), client.ConnectionFilter{}) {
		if stored++; err != nil {
			c.t.Fatal(err)
		}
	}
	if stored != len(names) {
		c.t.Errorf("%d connections are stored, and the audit has %d", stored, len(names))
	}
	return names
}

// mustHaveMade checks that these connections were made, in any order, and no others.
func (c *crowd) mustHaveMade(want ...string) {
	c.t.Helper()
	got := c.made()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.t.Errorf("made were %q, want %q", got, want)
	}
}

// openRoutes need no place.
var openRoutes = []string{"/healthz", "/readyz", "/metrics", "/openapi.json"}

func (c *crowd) mustAnswerOpenRoutes() {
	c.t.Helper()
	for _, path := range openRoutes {
		got, err := http.Get(c.web.URL + path) //nolint:noctx // of the test's own server
		if err != nil {
			c.t.Fatal(err)
		}
		_ = got.Body.Close()
		if got.StatusCode != http.StatusOK {
			c.t.Errorf("%s is answered %d", path, got.StatusCode)
		}
	}
}

// TestFullQueues fills first the queue of a token, then that of the server, while nothing can be written. What was let in
// is made, and what was refused is not, until it is sent again. It has bounds of its own, so it runs alone.
func TestFullQueues(t *testing.T) {
	database := acctest.OpenSQLite(t)
	c := crowded(t, database, func(a *acctest.Server) http.Handler { return server.NewBounded(a.Backend, 3, 2, 4, 3, time.Hour) }, "many", "few", "third")
	release := hold(t, database)
	defer release()
	for n := range 5 {
		c.later("many", fmt.Sprint("many ", n))
	}
	c.waits(3) // and two are at work
	c.mustRefuse("many", "refused 1", clientQueue("many", 3))
	c.later("few", "few 0")
	c.later("few", "few 1")
	c.waits(4)
	c.mustRefuse("few", "refused 2", fullQueue(4))
	c.mustRefuse("third", "refused 3", fullQueue(4))
	c.mustRefuse("many", "refused 1", clientQueue("many", 3))
	c.mustAnswerOpenRoutes()

	release()
	c.all.Wait()
	c.waits(0)
	letIn := []string{"many 0", "many 1", "many 2", "many 3", "many 4", "few 0", "few 1"}
	c.mustHaveMade(letIn...)
	c.later("many", "refused 1") // under the same Idempotency-Key
	c.later("third", "refused 3")
	c.all.Wait()
	c.mustHaveMade(append(letIn, "refused 1", "refused 3")...)
}

// TestPatienceIsOver: of two requests one has the only place and cannot go on, and the other waits in vain. It is told so,
// and nothing of it is done later. It has bounds of its own, so it runs alone.
func TestPatienceIsOver(t *testing.T) {
	database := acctest.OpenSQLite(t)
	c := crowded(t, database, func(a *acctest.Server) http.Handler {
		return server.NewBounded(a.Backend, 1, 1, 4, 3, 20*time.Millisecond)
	}, "one", "other")
	release := hold(t, database)
	defer release()
	type answer struct {
		reply
		token string
	}
	answers := make(chan answer, 2)
	for _, token := range []string{"one", "other"} {
		c.all.Go(func() {
			got, err := c.create(t.Context(), token, token)
			if err != nil {
				t.Error(err)
			}
			answers <- answer{got, token}
		})
	}
	unheard := refusal{
		http.StatusServiceUnavailable, "unavailable", "2", "patience",
		"The request waited for 20ms, since the server has more to do than it can. Send it again later.",
	}
	unheard.must((<-answers).reply)
	if n := c.refusals(unheard); n != 1 {
		t.Errorf("the metrics count %v", n)
	}
	c.mustAnswerOpenRoutes()
	release()
	c.all.Wait()
	served := <-answers
	served.want(http.StatusCreated)
	c.mustHaveMade(served.token)
}

// TestWhoIsGoneIsNotServed: a client goes while its request waits. Its place in the queue is free at once, and what it
// asked for is never done. It has bounds of its own, so it runs alone.
func TestWhoIsGoneIsNotServed(t *testing.T) {
	database := acctest.OpenSQLite(t)
	c := crowded(t, database, func(a *acctest.Server) http.Handler { return server.NewBounded(a.Backend, 1, 1, 2, 2, time.Hour) }, "first", "gone", "third")
	release := hold(t, database)
	defer release()
	c.later("first", "first 0")
	c.later("first", "first 1")
	c.waits(1)
	ctx, leave := context.WithCancel(t.Context())
	c.all.Go(func() {
		if got, err := c.create(ctx, "gone", "gone"); err == nil {
			t.Errorf("who had gone was answered %d: %s", got.Status, got.Body)
		}
	})
	c.waits(2)
	c.mustRefuse("third", "third", fullQueue(2))
	leave()
	c.waits(1)
	c.later("third", "third") // has its place now
	c.waits(2)
	release()
	c.all.Wait()
	c.mustHaveMade("first 0", "first 1", "third")
}

// TestFloodLeavesOthersTheirTurn: two clients come when twenty requests of a third wait. Each is served when no more than
// one more of these was. It has bounds of its own, so it runs alone.
func TestFloodLeavesOthersTheirTurn(t *testing.T) {
	database := acctest.OpenSQLite(t)
	c := crowded(t, database, func(a *acctest.Server) http.Handler { return server.NewBounded(a.Backend, 1, 1, 100, 50, time.Hour) }, "flood", "one", "other")
	release := hold(t, database)
	defer release()
	const flood = 21
	for n := range flood {
		c.later("flood", fmt.Sprint("flood ", n))
	}
	c.waits(flood - 1)
	c.later("one", "one")
	c.waits(flood)
	c.later("other", "other")
	c.waits(flood + 1)
	release()
	c.all.Wait()
	made := c.made()
	if one, other := slices.Index(made, "one"), slices.Index(made, "other"); one != 2 || other != 3 || len(made) != flood+2 {
		t.Errorf("served were, in this order, %q", made)
	}
}

// TestMoreThanTheRate: what was refused beyond a token's rate was not done, and another token has its own.
func TestMoreThanTheRate(t *testing.T) {
	t.Parallel()
	c := crowded(t, acctest.OpenSQLite(t), func(a *acctest.Server) http.Handler { return server.New(a.Backend, server.Options{RateLimit: 2}) }, "quick", "slow")
	var made []string
	var refused reply
	until(t, "a refusal", func() bool {
		name := fmt.Sprint("quick ", len(made))
		got, err := c.create(t.Context(), "quick", name)
		if err != nil {
			t.Fatal(err)
		}
		if refused = got; got.Status == http.StatusCreated {
			made = append(made, name)
		}
		return got.Status != http.StatusCreated
	})
	c.later("slow", "slow")
	tooMany := refusal{
		http.StatusTooManyRequests, "rate_limited", "1", "rate_limit",
		`Token "quick" has sent more than 2 requests within a second, which is what this server takes of one token. Send this one again after a second; Retry-After says so too.`,
	}
	tooMany.must(refused)
	if n := c.refusals(tooMany); n != 1 {
		t.Errorf("the metrics count %v", n)
	}
	c.mustAnswerOpenRoutes()
	c.all.Wait()
	c.mustHaveMade(append(made, "slow")...)
}
