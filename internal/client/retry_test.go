package client

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestRetriedUntilItWorks(t *testing.T) {
	tests := map[string]http.HandlerFunc{
		"429": problemJSON(429, "rate_limited", "Wait."),
		"500": problemJSON(500, "internal", "The server failed."),
		"502": answerJSON(502, "<html>"),
		"503": problemJSON(503, "unavailable", "Busy."),
		"504": answerJSON(504, ""),
		"cut": cut, "half": half,
	}
	for name, failure := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, failure, failure, mapping)
			m, warnings, err := clientOf(t, s.URL, nil).CreateUserMapping(t.Context(), "key-1", idmap.UserMapping{UserID: "a"})
			if err != nil || m.ID != "um_1" || len(warnings) != 1 {
				t.Fatalf("got %+v, %v, %v", m, warnings, err)
			}
			requests := s.seen()
			if len(requests) != 3 {
				t.Fatalf("%d requests, want 3", len(requests))
			}
			for _, r := range requests { // every attempt is the same request, so the server can tell
				if r.header.Get("Idempotency-Key") != "key-1" || r.body != requests[0].body || r.body == "" {
					t.Errorf("key %q, body %q", r.header.Get("Idempotency-Key"), r.body)
				}
			}
		})
	}
}

func TestEveryWriteIsRetriedAfterALostAnswer(t *testing.T) {
	calls := map[string]func(*Client, context.Context) error{
		"PUT": func(c *Client, ctx context.Context) error {
			_, _, err := c.UpdateUserMapping(ctx, idmap.UserMapping{ID: "um_1", Revision: 7})
			return err
		},
		"DELETE":            func(c *Client, ctx context.Context) error { return c.DeleteUserMapping(ctx, "um_1", 7) },
		"DELETE of account": func(c *Client, ctx context.Context) error { return c.DeleteAccount(ctx, "c1", "a1", 7) },
		"DELETE of group":   func(c *Client, ctx context.Context) error { return c.DeleteGroup(ctx, "c1", "g1", 7) },
		"POST without a key": func(c *Client, ctx context.Context) error {
			_, _, err := c.CreateUserMapping(ctx, "", idmap.UserMapping{})
			return err
		},
	}
	for name, do := range calls {
		t.Run(name, func(t *testing.T) {
			s := serve(t, cut, mapping)
			if err := do(clientOf(t, s.URL, nil), t.Context()); err != nil {
				t.Fatal(err)
			}
			requests := s.seen()
			if len(requests) != 2 {
				t.Fatalf("%d requests, want 2", len(requests))
			}
			if name == "POST without a key" {
				if k := requests[0].header.Get("Idempotency-Key"); k == "" || k != requests[1].header.Get("Idempotency-Key") {
					t.Errorf("the attempts have no key in common: %q", k)
				}
			} else if got := requests[1].header.Get("If-Match"); got != `"7"` {
				t.Errorf("If-Match %q", got)
			}
		})
	}
}

// TestCreateTokenIsNotRepeated: a second attempt would make a second token, or find one whose secret nobody knows.
func TestCreateTokenIsNotRepeated(t *testing.T) {
	for name, failure := range map[string]http.HandlerFunc{
		"cut": cut, "half": half, "busy": problemJSON(503, "unavailable", "Busy."), "failed": problemJSON(500, "internal", "The server failed."),
	} {
		s := serve(t, failure, answerJSON(http.StatusCreated, `{"token":{"id":"t1"}}`))
		_, err := clientOf(t, s.URL, nil).CreateToken(t.Context(), idmap.Token{Name: "ci"})
		if requests := s.seen(); err == nil || len(requests) != 1 || requests[0].header.Get("Idempotency-Key") != "" {
			t.Errorf("%s: %v after %+v", name, err, requests)
		}
	}
}

// TestCreateTokenWaitsForRoom: where there was no room for a call, nothing was done.
func TestCreateTokenWaitsForRoom(t *testing.T) {
	s := serve(t, problemJSON(429, "rate_limited", "Wait."), answerJSON(http.StatusCreated, `{"token":{"id":"t1"}}`))
	if token, err := clientOf(t, s.URL, nil).CreateToken(t.Context(), idmap.Token{Name: "ci"}); err != nil || token.ID != "t1" || len(s.seen()) != 2 {
		t.Errorf("%+v, %v after %d requests", token, err, len(s.seen()))
	}
}

