package cli_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func newEmbedded() *cli.Embedded { return cli.NewEmbedded("test", slog.New(slog.DiscardHandler)) }

func TestEmbeddedOpensEachFileOnce(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Chdir(t.TempDir())
	absolute, err := filepath.Abs("idmap.db")
	if err != nil {
		t.Fatal(err)
	}
	embedded := newEmbedded()
	transports := make([]http.RoundTripper, 8)
	var all sync.WaitGroup
	for i := range transports {
		all.Go(func() {
			path := []string{"idmap.db", absolute, "./sub/../idmap.db"}[i%3]
			transport, err := embedded.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
			}
			transports[i] = transport
		})
	}
	all.Wait()
	for _, transport := range transports[1:] {
		if transport != transports[0] {
			t.Error("the same file gave another backend")
		}
	}
	other, err := embedded.Open(t.Context(), "other.db")
	if err != nil || other == transports[0] {
		t.Errorf("another file gave the same backend, %v", err)
	}
	if err := embedded.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("idmap.db-wal"); err == nil {
		t.Error("Close left SQLite's journal behind")
	}
}

// TestEmbeddedFollowsLinks opens one file by links to it and to its folder, before and after it exists.
func TestEmbeddedFollowsLinks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	folder, linked, link := filepath.Join(dir, "folder"), filepath.Join(dir, "linked"), filepath.Join(dir, "link.db")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{linked: folder, link: filepath.Join(folder, "idmap.db")} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	paths := []string{link, filepath.Join(linked, "idmap.db"), filepath.Join(folder, "idmap.db")}
	for range paths { // each is the one that makes the file once
		paths = append(paths[1:], paths[0])
		embedded := newEmbedded()
		var first http.RoundTripper
		for _, path := range paths {
			transport, err := embedded.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = transport
			} else if transport != first {
				t.Errorf("%s is another backend than %s", path, paths[0])
			}
		}
		if err := embedded.Close(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(folder, "idmap.db")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEmbeddedKeepsWhatItStores(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path := filepath.Join(t.TempDir(), "idmap.db")
	embedded := newEmbedded()
	open := func() *client.Client {
		t.Helper()
		transport, err := embedded.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return newClient(t, client.Config{Transport: transport, Token: "of-another-backend"})
	}
	c := open()
	made, err := c.CreateConnection(t.Context(), "", idmap.Connection{Name: "Contoso", Platform: idmap.PlatformRef{ID: "generic"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := embedded.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Connection(t.Context(), made.ID); err == nil {
		t.Error("a closed backend answered")
	}
	if _, err := open().Connection(t.Context(), made.ID); err != nil {
		t.Error(err)
	}
	if err := embedded.Close(); err != nil {
		t.Error(err)
	}
}

func TestEmbeddedRefuses(t *testing.T) {
	t.Parallel()
	embedded := newEmbedded()
	folder := t.TempDir()
	for name, c := range map[string]struct{ path, want string }{
		"PostgreSQL":     {"postgres://idmap:" + password + "@127.0.0.1:1/idmap", "endpoint"},
		"nothing":        {"", "empty"},
		"missing folder": {filepath.Join(folder, "none", "idmap.db"), "does not exist"},
		"a folder":       {folder, "is a folder"},
	} {
		_, err := embedded.Open(t.Context(), c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantSecret(t, password, err.Error())
	}
	// What failed once is tried anew.
	if err := os.Mkdir(filepath.Join(folder, "none"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), filepath.Join(folder, "none", "idmap.db")); err != nil {
		t.Error(err)
	}
	if err := embedded.Close(); err != nil {
		t.Error(err)
	}
}
