package guides

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // registers "sqlite"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// TestBackend does what the guide on the backend says, with the company of getting started: from a file to a server, over
// a restore, to PostgreSQL. Services, proxies and the programs of other people it does not try.
func TestBackend(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	o.w.Must(t, "apply", "-auto-approve")
	o.edit("main.tf", "  embedded_database = \"idmap.db\"\n", "")
	stop := o.serve(filepath.Join(o.w.Folder, "idmap.db"))
	o.mustPlan("No changes.")

	stop = o.restore(stop)
	o.dropWhatCameBack()
	stop()
	database := testenv.PostgresDatabase(t)
	o.moveTo(database)
	o.serve(database)
	o.mustPlan("No changes.")
}

// operator is who runs the backend of a configuration.
type operator struct {
	*testing.T
	guide string
	w     testenv.Workspace
	admin string // the token
	api   *client.Client
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	cli, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := &operator{T: t, guide: render(t, filepath.Join(root, "templates", "guides", "backend.md")), w: testenv.NewWorkspace(t, cli, testenv.Provider(t))}
	if err := os.CopyFS(o.w.Folder, os.DirFS(filepath.Join(root, "examples", "guides", "company"))); err != nil {
		t.Fatal(err)
	}
	o.admin = strings.TrimSpace(o.program().Must(t, "token", "create", "--name", "admin", "--scope", "admin", "--database", "idmap.db").Stdout)
	return o
}

// program is the workspace with the program in place of Terraform.
func (o *operator) program() testenv.Workspace {
	o.Helper()
	w := o.w
	w.CLI = testenv.Provider(o)
	return w
}

// serve starts a server on the database, and makes it the one of the configuration.
func (o *operator) serve(database string) (stop func()) {
	o.Helper()
	cmd := o.program().Command(o, "serve", "--listen", "127.0.0.1:0", "--database", database)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		o.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		_ = cmd.Wait()
	}
	o.Cleanup(stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	_, rest, ok := strings.Cut(line, "ready on ")
	if err != nil || !ok {
		o.Fatalf("the server says %q, %v", line, err)
	}
	endpoint := strings.Fields(rest)[0]
	o.w.Env = append(o.w.Env, "IDMAP_ENDPOINT="+endpoint, "IDMAP_TOKEN="+o.admin)
	if o.api, err = client.New(client.Config{Endpoint: endpoint, Token: o.admin}); err != nil {
		o.Fatal(err)
	}
	o.Cleanup(o.api.Close)
	return stop
}

// laterConnection comes after the backup.
const laterConnection = `
resource "idmap_connection" "service" {
  name     = "Contoso Service"
  platform = "generic"
}

resource "idmap_user_mapping" "service" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.service.id
  user_id                   = "7"
  email                     = "jane.doe@contoso.com"
}

output "service" {
  value = idmap_connection.service.id
}
`