// TestUploadsTakeTheirTime, and are repeated as they were.
func TestUploadsTakeTheirTime(t *testing.T) {
	slow := func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(200 * time.Millisecond)
		answerJSON(http.StatusOK, `{"import_report":{"count":1}}`)(w, req)
	}
	s := serve(t, cut, slow)
	c := clientOf(t, s.URL, func(c *Config) { c.RequestTimeout = 50 * time.Millisecond })
	report, err := c.ImportGroups(t.Context(), "c1", 7, "text/csv", []byte("id\n"))
	requests := s.seen()
	if err != nil || report.Count != 1 || len(requests) != 2 {
		t.Fatalf("%+v, %v in %d requests", report, err, len(requests))
	}
	for _, r := range requests {
		if r.body != "id\n" || r.header.Get("If-Match") != `"7"` {
			t.Errorf("sent %+v", r)
		}
	}
}

func TestDeleteOfWhatIsGone(t *testing.T) {
	gone := serve(t, cut, problemJSON(404, "not_found", "There is none."))
	if err := clientOf(t, gone.URL, nil).DeleteConnection(t.Context(), "c1", 0); err != nil {
		t.Errorf("a typed 404 is success, got %v", err)
	}
	proxy := serve(t, answerJSON(404, "<html>not here</html>", "Content-Type", "text/html"))
	var foreign *ForeignServerError
	if err := clientOf(t, proxy.URL, nil).DeleteConnection(t.Context(), "c1", 0); !errors.As(err, &foreign) {
		t.Errorf("a proxy's 404 is no success, got %v", err)
	}
	changed := serve(t, problemJSON(412, "revision_conflict", "Changed."))
	if err := clientOf(t, changed.URL, nil).DeleteConnection(t.Context(), "c1", 2); !idmap.IsKind(err, idmap.KindRevision) {
		t.Errorf("got %v", err)
	}
}

// TestSuccessThatIsNone: what stands before a server and answers in its place has deleted nothing.
func TestSuccessThatIsNone(t *testing.T) {
	page := answerJSON(200, "<html>sign in</html>", "Content-Type", "text/html")
	ours := answerJSON(200, `{"capabilities":{}}`)
	for name, answers := range map[string][]http.HandlerFunc{"a page": {page}, "nothing": {empty(200), ours}} {
		for call, do := range map[string]func(*Client) error{
			"delete":   func(c *Client) error { return c.DeleteUserMapping(t.Context(), "um_1", 0) },
			"sign out": func(c *Client) error { return c.SignOut(t.Context(), "s1") },
		} {
			err := do(clientOf(t, serve(t, answers...).URL, nil))
			if _, ok := errors.AsType[*ForeignServerError](err); !ok {
				t.Errorf("%s: %s passes for success: %v", call, name, err)
			}
		}
	}
	for name, answers := range map[string][]http.HandlerFunc{
		"204": {empty(204)}, "JSON": {answerJSON(200, "{}")}, "nothing of a platform": {empty(200), empty(404)},
	} {
		if err := clientOf(t, serve(t, answers...).URL, nil).DeleteMap(t.Context(), idmap.AccountMap, "m1", 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotRetried(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 412, 413, 422, 501} {
		s := serve(t, problemJSON(status, "not_found", "No."))
		_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
		if err == nil || errors.Is(err, ErrUnreachable) || len(s.seen()) != 1 {
			t.Errorf("%d: %d requests, %v", status, len(s.seen()), err)
		}
	}
}

func TestRetriesAreBounded(t *testing.T) {
	for configured, want := range map[int]int{0: 5, 2: 3, -1: 1} {
		s := serve(t, problemJSON(503, "unavailable", "The database is busy."))
		_, err := clientOf(t, s.URL, func(c *Config) { c.MaxRetries = configured }).UserMapping(t.Context(), "um_1")
		if len(s.seen()) != want {
			t.Errorf("MaxRetries %d: %d requests, want %d", configured, len(s.seen()), want)
		}
		var unreachable *UnreachableError
		if !errors.As(err, &unreachable) || !errors.Is(err, ErrUnreachable) || unreachable.Status != 503 || unreachable.Attempts != want {
			t.Fatalf("got %#v", err)
		}
		wantWords(t, err.Error(), s.URL, "could not be reached", "status 503", "The database is busy.", "req-1", "try again")
		wantNoSecret(t, err.Error())
	}
}

// TestServerFault: a backend that fails is no backend out of reach, also when the attempts are used up.
func TestServerFault(t *testing.T) {
	s := serve(t, problemJSON(500, "internal", "The server failed."))
	_, err := clientOf(t, s.URL, func(c *Config) { c.MaxRetries = 2 }).UserMapping(t.Context(), "um_1")
	if errors.Is(err, ErrUnreachable) || !idmap.IsKind(err, idmap.KindInternal) || len(s.seen()) != 3 {
		t.Errorf("%d requests, %v", len(s.seen()), err)
	}
	wantWords(t, err.Error(), "The server failed.", "req-1")

	for name, bare := range map[string]http.HandlerFunc{
		"a page":    answerJSON(500, "<html>", "Content-Type", "text/html"),
		"a gateway": answerJSON(500, `{"message":"Internal server error"}`, "Content-Type", "application/json"),
	} {
		s := serve(t, bare)
		_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
		if !errors.Is(err, ErrUnreachable) || len(s.seen()) != 5 {
			t.Errorf("%s: %d requests, %v", name, len(s.seen()), err)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	forms := map[string]func() string{
		"seconds": func() string { return "1" },
		"date":    func() string { return time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat) }, // in whole seconds
	}
	for name, header := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			busy := func(w http.ResponseWriter, req *http.Request) {
				problemJSON(503, "unavailable", "Busy.", "Retry-After", header())(w, req)
			}
			s := serve(t, busy, mapping)
			if _, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1"); err != nil {
				t.Fatal(err)
			}
			requests := s.seen()
			if waited := requests[1].at.Sub(requests[0].at); waited < 900*time.Millisecond || waited > 5*time.Second {
				t.Errorf("waited %s", waited)
			}
		})
	}
}

