package testenv

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestPostgresStopRemovesEverything(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), p.URL())
	if err != nil {
		t.Fatalf("a started cluster accepts connections: %v", err)
	}
	var fsync string
	if err := conn.QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil || fsync != "off" {
		t.Errorf("fsync is %q (%v), want our settings to hold", fsync, err)
	}

	for range 2 { // the second call does nothing
		if err := p.Stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("a connection outlived the cluster")
	}
	wantGone(t, p)
}

func TestPostgresGoesWithTheOneThatStartedIt(t *testing.T) {
	t.Parallel()
	p, err := StartPostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// All that is left of a process that was killed: its end of the pipe is closed.
	_ = p.open.Close()
	if err := p.keeper.Wait(); err != nil {
		t.Errorf("the keeper ended badly: %v", err)
	}
	wantGone(t, p)
}

func TestStartPostgresGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := StartPostgres(ctx); err == nil {
		t.Errorf("started a cluster under a context that had ended (stopping it: %v)", p.Stop())
	}
}

func TestServeReportsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to wait for
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()

	p, programs, owner := initialised(t)
	p.port = taken.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener has a TCP address
	err = p.serve(t.Context(), programs, owner)
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("serving on a port that is taken: %v", err)
	}
}

// initialised returns a cluster that is not served yet.
func initialised(t *testing.T) (*Postgres, string, processOwner) {
	t.Helper()
	programs, err := ensurePostgres(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "idmap-postgres-") //nolint:usetesting // only its owner may enter what is in TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	owner, err := unprivileged(folder)
	if err != nil {
		t.Fatal(err)
	}
	p := &Postgres{folder: folder}
	if err := p.initialise(t.Context(), programs, owner); err != nil {
		t.Fatal(err)
	}
	return p, programs, owner
}

// wantGone reports what is left of p.
func wantGone(t *testing.T, p *Postgres) {
	t.Helper()
	if _, err := os.Stat(p.folder); !os.IsNotExist(err) {
		t.Errorf("the folder %s is still there (%v)", p.folder, err)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))
	if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil { //nolint:noctx // it has a timeout
		_ = conn.Close()
		t.Errorf("something still listens on %s", address)
	}
}

func TestFindPostgresPrefersTheNewest(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, version := range []string{"9.6", "15", "9", "16"} {
		writePrograms(t, filepath.Join(root, version, "bin"))
	}
	if err := os.Remove(filepath.Join(root, "16", "bin", "initdb")); err != nil {
		t.Fatal(err)
	}
	got, ok := findPostgres([]string{root + "/*/bin"})
	if want := filepath.Join(root, "15", "bin"); !ok || filepath.Base(filepath.Dir(got)) != "15" {
		t.Errorf("found %s, want %s: the newest that has all programs", got, want)
	}
}

// writePrograms puts empty files into folder that are named as PostgreSQL's programs.
func writePrograms(t *testing.T, folder string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres", "pg_isready"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVersionIn(t *testing.T) {
	t.Parallel()
	for folder, want := range map[string]float64{
		"/usr/lib/postgresql/15/bin":           15,
		"/usr/lib/postgresql/9.6/bin":          9.6,
		"/opt/homebrew/opt/postgresql@17/bin":  17,
		"/usr/libexec/postgresql18":            18,
		"/opt/homebrew/opt/postgresql/current": 0,
	} {
		if got := versionIn(folder); got != want {
			t.Errorf("versionIn(%q) = %v, want %v", folder, got, want)
		}
	}
}
