package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// slowBody is a body of more than 4 MiB whose end is handed over when it may be. It tells when it is asked for that.
type slowBody struct {
	io.Reader
	asked chan struct{}
	may   chan struct{}
}

func newSlowBody(text string) *slowBody {
	most := strings.NewReader(text + strings.Repeat(" ", 9<<19))
	return &slowBody{most, make(chan struct{}), make(chan struct{})}
}

func (b *slowBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF && b.asked != nil {
		close(b.asked)
		b.asked = nil
		<-b.may
		b.Reader = strings.NewReader("}")
		return b.Reader.Read(p)
	}
	return n, err
}

// TestLargeBodiesTakeTurns keeps two of them on their way: a third waits, and a small one does not.
func TestLargeBodiesTakeTurns(t *testing.T) {
	t.Parallel()
	a, _, _, id := mapped(t)
	maps := "/v1/account_maps"
	post := func(ctx context.Context, path string, body io.Reader) *httptest.ResponseRecorder {
		r, w := httptest.NewRequestWithContext(ctx, http.MethodPost, path, body), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer "+a.Token)
		r.Header.Set("Content-Type", "application/json")
		a.Handler.ServeHTTP(w, r)
		return w
	}
	large := map[string]*slowBody{maps + "/validate": newSlowBody(`{"items":[]`), maps + "/" + id + "/exceptions": newSlowBody(`{"items":[]`)}
	answers := make(chan *httptest.ResponseRecorder, len(large))
	for path, body := range large {
		asked := body.asked
		go func() { answers <- post(t.Context(), path, body) }()
		<-asked
	}
	leaving, leave := context.WithCancel(t.Context())
	defer leave()
	waiting := make(chan *httptest.ResponseRecorder)
	third := strings.NewReader(`{"items":[]` + strings.Repeat(" ", 9<<19) + "}")
	go func() { waiting <- post(leaving, maps+"/validate", third) }()
	if small := post(t.Context(), maps+"/validate", strings.NewReader(`{"items":[]}`)); small.Code != http.StatusOK {
		t.Errorf("a small body was answered %d: %s", small.Code, small.Body)
	}
	select {
	case w := <-waiting:
		t.Errorf("a third large body was answered %d: %.300s", w.Code, w.Body)
	default:
		leave()
		if w := <-waiting; w.Code != http.StatusServiceUnavailable || third.Len() == 0 {
			t.Errorf("one that left was answered %d, with %d bytes unread", w.Code, third.Len())
		}
	}
	for _, body := range large {
		close(body.may)
	}
	for range large {
		if w := <-answers; w.Code != http.StatusOK {
			t.Errorf("a large body was answered %d: %.300s", w.Code, w.Body)
		}
	}
	if w := post(t.Context(), maps+"/validate", strings.NewReader(`{"items":[]`+strings.Repeat(" ", 9<<19)+"}")); w.Code != http.StatusOK {
		t.Errorf("after them a large body was answered %d: %.300s", w.Code, w.Body)
	}
}