func TestRetryAfterThatCannotBeWaitedFor(t *testing.T) {
	s := serve(t, problemJSON(429, "rate_limited", "Slow down.", "Retry-After", "3600"))
	began := time.Now()
	_, err := clientOf(t, s.URL, nil).UserMapping(t.Context(), "um_1")
	if !errors.Is(err, ErrUnreachable) || len(s.seen()) != 1 {
		t.Errorf("an hour: %d requests, %v", len(s.seen()), err)
	}
	wantWords(t, err.Error(), "429", "Slow down.", "fewer concurrent requests")

	s = serve(t, problemJSON(429, "rate_limited", "Slow down.", "Retry-After", "30"))
	c := clientOf(t, s.URL, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err = c.UserMapping(ctx, "um_1"); !errors.Is(err, ErrUnreachable) || len(s.seen()) != 1 {
		t.Errorf("longer than the deadline: %d requests, %v", len(s.seen()), err)
	}
	if _, err = c.UserMapping(ctx, "um_2"); !errors.Is(err, ErrUnreachable) || len(s.seen()) != 1 {
		t.Errorf("the next call does not wait for a pause that outlasts it: %d requests, %v", len(s.seen()), err)
	}
	wantWords(t, err.Error(), "asks to wait")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s to give up", took)
	}
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		name      string
		attempt   int
		status    int // 0: no answer
		header    string
		low, high time.Duration
	}{
		{"first", 0, 0, "", 50 * time.Millisecond, 100 * time.Millisecond},
		{"third", 2, 0, "", 200 * time.Millisecond, 400 * time.Millisecond},
		{"bounded", 9, 0, "", 500 * time.Millisecond, time.Second},
		{"no overflow", 900, 0, "", 500 * time.Millisecond, time.Second},
		{"Retry-After", 0, 429, "8", 8 * time.Second, 9 * time.Second},
		{"past", 0, 503, "Mon, 01 Jan 2001 00:00:00 GMT", 50 * time.Millisecond, 100 * time.Millisecond},
		{"broken", 0, 503, "soon", 50 * time.Millisecond, 100 * time.Millisecond},
		{"negative", 0, 429, "-5", 50 * time.Millisecond, 100 * time.Millisecond},
		{"not for 502", 0, 502, "8", 50 * time.Millisecond, 100 * time.Millisecond},
	}
	for _, test := range tests {
		var resp *http.Response
		if test.status != 0 {
			resp = &http.Response{StatusCode: test.status, Header: http.Header{"Retry-After": {test.header}}}
		}
		different := map[time.Duration]bool{}
		for range 50 {
			got := backoff(100*time.Millisecond, time.Second, test.attempt, resp)
			different[got] = true
			if got < test.low || got > test.high {
				t.Errorf("%s: %s, want %s to %s", test.name, got, test.low, test.high)
			}
		}
		if len(different) < 10 {
			t.Errorf("%s: only %d different waits in 50", test.name, len(different))
		}
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	var now, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, req *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
		mapping(w, req)
	})
	c := clientOf(t, s.URL, func(c *Config) { c.MaxConcurrentRequests = 3 })
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if _, err := c.UserMapping(t.Context(), "um_1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := most.Load(); got != 3 {
		t.Errorf("%d requests at one time, want 3", got)
	}
}

