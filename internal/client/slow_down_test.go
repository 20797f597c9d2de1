package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/server"
)

// meeting may answer a request, the n-th of all, in the server's place, and says whether it did.
type meeting func(n int, w http.ResponseWriter, r *http.Request) bool

// turnstile is a real server that counts what comes, and may refuse it.
type turnstile struct {
	*httptest.Server
	meets meeting

	mu      sync.Mutex
	came    []time.Time
	refused int // answers 429
}

// counted is an answer whose status is counted.
type counted struct {
	http.ResponseWriter
	by *turnstile
}

func (w counted) WriteHeader(status int) {
	if status == http.StatusTooManyRequests {
		w.by.mu.Lock()
		w.by.refused++
		w.by.mu.Unlock()
	}
	w.ResponseWriter.WriteHeader(status)
}

func newTurnstile(t *testing.T, handler http.Handler, meets meeting) *turnstile {
	t.Helper()
	s := &turnstile{meets: meets}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.came = append(s.came, time.Now())
		n := len(s.came)
		s.mu.Unlock()
		if answer := (counted{w, s}); !s.meets(n, answer, r) {
			handler.ServeHTTP(answer, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// arrivals returns when the requests came.
func (s *turnstile) arrivals() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.came)
}

// client returns one that asks this server.
func (s *turnstile) client(t *testing.T, gather bool) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{Endpoint: s.URL, Token: acctest.Token, Gather: gather, MaxRetries: 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.RetrySoon()
	return c
}

// refuse answers that this is too much for a second.
func refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, `{"title":"Too many","errors":[{"code":"rate_limited","description":"Later."}]}`)
}

// TestOneRefusalHoldsAllBack: one call is refused, and whatever other callers then ask for leaves when the time is over.
func TestOneRefusalHoldsAllBack(t *testing.T) {
	t.Parallel()
	for way, gather := range map[string]bool{"gathered": true, "separate": false} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			a, ids := staged(t, 20)
			s := newTurnstile(t, a.Handler, func(n int, w http.ResponseWriter, _ *http.Request) bool {
				if n == 1 {
					refuse(w)
				}
				return n == 1
			})
			c := s.client(t, gather)
			calls := ofAllKinds(c, ids)
			var all sync.WaitGroup
			all.Go(func() { mustAll(t, calls[:1]) })
			for !c.Paused() {
				if len(s.arrivals()) > 1 {
					t.Fatal("it did not wait after the refusal")
				}
				time.Sleep(time.Millisecond)
			}
			for _, call := range calls[1:] {
				all.Go(func() { mustAll(t, []func(context.Context) error{call}) })
			}
			all.Wait()
			came := s.arrivals()
			for _, at := range came[1:] {
				if waited := at.Sub(came[0]); waited < time.Second {
					t.Errorf("a request came %s after the one that was told to wait for a second", waited)
				}
			}
			if n := len(came) - 1; gather && n >= len(calls) || !gather && n != len(calls) {
				t.Errorf("%d requests for %d calls", n, len(calls))
			}
		})
	}
}

// ofAllKinds returns calls, each about another of the mappings.
func ofAllKinds(c *client.Client, ids []string) (calls []func(context.Context) error) {
	for i := range 4 {
		wanted, changed := person(100+i), person(i)
		changed.ID, changed.Email = ids[i], fmt.Sprintf("changed%d@example.com", i)
		calls = append(calls,
			func(ctx context.Context) error { _, err := c.UserMapping(ctx, ids[10+i]); return err },
			func(ctx context.Context) error { _, _, err := c.CreateUserMapping(ctx, "", wanted); return err },
			func(ctx context.Context) error { _, _, err := c.UpdateUserMapping(ctx, changed); return err },
			func(ctx context.Context) error { return c.DeleteUserMapping(ctx, ids[15+i], 0) },
			func(ctx context.Context) error {
				_, err := c.ValidateUserMappings(ctx, []idmap.UserMappingIntent{{Operation: idmap.OperationDelete, ID: ids[5+i]}}, nil)
				return err
			},
			func(ctx context.Context) error { _, err := c.Connection(ctx, "mail"); return err },
		)
	}
	return calls
}

