package cli_test

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

var bootstrapEnv = []string{"IDMAP_BOOTSTRAP_TOKEN=" + bootstrap}

// databases are one of each engine, by name. Each call makes them anew.
func databases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"SQLite":     filepath.Join(t.TempDir(), "idmap.db"),
		"PostgreSQL": testenv.PostgresDatabase(t),
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for engine, database := range databases(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := serve(t, bootstrapEnv, "--database", database)
			if got := s.stdout.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, engine) {
				t.Errorf("standard output is to be the ready line alone, and to name %s:\n%s", engine, got)
			}
			for _, path := range []string{"/healthz", "/readyz"} {
				if got := s.status(t, path); got != http.StatusOK {
					t.Errorf("%s: status %d", path, got)
				}
			}
			capabilities, err := s.client(t, "").Capabilities(t.Context())
			if err != nil || capabilities.Version != "1.2.3" {
				t.Errorf("capabilities: %+v, %v", capabilities, err)
			}
			if _, err := s.client(t, "another").Capabilities(t.Context()); !idmap.IsKind(err, idmap.KindUnauthorized) {
				t.Errorf("another token: %v", err)
			}
			s.stop(t)
			wantSecret(t, bootstrap, s.stdout.String(), s.stderr.String())
		})
	}
}

func TestServeTakesTheDatabaseFromTheEnvironment(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "idmap.db")
	serve(t, append(bootstrapEnv, "IDMAP_DATABASE="+file)).stop(t)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// The tests' own server may well have no password, so this one is put into the URL. PostgreSQL overlooks it where it
// trusts the user.
func TestServeShowsNoDatabasePassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testenv.PostgresDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	secret, has := u.User.Password()
	if !has {
		secret = password
		u.User = url.UserPassword(u.User.Username(), secret)
	}
	s := serve(t, append(bootstrapEnv, "IDMAP_DATABASE="+u.String()))
	wantText(t, "the ready line", s.stdout.String(), "PostgreSQL database "+strings.Trim(u.Path, "/"))
	s.stop(t)
	wantSecret(t, secret, s.stdout.String(), s.stderr.String())
}

var firstToken = regexp.MustCompile(`(?m)^The database had no tokens\. .*: (idmap_\S+)$`)

func TestServePrintsTheFirstTokenOnce(t *testing.T) {
	t.Parallel()
	for engine, database := range databases(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, "--database", database)
			found := firstToken.FindStringSubmatch(s.stdout.String())
			if found == nil {
				t.Fatalf("no first token:\n%s", &s.stdout)
			}
			token := found[1]
			for made, err := range s.client(t, token).Tokens(t.Context()) { // wants an administrator's
				if err != nil || made.Name != "admin" {
					t.Errorf("token %+v, %v", made, err)
				}
			}
			s.stop(t)

			again := serve(t, nil, "--database", database)
			if strings.Count(again.stdout.String(), "\n") != 1 {
				t.Errorf("the second start is to print the ready line alone:\n%s", &again.stdout)
			}
			if _, err := again.client(t, token).Capabilities(t.Context()); err != nil {
				t.Errorf("the first token after a restart: %v", err)
			}
			again.stop(t)
			wantSecret(t, token, again.stdout.String(), s.stderr.String(), again.stderr.String())
		})
	}
}

func TestServeWithTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	s := serve(t, bootstrapEnv, "--database", "idmap.db", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("the ready line names %s", s.url)
	}
	trusting := newClient(t, client.Config{Endpoint: s.url, Token: bootstrap, CACertFile: cert})
	if _, err := trusting.Capabilities(t.Context()); err != nil {
		t.Error(err)
	}
	mustRun(t, []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + bootstrap}, "token", "list", "--ca-cert-file", cert)
	if _, err := s.client(t, "").Capabilities(t.Context()); err == nil {
		t.Error("a client that does not know the authority was content")
	}
	s.stop(t)
}

func TestServeLimitsTheRate(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", "idmap.db", "--rate-limit", "2")
	c := s.client(t, "") // which does not try again
	var refused error
	for n := 0; refused == nil && n < 100; n++ { // a hundred take no fifty seconds
		_, refused = c.Capabilities(t.Context())
	}
	wantText(t, "the refusal", fmt.Sprint(refused), "status 429", "more than 2 requests within a second")
	s.stop(t)
}

func TestServeWarnsOfClearText(t *testing.T) {
	t.Parallel()
	const warning = "clear text"
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	s.stop(t)
	if strings.Contains(s.stderr.String(), warning) {
		t.Errorf("on loopback nothing is to be warned of:\n%s", &s.stderr)
	}
	open := serve(t, bootstrapEnv, "--database", "idmap.db", "--listen", "0.0.0.0:0")
	open.stop(t)
	wantText(t, "the log", open.stderr.String(), warning)
}

func TestServeFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	send, answer := slowRequest(t, s)
	s.terminate(t)
	eventually(t, "the server to stop listening", func() bool {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case <-s.ended:
		t.Fatalf("the server ended before the request did:\n%s", &s.stderr)
	default:
	}
	if status := send(); status != http.StatusCreated {
		t.Errorf("the request that was under way: status %d\n%s", status, answer())
	}
	if code := s.wait(t); code != 0 {
		t.Errorf("exit code %d:\n%s", code, &s.stderr)
	}
}

func TestServeEndsAtOnceOnASecondSignal(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	slowRequest(t, s)
	s.terminate(t)
	eventually(t, "the server to say that it stops", func() bool { return strings.Contains(s.stderr.String(), "stopping") })
	s.terminate(t)
	if code := s.wait(t); code == 0 {
		t.Error("exit code 0, although a request was broken off")
	}
}

