package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
)

// keeping opens a pool of one connection on a table of the numbers from 1 to 3, and returns the statements that it keeps.
func keeping(t *testing.T) (db *sql.DB, kept func() map[string]*statement) {
	t.Helper()
	db, err := openPool("file:"+filepath.Join(t.TempDir(), "x.db"), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	run(t, db, `CREATE TABLE numbers (n INTEGER)`)
	run(t, db, `INSERT INTO numbers VALUES (1), (2), (3)`)
	return db, func() (found map[string]*statement) {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }() // back to its pool
		err = conn.Raw(func(c any) error {
			k, ok := c.(*keepingConn)
			if !ok {
				return fmt.Errorf("the connection is a %T: the driver's lacks what a keeping one needs", c)
			}
			found = k.kept
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
}

func run(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	db, kept := keeping(t)
	const again = `INSERT INTO numbers VALUES (?)`
	run(t, db, again, 4)
	first := kept()[again]
	run(t, db, again, 5)
	if second := kept()[again]; first == nil || second != first {
		t.Errorf("the statement was %p, and is %p", first, second)
	}
	if kept()[`CREATE TABLE numbers (n INTEGER)`] != nil {
		t.Error("a statement that nobody repeats is kept")
	}
	for i := range 3 * maxStatements {
		run(t, db, fmt.Sprintf("UPDATE numbers SET n = n + %d", i))
		run(t, db, again, 6)
	}
	if n := len(kept()); n != maxStatements {
		t.Errorf("%d statements are kept, and %d are wanted", n, maxStatements)
	}
	if kept()[again] != first {
		t.Error("the statement that is used the most was let go of")
	}
}

// TestStatementWithinItself asks the same while an answer is still read.
func TestStatementWithinItself(t *testing.T) {
	t.Parallel()
	db, _ := keeping(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for range 2 {
		sum := 0
		each(t, tx, func(outer int) { each(t, tx, func(inner int) { sum += outer * inner }) })
		if sum != 36 {
			t.Errorf("the sum is %d", sum)
		}
	}
}

func each(t *testing.T, tx *sql.Tx, fn func(int)) {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), `SELECT n FROM numbers`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		fn(n)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestStatementOutlivesItsSchema changes the table, fails, and gives up, and asks the same again after each.
func TestStatementOutlivesItsSchema(t *testing.T) {
	t.Parallel()
	db, _ := keeping(t)
	count := func(want int) {
		t.Helper()
		var n int
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM numbers WHERE n < ?`, 10).Scan(&n); err != nil || n != want {
			t.Errorf("counted %d, %v; %d is wanted", n, err, want)
		}
	}
	count(3)
	run(t, db, `ALTER TABLE numbers ADD COLUMN m INTEGER`)
	count(3)
	run(t, db, `CREATE UNIQUE INDEX numbers_n ON numbers (n)`)
	for range 2 {
		if _, err := db.ExecContext(t.Context(), `INSERT INTO numbers (n) VALUES (?)`, 1); err == nil {
			t.Error("a duplicate was stored")
		}
	}
	run(t, db, `INSERT INTO numbers (n) VALUES (?)`, 4)
	count(4)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.ExecContext(ended, `INSERT INTO numbers (n) VALUES (?)`, 5); err == nil {
		t.Error("a call that was given up stored something")
	}
	count(4)
}
