package cli_test

import (
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// targets are the ways to a mapping backend: a server, and each engine without one.
func targets(t *testing.T) map[string][]string {
	t.Helper()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	all := map[string][]string{"server": {"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + bootstrap}}
	for engine, database := range databases(t) {
		all[engine] = []string{"IDMAP_DATABASE=" + database}
	}
	return all
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for way, env := range targets(t) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			made := mustRun(t, env, "token", "create", "--name", "ci", "--scope", "read", "--scope", "admin", "--expires-in", "720h")
			secret := strings.TrimSuffix(made.stdout.String(), "\n")
			if !strings.HasPrefix(secret, "idmap_") || strings.ContainsAny(secret, " \n") {
				t.Fatalf("standard output is to be the secret alone: %q", made.stdout.String())
			}
			wantText(t, "the explanation", made.stderr.String(), `"ci"`, "read,admin", "not shown again")

			list := mustRun(t, env, "token", "list")
			wantText(t, "the list", list.stdout.String(), "ID", "NAME", "EXPIRES", "ci", "read,admin")
			wantSecret(t, secret, made.stderr.String(), list.stdout.String(), list.stderr.String())

			id := idOf(t, list.stdout.String(), "ci")
			revoked := mustRun(t, env, "token", "revoke", id)
			wantText(t, "the answer", revoked.stdout.String(), "Revoked", `"ci"`, id)
			if text := mustRun(t, env, "token", "list").stdout.String(); strings.Contains(text, id) {
				t.Errorf("the revoked token is listed:\n%s", text)
			}
		})
	}
}

func idOf(t *testing.T, list, name string) string {
	t.Helper()
	for line := range strings.Lines(list) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == name {
			return fields[0]
		}
	}
	t.Fatalf("no token %q in the list:\n%s", name, list)
	return ""
}

func TestARevokedTokenNoLongerWorks(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "--database", "idmap.db")
	admin := []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + firstToken.FindStringSubmatch(s.stdout.String())[1]}
	secret := strings.TrimSpace(mustRun(t, admin, "token", "create", "--name", "ci", "--scope", "admin").stdout.String())
	ci := []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + secret}
	id := idOf(t, mustRun(t, ci, "token", "list").stdout.String(), "ci")
	mustRun(t, admin, "token", "revoke", id)

	p := run(t, ci, "token", "list")
	if p.code != 1 {
		t.Errorf("exit code %d", p.code)
	}
	wantText(t, "the error", p.stderr.String(), "not known", "revoked")
	s.stop(t)
	wantSecret(t, secret, p.stderr.String(), s.stdout.String(), s.stderr.String())
}

func TestATokenMadeWithoutAServerWorksOnOne(t *testing.T) {
	t.Parallel()
	for engine, database := range databases(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			secret := strings.TrimSpace(mustRun(t, nil, "token", "create", "--name", "ci", "--database", database).stdout.String())
			s := serve(t, nil, "--database", database)
			if firstToken.MatchString(s.stdout.String()) {
				t.Errorf("there is a token already, and another one was made:\n%s", &s.stdout)
			}
			c := s.client(t, secret)
			if _, err := c.Capabilities(t.Context()); err != nil {
				t.Error(err)
			}
			for _, err := range c.Tokens(t.Context()) {
				if !idmap.IsKind(err, idmap.KindForbidden) {
					t.Errorf("the default scope is write, and tokens want admin: %v", err)
				}
			}
			s.stop(t)
		})
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	server := []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + bootstrap}
	mustRun(t, server, "token", "create", "--name", "taken")
	for name, c := range map[string]struct {
		env, args []string
		code      int
		want      []string
	}{
		"no target":       {nil, []string{"list"}, 2, []string{"--endpoint", "IDMAP_ENDPOINT", "--database", "IDMAP_DATABASE"}},
		"two targets":     {nil, []string{"list", "--endpoint", s.url, "--database", "x.db"}, 2, []string{"Both", "--endpoint", "--database"}},
		"two variables":   {append([]string{"IDMAP_DATABASE=x.db"}, server...), []string{"list"}, 2, []string{"Both", "IDMAP_ENDPOINT", "IDMAP_DATABASE"}},
		"no token":        {nil, []string{"list", "--endpoint", s.url}, 2, []string{"IDMAP_TOKEN"}},
		"wrong token":     {[]string{"IDMAP_TOKEN=wrong"}, []string{"list", "--endpoint", s.url}, 1, []string{"not known", "mistyped"}},
		"token of blanks": {[]string{"IDMAP_TOKEN=two words"}, []string{"list", "--endpoint", s.url}, 1, []string{"one word"}},
		"no URL":          {[]string{"IDMAP_TOKEN=x"}, []string{"list", "--endpoint", "localhost:8080"}, 1, []string{"http://"}},
		"nobody there":    {[]string{"IDMAP_TOKEN=x"}, []string{"list", "--endpoint", "http://127.0.0.1:1"}, 1, []string{"could not be reached", "127.0.0.1:1"}},
		"no database":     {nil, []string{"list", "--database", "none.db"}, 1, []string{`"none.db"`, "serve"}},
		"unknown id":      {server, []string{"revoke", "none"}, 1, []string{`"none"`, "token list"}},
		"no id":           {server, []string{"revoke"}, 2, []string{"<id>", "token revoke --help"}},
		"no name":         {server, []string{"create"}, 2, []string{"--name"}},
		"name in use":     {server, []string{"create", "--name", "taken"}, 1, []string{"name already", "Take another name"}},
		"empty name":      {server, []string{"create", "--name", " "}, 2, []string{"--name is empty"}},
		"long name":       {server, []string{"create", "--name", strings.Repeat("x", 201)}, 1, []string{"(name)", "200"}},
		"no scope":        {server, []string{"create", "--name", "x", "--scope", "root"}, 2, []string{"--scope", "read", "write", "admin", "root"}},
		"no duration":     {server, []string{"create", "--name", "x", "--expires-in", "soon"}, 2, []string{"--expires-in", "soon"}},
		"in the past":     {server, []string{"create", "--name", "x", "--expires-in=-1h"}, 2, []string{"--expires-in", "above zero"}},
		"no command":      {server, nil, 2, []string{"create", "list", "revoke"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, c.env, append([]string{"token"}, c.args...)...)
			if p.code != c.code {
				t.Errorf("exit code %d, want %d", p.code, c.code)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ")...)
			if p.stdout.String() != "" && c.code != 1 {
				t.Errorf("standard output:\n%s", &p.stdout)
			}
			wantSecret(t, bootstrap, p.stderr.String())
		})
	}
}

// An argument says more clearly what is meant than a variable that stands in somebody's profile.
func TestAnArgumentWinsOverTheOtherVariable(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	mustRun(t, []string{"IDMAP_ENDPOINT=http://127.0.0.1:1", "IDMAP_TOKEN=x"}, "token", "create", "--name", "x", "--database", "other.db")
	mustRun(t, []string{"IDMAP_DATABASE=other.db", "IDMAP_TOKEN=" + bootstrap}, "token", "list", "--endpoint", s.url)
}