// slowRequest begins a request, waits until the server reads its body, and returns functions that send the rest and tell
// the answer.
func slowRequest(t *testing.T, s *serverProcess) (finish func() int, answer func() string) {
	t.Helper()
	const body = `{"name":"Slow","platform":{"id":"generic"}}`
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/connections", reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+bootstrap)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	req.ContentLength = int64(len(body))
	transport := &http.Transport{ExpectContinueTimeout: patience}
	t.Cleanup(func() {
		_ = writer.Close() // never fails
		transport.CloseIdleConnections()
	})
	type result struct {
		status int
		text   string
	}
	done := make(chan result, 1)
	go func() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			done <- result{text: err.Error()}
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		done <- result{resp.StatusCode, string(text)}
	}()
	select {
	case <-reading:
	case <-time.After(patience):
		t.Fatal("the server does not read the request")
	}
	var got result
	return func() int {
		_, _ = io.WriteString(writer, body) // the answer tells
		got = <-done
		return got.status
	}, func() string { return got.text }
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, key := certificate(t)
	_, otherKey := certificate(t)
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })

	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"port in use":       {[]string{"--database", "x.db", "--listen", taken.Addr().String()}, 1, []string{taken.Addr().String(), "in use", "--listen"}},
		"foreign address":   {[]string{"--database", "x.db", "--listen", "192.0.2.1:0"}, 1, []string{"192.0.2.1:0", "of this machine"}},
		"no address":        {[]string{"--database", "x.db", "--listen", "8080"}, 2, []string{`"8080"`, "a host and a port"}},
		"no database":       {nil, 2, []string{"--database", "IDMAP_DATABASE"}},
		"unknown flag":      {[]string{"--databse", "x.db"}, 2, []string{"--databse", "--database", "serve --help"}},
		"missing folder":    {[]string{"--database", "no/such/folder/x.db"}, 1, []string{"folder", "does not exist", "create it"}},
		"folder":            {[]string{"--database", folder}, 1, []string{folder, "is a folder"}},
		"not a database":    {[]string{"--database", file("text.db", "just some text, long enough to be none")}, 1, []string{"text.db", "not an idmap database"}},
		"read-only":         {[]string{"--database", unwritable(t)}, 1, []string{"cannot be written"}},
		"newer schema":      {[]string{"--database", newerSchema(t)}, 1, []string{"newer release"}},
		"other engine":      {[]string{"--database", "mysql://root:" + password + "@localhost/idmap"}, 1, []string{"mysql://", "postgres://"}},
		"keywords":          {[]string{"--database", "host=localhost password=" + password}, 1, []string{"keywords", "postgres://"}},
		"no PostgreSQL":     {[]string{"--database", "postgres://idmap:" + password + "@127.0.0.1:1/idmap"}, 1, []string{"127.0.0.1:1", "cannot be reached"}},
		"broken URL":        {[]string{"--database", "postgres://idmap:" + password + "%zz@127.0.0.1:1/idmap"}, 1, []string{"cannot be read", "percent-encoded"}},
		"cert without key":  {[]string{"--database", "x.db", "--tls-cert", cert}, 2, []string{"--tls-cert", "without --tls-key"}},
		"key without cert":  {[]string{"--database", "x.db", "--tls-key", key}, 2, []string{"--tls-key", "without --tls-cert"}},
		"no certificate":    {[]string{"--database", "x.db", "--tls-cert", "none.pem", "--tls-key", key}, 1, []string{"none.pem", "PEM"}},
		"key of another":    {[]string{"--database", "x.db", "--tls-cert", cert, "--tls-key", otherKey}, 1, []string{"does not match", "PEM"}},
		"negative limit":    {[]string{"--database", "x.db", "--rate-limit=-1"}, 2, []string{"--rate-limit is -1", "a second"}},
		"superfluous words": {[]string{"--database", "x.db", "now"}, 2, []string{"now"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, bootstrapEnv, append([]string{"serve"}, withFreePort(c.args)...)...)
			if p.code != c.code {
				t.Errorf("exit code %d, want %d", p.code, c.code)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ")...)
			if p.stdout.String() != "" {
				t.Errorf("standard output:\n%s", &p.stdout)
			}
			wantSecret(t, password, p.stderr.String())
		})
	}
}

func TestServeRefusesABootstrapTokenThatNobodyCanSend(t *testing.T) {
	t.Parallel()
	p := run(t, []string{"IDMAP_BOOTSTRAP_TOKEN=two words"}, "serve", "--listen", "127.0.0.1:0", "--database", "idmap.db")
	if p.code != 2 {
		t.Errorf("exit code %d", p.code)
	}
	wantText(t, "standard error", p.stderr.String(), "IDMAP_BOOTSTRAP_TOKEN", "one word")
	wantSecret(t, "two words", p.stderr.String())
}

func withFreePort(args []string) []string {
	if slices.Contains(args, "--listen") {
		return args
	}
	return append([]string{"--listen", "127.0.0.1:0"}, args...)
}

// unwritable returns a path that this user may not write. Root may write any file whatever its mode, but not into the
// kernel's own file system.
func unwritable(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 {
		return "/proc/idmap-test.db"
	}
	path := filepath.Join(t.TempDir(), "read-only.db")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	return path
}

// newerSchema returns a database that a later release has migrated.
func newerSchema(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "newer.db")
	mustRun(t, nil, "token", "create", "--name", "first", "--database", path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // written already
	const table = "idmap_schema_version"
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO %s (version_id, is_applied) VALUES (99999, 1)", table)); err != nil {
		t.Fatal(err)
	}
	return path
}
