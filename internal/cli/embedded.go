package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"

	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// Embedded opens mapping backends inside this process, each database file once, however many providers of a
// configuration name it. It is safe for concurrent use.
type Embedded struct {
	version string
	log     *slog.Logger

	mu   sync.Mutex
	open map[string]embedded // by resolved path
}

type embedded struct {
	*instance
	transport http.RoundTripper
}

// NewEmbedded returns an Embedded that has nothing open. The log gets what the backends report.
func NewEmbedded(version string, log *slog.Logger) *Embedded {
	return &Embedded{version: version, log: log, open: map[string]embedded{}}
}

// Open returns the transport to the backend on the SQLite file at path, which is created if it is missing. Requests
// need no token. The same file gives the same backend; the context bounds only the opening.
func (e *Embedded) Open(ctx context.Context, path string) (http.RoundTripper, error) {
	if database(path).scheme() != "" {
		return nil, errors.New("it is a URL, and an embedded database is a file; for PostgreSQL, " +
			"run a server on it with `" + name + " serve`, and give the server's address as the endpoint")
	}
	if path == "" {
		return nil, errors.New("its path is empty; give the path of a file, such as idmap.db")
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the database file %q: %w", path, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if opened, ok := e.open[resolved(absolute)]; ok {
		return opened.transport, nil
	}
	s, err := sqlite.Open(ctx, absolute)
	if err != nil {
		return nil, err
	}
	i, transport := newLocalInstance(s, e.version, e.log)
	e.open[resolved(absolute)] = embedded{instance: i, transport: transport} // again: now that the file exists, a link leads to it
	return transport, nil
}

// resolved returns the path without symbolic links, as far as what it names exists: the file, or else its folder.
func resolved(absolute string) string {
	if path, err := filepath.EvalSymlinks(absolute); err == nil {
		return path
	}
	folder, file := filepath.Split(absolute)
	if path, err := filepath.EvalSymlinks(folder); err == nil {
		return filepath.Join(path, file)
	}
	return absolute // opening it tells what is wrong
}

// Close waits for what is under way and closes all databases. A path may be opened again afterwards.
func (e *Embedded) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var failed []error
	for path, opened := range e.open {
		failed = append(failed, opened.close())
		delete(e.open, path)
	}
	return errors.Join(failed...)
}