// restore makes a backup of a server that runs, changes the world in all ways, and goes back.
func (o *operator) restore(stop func()) func() {
	o.Helper()
	program := o.program()
	revoked := o.token("revoked")
	o.vacuum(o.inGuide(`sqlite3 idmap\.db "(VACUUM INTO) '\\''backup\.db'\\''"`))
	o.edit("mappings.csv", "anna.weber,", "anna.weber,a.weber@contoso.com")
	o.edit("mappings.csv", "priya.raman,priya.raman@contoso.com", "tom.okafor,tom.okafor@contoso.com")
	o.edit("sales-accounts.csv", "Jane Doe", "Jane D.")
	o.w.Write(o, "service.tf", laterConnection)
	o.w.Must(o, "apply", "-auto-approve")
	o.mustPlan("No changes.")
	service := o.w.Must(o, "output", "service").Stdout
	program.Must(o, "token", "revoke", "--database", "idmap.db", revoked)
	stop()

	for name := range strings.FieldsSeq(o.inGuide(`rm -f (.*?) +#`)) {
		if err := os.Remove(filepath.Join(o.w.Folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			o.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(o.w.Folder, "backup.db"), filepath.Join(o.w.Folder, "idmap.db")); err != nil {
		o.Fatal(err)
	}
	stop = o.serve(filepath.Join(o.w.Folder, "idmap.db"))
	o.mustPlan("3 to add, 2 to change, 0 to destroy.")
	o.w.Must(o, "apply", "-auto-approve")
	o.mustPlan("No changes.")
	if again := o.w.Must(o, "output", "service").Stdout; again != service {
		o.Errorf("the connection has another id: %s, not %s", again, service)
	}
	program.Must(o, "token", "revoke", "--database", "idmap.db", revoked) // it is valid again
	return stop
}

// token makes a token, and returns its id.
func (o *operator) token(name string) string {
	o.Helper()
	said := o.program().Must(o, "token", "create", "--name", name, "--database", "idmap.db").Stderr
	id := uuid.FindString(said)
	if id == "" {
		o.Fatalf("no id: %s", said)
	}
	return id
}

// dropWhatCameBack finds, with the guide's own configuration, the mapping that was deleted after the backup.
func (o *operator) dropWhatCameBack() {
	o.Helper()
	o.w.Write(o, "unmanaged.tf", o.inGuide("(?s)```terraform\n(data .*?)```"))
	o.w.Must(o, "apply", "-auto-approve")
	printed := o.w.Must(o, "output", "not_in_configuration").Stdout
	mapping := regexp.MustCompile(`^\{\n  "priya\.raman" = "(.*)"\n\}\n$`).FindStringSubmatch(printed)
	if mapping == nil {
		o.Fatalf("the mapping that came back is not what is listed: %s", printed)
	}
	if err := o.api.DeleteUserMapping(o.Context(), mapping[1], 0); err != nil {
		o.Fatal(err)
	}
	o.w.Must(o, "apply", "-auto-approve")
	if printed := o.w.Must(o, "output", "not_in_configuration").Stdout; printed != "{}\n" {
		o.Errorf("nothing is left that the configuration does not have, and it lists: %s", printed)
	}
}

// moveTo copies the tables that the guide names, in its order, in the way of sqlite3 -csv and psql's \copy.
func (o *operator) moveTo(database string) {
	o.Helper()
	tables := strings.Fields(strings.ReplaceAll(o.inGuide(`(?s)for table in (.*?)\ndo\n`), "\\", ""))
	db := o.sqlite()
	o.mustBeAllTables(db, tables)
	o.program().Must(o, "token", "list", "--database", database)
	to, err := pgx.Connect(o.Context(), database)
	if err != nil {
		o.Fatal(err)
	}
	defer func() { _ = to.Close(context.WithoutCancel(o.Context())) }() // written already
	for _, table := range tables {
		text, rows := o.csvOf(db, table)
		tag, err := to.PgConn().CopyFrom(o.Context(), strings.NewReader(text), "COPY "+table+" FROM STDIN csv")
		if err != nil || tag.RowsAffected() != rows {
			o.Fatalf("%s: %v of %d rows, %v", table, tag, rows, err)
		}
	}
}

func (o *operator) mustBeAllTables(db *sql.DB, tables []string) {
	o.Helper()
	rows, err := db.QueryContext(o.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'idmap_schema_version'")
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			o.Fatal(err)
		}
		all = append(all, name)
	}
	if got, want := slices.Sorted(slices.Values(tables)), slices.Sorted(slices.Values(all)); rows.Err() != nil || !slices.Equal(got, want) {
		o.Fatalf("the guide copies %q, and the tables are %q (%v)", got, want, rows.Err())
	}
}

// csvOf returns a table as sqlite3 -csv prints it: nothing for NULL, and "" for an empty text.
func (o *operator) csvOf(db *sql.DB, table string) (text string, count int64) {
	o.Helper()
	rows, err := db.QueryContext(o.Context(), "SELECT * FROM "+table) //nolint:gosec // the guide names the table, and the test has held that against the database
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		o.Fatal(err)
	}
	var lines strings.Builder
	for ; rows.Next(); count++ {
		values, fields := make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			values[i] = &values[i]
		}
		if err := rows.Scan(values...); err != nil {
			o.Fatal(err)
		}
		for i, value := range values {
			fields[i] = csvField(value)
		}
		lines.WriteString(strings.Join(fields, ",") + "\n")
	}
	if err := rows.Err(); err != nil {
		o.Fatal(err)
	}
	return lines.String(), count
}

func csvField(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case bool:
		return map[bool]string{true: "1", false: "0"}[v]
	case string:
		return `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	return fmt.Sprint(value)
}

// vacuum runs VACUUM INTO as sqlite3 would, beside the server.
func (o *operator) vacuum(statement string) {
	o.Helper()
	if _, err := o.sqlite().ExecContext(o.Context(), statement+" ?", filepath.Join(o.w.Folder, "backup.db")); err != nil {
		o.Fatal(err)
	}
}

func (o *operator) sqlite() *sql.DB {
	o.Helper()
	db, err := sql.Open("sqlite", filepath.Join(o.w.Folder, "idmap.db"))
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { _ = db.Close() }) // nothing is written
	return db
}

// inGuide returns what stands in the guide at the place that the pattern describes.
func (o *operator) inGuide(pattern string) string {
	o.Helper()
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(o.guide, -1)
	if len(found) != 1 {
		o.Fatalf("the guide has %s %d times, want once", pattern, len(found))
	}
	return found[0][1]
}

func (o *operator) edit(name, before, after string) {
	o.Helper()
	text, err := os.ReadFile(filepath.Join(o.w.Folder, name))
	if err != nil {
		o.Fatal(err)
	}
	if strings.Count(string(text), before) != 1 {
		o.Fatalf("%s has not, or more than once, %q:\n%s", name, before, text)
	}
	o.w.Write(o, name, strings.Replace(string(text), before, after, 1))
}

func (o *operator) mustPlan(want string) {
	o.Helper()
	if plan := o.w.Must(o, "plan"); !strings.Contains(plan.Stdout, want) {
		o.Errorf("want %q: %v", want, plan)
	}
}
