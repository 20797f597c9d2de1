package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func answerOf(req *http.Request, status int, body string) *http.Response {
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

// creating returns calls that each create a mapping, and fill in its id or its error.
func creating(t *testing.T, c *client.Client, ids []string, errs []error) (calls []func()) {
	t.Helper()
	for i := range ids {
		calls = append(calls, func() {
			m, _, err := c.CreateUserMapping(t.Context(), fmt.Sprint("key ", i), person(100+i))
			ids[i], errs[i] = m.ID, err
		})
	}
	return calls
}

// TestGatheredAnswerIsLost: the server made the mappings; each is there once, under the id that its caller gets.
func TestGatheredAnswerIsLost(t *testing.T) {
	s, _ := staged(t, 1)
	c, w := gathered(t, s, nil)
	c.RetrySoon()
	lost := false
	w.disturb = func(req *http.Request, answer *http.Response) (*http.Response, error) {
		if answer != nil && strings.HasSuffix(req.URL.Path, "/batch") && !lost {
			lost = true
			return nil, io.ErrUnexpectedEOF
		}
		return answer, nil
	}
	ids, errs := make([]string, 5), make([]error, 5)
	together(t, c, w, func() { _, _, _ = c.CreateUserMapping(t.Context(), "", person(50)) }, creating(t, c, ids, errs)...)
	if err := errors.Join(errs...); err != nil || !lost {
		t.Fatal(err, lost)
	}
	for i, id := range ids {
		again, _, err := s.Client.CreateUserMapping(t.Context(), fmt.Sprint("key ", i), person(100+i)) // alone, under the same key
		if err != nil || again.ID != id {
			t.Errorf("%d is %q, then %q, %v", i, id, again.ID, err)
		}
	}
	if n := count(t, s.Client.UserMappings(t.Context(), idmap.UserMappingFilter{})); n != 7 {
		t.Errorf("%d mappings, want 7", n)
	}
}

// TestGatheredRequestFails as a whole: every caller gets the error.
func TestGatheredRequestFails(t *testing.T) {
	const malformed = `{"title":"x","errors":[{"code":"unauthorized","description":"Who?"}]}`
	for name, test := range map[string]struct {
		status int
		body   string
		is     func(error) bool
	}{
		"too few answers": {200, `{"user_mapping_verdicts":[{}]}`, func(err error) bool {
			_, foreign := errors.AsType[*client.ForeignServerError](err)
			return foreign
		}},
		"a verdict of nothing": {200, `{"user_mapping_verdicts":[{},{}]}`, func(err error) bool {
			_, foreign := errors.AsType[*client.ForeignServerError](err)
			return foreign
		}},
		"unauthorized": {401, malformed, func(err error) bool { return idmap.IsKind(err, idmap.KindUnauthorized) }},
		"busy":         {503, malformed, func(err error) bool { return errors.Is(err, client.ErrUnreachable) }},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := staged(t, 0)
			c, w := gathered(t, s, func(config *client.Config) { config.MaxRetries = -1 })
			w.disturb = func(req *http.Request, answer *http.Response) (*http.Response, error) {
				if answer == nil && strings.HasSuffix(req.URL.Path, "/batch") {
					return answerOf(req, test.status, test.body), nil
				}
				return answer, nil
			}
			ids, errs := make([]string, 2), make([]error, 2)
			together(t, c, w, func() { _, _, _ = c.CreateUserMapping(t.Context(), "", person(50)) }, creating(t, c, ids, errs)...)
			for _, err := range errs {
				if err == nil || !test.is(err) {
					t.Errorf("%v", err)
				}
			}
			wantRequests(t, w, "POST /v1/user_mappings/batch")
		})
	}
}

// TestGatheredRequestWaitsForRoom: one 429 is one for all, and then all get what they asked for.
func TestGatheredRequestWaitsForRoom(t *testing.T) {
	s, _ := staged(t, 0)
	c, w := gathered(t, s, nil)
	c.RetrySoon()
	refused := false
	w.disturb = func(req *http.Request, answer *http.Response) (*http.Response, error) {
		if answer == nil && strings.HasSuffix(req.URL.Path, "/batch") && !refused {
			refused = true
			return answerOf(req, 429, `{"title":"x","errors":[{"code":"rate_limited","description":"Wait."}]}`), nil
		}
		return answer, nil
	}
	ids, errs := make([]string, 3), make([]error, 3)
	together(t, c, w, func() { _, _, _ = c.CreateUserMapping(t.Context(), "", person(50)) }, creating(t, c, ids, errs)...)
	if err := errors.Join(errs...); err != nil || !refused {
		t.Error(err, refused)
	}
	wantRequests(t, w, "POST /v1/user_mappings/batch", "POST /v1/user_mappings/batch")
}

