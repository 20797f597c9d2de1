package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBrokenAnswersStayBroken breaks off answers of all sizes: a client that has them compressed must not take what it has
// for the whole.
func TestBrokenAnswersStayBroken(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10, 2 << 10, 1 << 20} {
		web := httptest.NewServer(compressed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", size))
			panic(http.ErrAbortHandler)
		})))
		response, err := web.Client().Get(web.URL) //nolint:noctx // of the test's own server
		if err == nil {
			_, err = io.ReadAll(response.Body)
			response.Body.Close()
		}
		if err == nil {
			t.Errorf("an answer that broke off after %d bytes came whole", size)
		}
		web.Close()
	}
}