// A call that waits before it tries again must not keep others out.
func TestNoSlotIsHeldWhileWaiting(t *testing.T) {
	s := serve(t, problemJSON(502, "", "Broken."), mapping)
	c := clientOf(t, s.URL, func(c *Config) { c.MaxConcurrentRequests = 1 })
	c.retry.RetryWaitMin, c.retry.RetryWaitMax = time.Minute, time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := c.UserMapping(ctx, "um_1")
		waiting <- err
	}()
	for len(s.seen()) == 0 {
		time.Sleep(time.Millisecond)
	}
	soon, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	if _, err := c.UserMapping(soon, "um_2"); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("a cancelled call gave %v", err)
	}
}

func TestSlowAttemptIsRetried(t *testing.T) {
	slow := func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
	s := serve(t, slow, mapping)
	c := clientOf(t, s.URL, func(c *Config) { c.RequestTimeout = 100 * time.Millisecond })
	if _, err := c.UserMapping(t.Context(), "um_1"); err != nil || len(s.seen()) != 2 {
		t.Errorf("%d requests, %v", len(s.seen()), err)
	}

	s = serve(t, slow)
	c = clientOf(t, s.URL, func(c *Config) { c.RequestTimeout, c.MaxRetries = 50*time.Millisecond, 1 })
	_, err := c.UserMapping(t.Context(), "um_1")
	if !errors.Is(err, ErrUnreachable) || errors.Is(err, context.DeadlineExceeded) || len(s.seen()) != 2 {
		t.Errorf("%d requests, %v", len(s.seen()), err)
	}
	wantWords(t, err.Error(), "no complete answer within 50ms", "2 attempts")
}

// The deadline of an attempt covers a body that trickles.
func TestSlowBodyIsRetried(t *testing.T) {
	trickle := func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(mappingBody[:10]))
		_ = http.NewResponseController(w).Flush()
		<-req.Context().Done()
	}
	s := serve(t, trickle, mapping)
	c := clientOf(t, s.URL, func(c *Config) { c.RequestTimeout = 100 * time.Millisecond })
	if _, err := c.UserMapping(t.Context(), "um_1"); err != nil || len(s.seen()) != 2 {
		t.Errorf("%d requests, %v", len(s.seen()), err)
	}
}

func TestContextOfTheCaller(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	c := clientOf(t, s.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.UserMapping(ctx, "um_1"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnreachable) {
		t.Errorf("cancelled: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.UserMapping(ctx, "um_1"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUnreachable) {
		t.Errorf("deadline: %v", err)
	}
	if len(s.seen()) != 2 {
		t.Errorf("%d requests, want one for each call", len(s.seen()))
	}
}

func TestNothingListens(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, err = clientOf(t, "http://"+address, func(c *Config) { c.MaxRetries = 1 }).UserMapping(t.Context(), "um_1")
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Attempts != 2 || unreachable.Status != 0 {
		t.Fatalf("got %#v", err)
	}
	wantWords(t, err.Error(), "http://"+address, "connection refused", "2 attempts", "is required", "Check the endpoint")
	if strings.Contains(err.Error(), "/v1/") {
		t.Errorf("%q shows the request, of which nobody asked", err)
	}
}

func TestAnswerTooLarge(t *testing.T) {
	s := serve(t, answerJSON(200, strings.Repeat(" ", 2<<20)))
	c := clientOf(t, s.URL, nil)
	c.attempts.maxBody = 1 << 20
	_, err := c.UserMapping(t.Context(), "um_1")
	var foreign *ForeignServerError
	if !errors.As(err, &foreign) || len(s.seen()) != 1 {
		t.Fatalf("%d requests, %v", len(s.seen()), err)
	}
	wantWords(t, err.Error(), "larger than 1 MiB", "status 200", "application/json")
	if m, err := clientOf(t, serve(t, answerJSON(200, mappingBody+strings.Repeat(" ", 2<<20))).URL, nil).UserMapping(t.Context(), "um_1"); err != nil || m.ID != "um_1" {
		t.Errorf("a large answer is read: %v", err)
	}
}
