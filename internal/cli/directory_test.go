package cli_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const byteOrderMark = "\uFEFF"

func textFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// stage makes a new database file with the connection "Contoso", and returns its path.
func stage(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "idmap.db")
	withEmbedded(t, path, func(ctx context.Context, c *client.Client) {
		_, err := c.CreateConnection(ctx, "", idmap.Connection{ID: "c1", Name: "Contoso", Platform: idmap.PlatformRef{ID: "microsoft365"}})
		if err != nil {
			t.Fatal(err)
		}
	})
	return path
}

func withEmbedded(t *testing.T, path string, do func(context.Context, *client.Client)) {
	t.Helper()
	embedded := cli.NewEmbedded("test", slog.New(slog.DiscardHandler))
	defer func() {
		if err := embedded.Close(); err != nil {
			t.Error(err)
		}
	}()
	transport, err := embedded.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	do(t.Context(), newClient(t, client.Config{Transport: transport}))
}

func usernames(t *testing.T, path string) string {
	t.Helper()
	var all []string
	live := false
	withEmbedded(t, path, func(ctx context.Context, c *client.Client) {
		for a, err := range c.Accounts(ctx, "c1", client.DirectoryFilter{Deleted: &live}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, a.Username)
		}
	})
	return strings.Join(all, " ")
}

func TestDirectoryImport(t *testing.T) {
	t.Parallel()
	database := stage(t)
	for _, step := range []struct {
		name, file, content string
		want                []string
		left                string
	}{
		{"CSV", "first.csv", "id,username,email\n1,alice,alice@contoso.com\n2,bob,bob@contoso.com\n", []string{"first.csv", `"Contoso"`, "2 accounts", "created         2"}, "alice bob"},
		{"again", "again.csv", "id,username,email\n1,alice,alice@contoso.com\n2,bob,bob@contoso.com\n", []string{"unchanged       2", "created         0"}, "alice bob"},
		{"byte order mark and CRLF", "windows.CSV", byteOrderMark + "id,username,email\r\n1,alice,alice@contoso.com\r\n3,zoë,zoe@contoso.com\r\n", []string{"created         1", "deleted         1"}, "alice zoë"},
		{"JSON lines", "lines.jsonl", `{"id":"1","username":"alicia","email":"alice@contoso.com"}` + "\n" + `{"id":"3","username":"zoë","email":"zoe@contoso.com"}` + "\n", []string{"updated         1", "unchanged       1"}, "alicia zoë"},
		{"without a line at its end", "lines.ndjson", byteOrderMark + `{"id":"1","username":"alicia"}` + "\r\n\r\n" + `{"id":"4","username":"dan"}`, []string{"2 accounts"}, "alicia dan"},
	} {
		p := mustRun(t, nil, "directory", "import", "--database", database, "--connection", "cONTOSO", textFile(t, step.file, step.content))
		wantText(t, step.name, p.stdout.String(), step.want...)
		if got := usernames(t, database); got != step.left {
			t.Errorf("%s: the directory has %q, want %q", step.name, got, step.left)
		}
	}
}

func TestDirectoryImportThroughAServer(t *testing.T) {
	t.Parallel()
	s := serve(t, bootstrapEnv, "--database", stage(t))
	env := []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + bootstrap}
	groups := textFile(t, "groups.csv", "id,name,addresses\ng1,Sales,sales@contoso.com;team@contoso.com\n")
	for _, nameOrID := range []string{"Contoso", "c1"} {
		p := mustRun(t, env, "directory", "import", "--connection", nameOrID, "--groups", groups)
		wantText(t, "the report", p.stdout.String(), "1 groups")
	}
	group, err := s.client(t, "").Group(t.Context(), "c1", "g1")
	if err != nil || len(group.Addresses) != 2 {
		t.Errorf("group %+v, %v", group, err)
	}
	p := run(t, env, "directory", "import", "--connection", "Contoso", groups)
	if p.code != 1 {
		t.Errorf("groups as accounts: exit code %d", p.code)
	}
	wantText(t, "groups as accounts", p.stderr.String(), "Line 1", "addresses", "nothing of it was imported")
	s.stop(t)
	wantSecret(t, bootstrap, p.stderr.String(), s.stderr.String())
}

func TestDirectoryImportNamesEveryBadRow(t *testing.T) {
	t.Parallel()
	database := stage(t)
	mustRun(t, nil, "directory", "import", "--database", database, "--connection", "Contoso", textFile(t, "good.csv", "id,username\n1,alice\n"))
	for name, c := range map[string]struct {
		file, content string
		want          []string
	}{
		"CSV": {
			"bad.csv", "id,username,email\n1,alice,alice@contoso.com\n2,bob,nobody\n,carol,\n4,alice,\n5,dan,a,b\n",
			[]string{`"bad.csv" was refused`, "nothing of it was imported", "Line 3, column email", "Line 4, column id", "Line 5, column username", "Line 6"},
		},
		"JSON lines": {
			"bad.jsonl", `{"id":"1","username":"alice"}` + "\n" + `{"id":2}` + "\n\n" + `{"id":"1"}` + "\n" + `{broken` + "\n",
			[]string{"Line 2, field id", "Line 4, field id", "Line 5"},
		},
		"missing column": {"columns.csv", "username,email\nalice,alice@contoso.com\n", []string{"Line 1", "column id"}},
		"unknown column": {"columns.csv", "id,mail\n1,alice@contoso.com\n", []string{"Line 1", `"mail"`}},
		"empty":          {"empty.csv", "", []string{"The file is empty"}},
		"UTF-16":         {"utf16.csv", "\xFF\xFEi\x00d\x00", []string{"UTF-16"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, nil, "directory", "import", "--database", database, "--connection", "Contoso", textFile(t, c.file, c.content))
			if p.code != 1 || p.stdout.String() != "" {
				t.Errorf("exit code %d, standard output:\n%s", p.code, &p.stdout)
			}
			wantText(t, "standard error", p.stderr.String(), c.want...)
			if got := usernames(t, database); got != "alice" {
				t.Errorf("the directory has %q now", got)
			}
		})
	}
}

func TestDirectoryImportRefusals(t *testing.T) {
	t.Parallel()
	database := stage(t)
	good := textFile(t, "good.csv", "id,username\n1,alice\n")
	empty := filepath.Join(t.TempDir(), "empty.db")
	withEmbedded(t, empty, func(context.Context, *client.Client) {})
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"unknown connection": {[]string{"--database", database, "--connection", "Fabrikam", good}, 1, []string{`"Fabrikam"`, `"Contoso"`}},
		"no connections":     {[]string{"--database", empty, "--connection", "Fabrikam", good}, 1, []string{`"Fabrikam"`, "none yet"}},
		"empty connection":   {[]string{"--database", database, "--connection", " ", good}, 2, []string{"--connection"}},
		"no connection":      {[]string{"--database", database, good}, 2, []string{"--connection"}},
		"no file":            {[]string{"--database", database, "--connection", "Contoso"}, 2, []string{"<file>"}},
		"missing file":       {[]string{"--database", database, "--connection", "Contoso", "none.csv"}, 1, []string{"none.csv", "cannot be read"}},
		"unknown ending":     {[]string{"--database", database, "--connection", "Contoso", "people.xlsx"}, 1, []string{"people.xlsx", ".csv", ".jsonl"}},
		"missing database":   {[]string{"--database", "none.db", "--connection", "Contoso", good}, 1, []string{"none.db"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, nil, append([]string{"directory", "import"}, c.args...)...)
			if p.code != c.code {
				t.Errorf("exit code %d, want %d", p.code, c.code)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ")...)
		})
	}
}
