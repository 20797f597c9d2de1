package cli

import (
	"crypto/rand"
	"log/slog"
	"net/http"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/server"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// instance is a whole mapping backend in this process, on one database. The handler is the only way to it, whether the
// network, a command or the provider calls.
type instance struct {
	store   store.Store
	backend *backend.Backend
	handler http.Handler
}

// newInstance takes the store over: close closes it. The bootstrap token is accepted as an administrator's; "" for none.
func newInstance(s store.Store, bootstrapToken string, opts server.Options) *instance {
	b := backend.New(s, backend.Options{BootstrapToken: bootstrapToken})
	return &instance{store: s, backend: b, handler: server.New(b, opts)}
}

// newLocalInstance returns an instance for this process alone, and the transport that is let in: nobody else knows its
// token.
func newLocalInstance(s store.Store, version string, log *slog.Logger) (*instance, http.RoundTripper) {
	token := rand.Text()
	i := newInstance(s, token, server.Options{Version: version, Logger: log})
	return i, &authorized{next: client.HandlerTransport(i.handler), token: token}
}

// close waits for what is under way.
func (i *instance) close() error { return i.store.Close() }

// authorized sends its own token with every request.
type authorized struct {
	next  http.RoundTripper
	token string
}

func (a *authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context()) // a transport must not change the caller's
	req.Header.Set("Authorization", "Bearer "+a.token)
	return a.next.RoundTrip(req)
}
