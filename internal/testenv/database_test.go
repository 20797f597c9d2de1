package testenv_test

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func TestPostgresDatabaseIsFreshAndDropped(t *testing.T) {
	var url string
	t.Run("use", func(t *testing.T) {
		url = testenv.PostgresDatabase(t)
		if other := testenv.PostgresDatabase(t); other == url {
			t.Errorf("two tests share the database %s", url)
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), "CREATE TABLE t (a text)"); err != nil {
			t.Error(err)
		}
		// The connection stays open: dropping the database has to end it.
	})
	_, err := pgx.Connect(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connecting to a dropped database: %v", err)
	}
}

func TestPostgresDatabaseNeverSkips(t *testing.T) {
	for _, server := range []string{"", "host=localhost dbname=postgres", "mysql://localhost/x"} {
		t.Setenv(testenv.PostgresEnv, server)
		if got := failureOf(t, testenv.PostgresDatabase); !strings.Contains(got, testenv.PostgresEnv) {
			t.Errorf("with %q the test fails with %q, which should name the variable", server, got)
		}
	}
}

// failureOf returns what f fails a test with.
func failureOf(t *testing.T, f func(testing.TB) string) string {
	t.Helper()
	spy := &fatalSpy{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		f(spy)
	}()
	<-done
	return spy.message
}

func TestTerraform(t *testing.T) {
	path, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the Terraform that was found is not there: %v", err)
	}

	t.Setenv(testenv.TerraformEnv, "/does/not/exist")
	if _, err := testenv.Terraform(t.Context()); err == nil || !strings.Contains(err.Error(), testenv.TerraformEnv) {
		t.Errorf("a path to nothing: %v, want an error that names %s", err, testenv.TerraformEnv)
	}
}
