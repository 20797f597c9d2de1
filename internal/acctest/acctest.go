// Package acctest gives tests a real backend: the real server on a real database, reached through the real client.
package acctest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/server"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// Token is the administrator's token of every test server.
const Token = "acctest-admin-token"

// Server is a running backend.
type Server struct {
	URL, Token string
	Client     *client.Client
	Backend    *backend.Backend
	Handler    http.Handler
}

// NewServer starts a server on loopback with a fresh SQLite database. It ends with the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	return NewServerOn(tb, OpenSQLite(tb))
}

// NewServerOn starts a server on loopback with that database, which it does not close.
func NewServerOn(tb testing.TB, s store.Store) *Server {
	tb.Helper()
	b := backend.New(s, backend.Options{BootstrapToken: Token})
	handler := server.New(b, server.Options{Version: "test"})
	web := httptest.NewServer(handler)
	tb.Cleanup(web.Close)
	return &Server{URL: web.URL, Token: Token, Client: NewClient(tb, web.URL), Backend: b, Handler: handler}
}

// NewClient returns a client with the administrator's token.
func NewClient(tb testing.TB, url string) *client.Client {
	tb.Helper()
	c, err := client.New(client.Config{Endpoint: url, Token: Token})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// OpenSQLite opens a fresh SQLite database. It is closed with the test.
func OpenSQLite(tb testing.TB) store.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), filepath.Join(tb.TempDir(), "idmap.db"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// OpenEmbedded opens the database at path as the provider's embedded mode does. Every call opens it anew, as every
// process does, and leaves it open.
func OpenEmbedded(ctx context.Context, path string) (http.RoundTripper, error) {
	return cli.NewEmbedded("test", slog.New(slog.DiscardHandler)).Open(ctx, path)
}