// TestReadAheadIsForgotten: what this client writes, or hears of as a conflict, it reads anew.
func TestReadAheadIsForgotten(t *testing.T) {
	s, ids := staged(t, 100)
	for name, write := range map[string]func(context.Context, *client.Client) error{
		"update": func(ctx context.Context, c *client.Client) error {
			m := person(90)
			m.ID, m.Email = ids[90], "changed@example.com"
			_, _, err := c.UpdateUserMapping(ctx, m)
			return err
		},
		"check": func(ctx context.Context, c *client.Client) error {
			_, err := c.ValidateUserMappings(ctx, []idmap.UserMappingIntent{{Operation: idmap.OperationDelete, ID: ids[90]}}, nil)
			return err
		},
		"conflict": func(ctx context.Context, c *client.Client) error {
			held, err := s.Client.UserMapping(ctx, ids[90])
			if err == nil {
				m := with(200, held.Email)
				_, err = c.ValidateUserMappings(ctx, []idmap.UserMappingIntent{{Operation: idmap.OperationCreate, UserMapping: &m}}, nil)
			}
			return err
		},
		"another object": func(ctx context.Context, c *client.Client) error {
			_, err := c.CreateConnection(ctx, "", idmap.Connection{Name: "more", Platform: idmap.PlatformRef{ID: "generic"}})
			return err
		},
	} {
		c, w := gathered(t, s, nil)
		readAll(t, c, ids[:40])
		ahead := len(w.seen())
		if _, err := c.UserMapping(t.Context(), ids[80]); err != nil || len(w.seen()) != ahead {
			t.Fatalf("%s: nothing was read ahead, %v", name, err)
		}
		if err := write(t.Context(), c); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := len(w.seen())
		now, err := c.UserMapping(t.Context(), ids[90])
		stored, _ := s.Client.UserMapping(t.Context(), ids[90])
		if err != nil || len(w.seen()) != before+1 || now.Email != stored.Email {
			t.Errorf("%s: it is told from before: %+v, %v", name, now, err)
		}
	}
}

// TestGatheredStorm: many callers do all kinds of things at one time, some of them give up, and everybody else gets their own answer.
func TestGatheredStorm(t *testing.T) {
	s, ids := staged(t, 200)
	c, w := gathered(t, s, nil)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			for i := n; i < 200; i += 20 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%7 == 0 {
					cancel()
				}
				if m, err := c.UserMapping(ctx, ids[i]); i%7 == 0 && !errors.Is(err, context.Canceled) || i%7 != 0 && (err != nil || m.ID != ids[i]) {
					t.Errorf("read %d: %+v, %v", i, m, err)
				}
				cancel()
				wanted := person(1000 + i)
				verdicts, err := c.ValidateUserMappings(t.Context(), []idmap.UserMappingIntent{{Operation: idmap.OperationCreate, UserMapping: &wanted}}, nil)
				if err != nil || len(verdicts) != 1 || verdicts[0].UserMapping == nil || verdicts[0].UserMapping.UserID != wanted.UserID {
					t.Errorf("check %d: %+v, %v", i, verdicts, err)
				}
				made, _, err := c.CreateUserMapping(t.Context(), "", wanted)
				if err != nil || made.UserID != wanted.UserID {
					t.Errorf("create %d: %+v, %v", i, made, err)
				}
				if err := c.DeleteUserMapping(t.Context(), made.ID, made.Revision); err != nil {
					t.Errorf("delete %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	if n := count(t, s.Client.UserMappings(t.Context(), idmap.UserMappingFilter{})); n != 200 {
		t.Errorf("%d mappings are left", n)
	}
	if n := len(w.seen()); n > 400 {
		t.Errorf("%d requests for some 800 calls", n)
	}
}