func mustAll(t *testing.T, calls []func(context.Context) error) {
	t.Helper()
	for _, call := range calls {
		if err := call(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestRefusedBatches: some of the batches of a large write are refused, and in the end each mapping was made once.
func TestRefusedBatches(t *testing.T) {
	t.Parallel()
	ways := map[string]apply{
		"together": withOneKey,
		"separately": func(ctx context.Context, c *client.Client, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
			return c.ApplyUserMappingsSeparately(ctx, key, intents)
		},
		"gathered": eachAlone,
	}
	for refusal, between := range map[string]func(a *acctest.Server) (http.Handler, meeting){
		"by a limit": func(a *acctest.Server) (http.Handler, meeting) {
			return server.New(a.Backend, server.Options{RateLimit: 4}), func(int, http.ResponseWriter, *http.Request) bool { return false }
		},
		"when it was done": func(a *acctest.Server) (http.Handler, meeting) {
			return a.Handler, func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n%3 != 0 || n > 9 {
					return false
				}
				a.Handler.ServeHTTP(httptest.NewRecorder(), r)
				refuse(w)
				return true
			}
		},
	} {
		for way, write := range ways {
			t.Run(way+", "+refusal, func(t *testing.T) {
				t.Parallel()
				a, _ := staged(t, 0)
				handler, meets := between(a)
				s := newTurnstile(t, handler, meets)
				writeParts(t, s.client(t, way == "gathered"), write)
				if s.refused == 0 {
					t.Fatal("nothing was refused")
				}
				mustBeThereOnce(t, a, 8*partSize)
			})
		}
	}
}

const partSize = 10

type apply func(context.Context, *client.Client, string, []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error)

// withOneKey makes the creates together, with the key of the whole batch alone.
func withOneKey(ctx context.Context, c *client.Client, key string, intents []idmap.UserMappingIntent) ([]idmap.UserMappingVerdict, error) {
	for i := range intents {
		intents[i].IdempotencyKey = ""
	}
	return c.ApplyUserMappings(ctx, key, intents)
}

// eachAlone makes the creates one after the other, each by a call of its own.
func eachAlone(ctx context.Context, c *client.Client, _ string, intents []idmap.UserMappingIntent) (verdicts []idmap.UserMappingVerdict, err error) {
	for _, in := range intents {
		m, _, failed := c.CreateUserMapping(ctx, in.IdempotencyKey, *in.UserMapping)
		verdicts, err = append(verdicts, idmap.UserMappingVerdict{UserMapping: &m}), errors.Join(err, failed)
	}
	return verdicts, err
}

// writeParts makes mappings by eight calls at once, and checks that each is answered with its own.
func writeParts(t *testing.T, c *client.Client, write apply) {
	t.Helper()
	var all sync.WaitGroup
	for part := range 8 {
		all.Go(func() {
			var intents []idmap.UserMappingIntent
			for i := range partSize {
				m := person(part*partSize + i)
				intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m, IdempotencyKey: client.NewKey()})
			}
			verdicts, err := write(t.Context(), c, client.NewKey(), intents)
			if err != nil {
				t.Error(err)
				return
			}
			for i, v := range verdicts {
				if len(v.Violations) > 0 || v.UserMapping == nil || v.UserMapping.UserID != intents[i].UserMapping.UserID {
					t.Errorf("%s was answered %+v", intents[i].UserMapping.UserID, v)
				}
			}
		})
	}
	all.Wait()
}

// mustBeThereOnce checks that the mappings are there, and that no other was ever made.
func mustBeThereOnce(t *testing.T, a *acctest.Server, want int) {
	t.Helper()
	if n := count(t, a.Client.UserMappings(t.Context(), idmap.UserMappingFilter{})); n != want {
		t.Errorf("%d mappings, want %d", n, want)
	}
	if n := count(t, a.Client.Audit(t.Context(), idmap.AuditFilter{Kind: "user_mapping"})); n != want {
		t.Errorf("the audit has %d entries about mappings, want %d creates", n, want)
	}
}

// TestFewRequestsLeft: calls share more of a request when the server says that it will soon refuse, and less when it has
// room again.
func TestFewRequestsLeft(t *testing.T) {
	t.Parallel()
	a, _ := staged(t, 0)
	var limit, left string
	var refuses bool
	s := newTurnstile(t, a.Handler, func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		for name, value := range map[string]string{"RateLimit-Limit": limit, "RateLimit-Remaining": left} {
			if value != "" {
				w.Header().Set(name, value)
			}
		}
		if refuses {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return refuses
	})
	c, err := client.New(client.Config{Endpoint: s.URL, Token: acctest.Token, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, step := range []struct {
		name, limit, left string
		refuses, want     bool
	}{
		{name: "a server without a limit"},
		{name: "half is left", limit: "20", left: "10"},
		{name: "less is left", limit: "20", left: "9", want: true},
		{name: "of a limit that it does not know nothing changes", limit: "100, 100;w=60", left: "99", want: true},
		{name: "there is more again", limit: "20", left: "15"},
		{name: "nothing is left of one", limit: "1", left: "0", want: true},
		{name: "there is of one", limit: "1", left: "1"},
		{name: "it refuses, and says that none is left", limit: "20", left: "0", refuses: true, want: true},
		{name: "there is more after a refusal", limit: "20", left: "20"},
		{name: "it refuses for another reason", limit: "20", left: "19", refuses: true, want: true},
		{name: "and has room again", limit: "20", left: "19"},
		{name: "it refuses, and says no more", refuses: true, want: true},
		{name: "nothing is known after that", want: true},
	} {
		limit, left, refuses = step.limit, step.left, step.refuses
		if _, err := c.Capabilities(t.Context()); (err != nil) != step.refuses {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := c.Short(); got != step.want {
			t.Errorf("%s: short %t, want %t", step.name, got, step.want)
		}
	}
}
