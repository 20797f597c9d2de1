package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// says fails unless err has all parts.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

func openError(t *testing.T, path string) error {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err == nil {
		_ = s.Close()
	}
	return err
}

func TestBadPaths(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	write(t, text, "these are notes, and not a database at all")
	short := filepath.Join(dir, "short")
	write(t, short, "SQLite")
	for name, c := range map[string]struct {
		path string
		says []string
	}{
		"empty":          {"", []string{"is empty", "give the path of a file"}},
		"missing folder": {filepath.Join(dir, "none", "idmap.db"), []string{filepath.Join(dir, "none"), "does not exist", "create it"}},
		"a folder":       {dir, []string{dir, "is a folder", "give the path of a database file"}},
		"inside a file":  {filepath.Join(text, "idmap.db"), []string{text, "cannot be"}},
		"a device":       {os.DevNull, []string{os.DevNull, "not a regular file"}},
		"not a database": {text, []string{text, "is not an idmap database", "name another file"}},
		"too short":      {short, []string{short, "is not an idmap database"}},
	} {
		t.Run(name, func(t *testing.T) { says(t, openError(t, c.path), c.says...) })
	}
	if _, err := os.Stat(text + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file that is not ours got a lock file")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMissingFolderIsNotExist(t *testing.T) {
	if err := openError(t, filepath.Join(t.TempDir(), "none", "idmap.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open answers %v", err)
	}
}

func TestDatabaseOfAnotherProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "music.db")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := openPool(f.writerDSN(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE songs (title TEXT)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	says(t, openError(t, path), path, "another program", "name another file")
	if read(t, path) != before {
		t.Error("a database of another program was changed")
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a database of another program got a lock file")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestCorruptDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	write(t, path, "SQLite format 3\x00"+strings.Repeat("garbage ", 1000))
	says(t, openError(t, path), path, "is not an idmap database", "restore this one from a backup")
}

// TestOddPaths opens files whose names would be options, escapes or databases in memory if a path were a DSN.
func TestOddPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"a?mode=memory", "a?_pragma=journal_mode(OFF)", "100%41", "a#b", ":memory:", "file:x", "ä 😀.db", "a&b=c", `a\b`, "a;b'c\"",
	} {
		path := filepath.Join(dir, name)
		s := openAt(t, path)
		if err := s.Ping(t.Context()); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q is not the file: %v", name, err)
		}
		if mode := mode(t, path); mode != 0o600 {
			t.Errorf("%q can be read by others: %v", name, mode)
		}
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

// TestLinkSharesTheLock opens one file by two names.
func TestLinkSharesTheLock(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "idmap.db"), filepath.Join(dir, "link.db")
	s := openAt(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if other := openAt(t, link); other.lock.path != s.lock.path {
		t.Errorf("locks %s and %s", other.lock.path, s.lock.path)
	}
}

// TestOpeningAgainKeepsTheLocks asks another process whether this one still has its lock on a file that it opened
// twice.
func TestOpeningAgainKeepsTheLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	s := openAt(t, path)
	check := func(when string) {
		t.Helper()
		if out, err := child(t.Context(), "locked", path).Output(); string(out) != "locked" || err != nil {
			t.Errorf("%s: %s %v", when, out, err)
		}
	}
	if n := countAudit(t, s); n != 0 {
		t.Fatalf("%d rows", n)
	}
	check("opened once")
	other := openAt(t, path)
	check("opened twice")
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed once")
	_ = countAudit(t, s)
}

// childLocked tells whether another process has a lock on a file.
func childLocked(out io.Writer, path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return
	}
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	err = syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock)
	switch {
	case err != nil:
		_, _ = fmt.Fprint(out, err)
	case lock.Type == syscall.F_UNLCK:
		_, _ = fmt.Fprint(out, "free")
	default:
		_, _ = fmt.Fprint(out, "locked")
	}
}

// TestReadOnly runs this test again as a user who may not write.
func TestReadOnly(t *testing.T) {
	dir := sharedDir(t)
	writable, readonly := filepath.Join(dir, "writable"), filepath.Join(dir, "readonly")
	for _, folder := range []string{writable, readonly} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		s := openAt(t, filepath.Join(folder, "idmap.db"))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for path, mode := range map[string]fs.FileMode{
		writable: 0o777, filepath.Join(writable, "idmap.db"): 0o444, filepath.Join(writable, "idmap.db.lock"): 0o666,
		readonly: 0o555, filepath.Join(readonly, "idmap.db"): 0o666, filepath.Join(readonly, "idmap.db.lock"): 0o666,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(readonly, 0o700) })
	for name, path := range map[string]string{
		"read-only file": filepath.Join(writable, "idmap.db"), "read-only folder": filepath.Join(readonly, "idmap.db"),
		"new file in a read-only folder": filepath.Join(readonly, "new.db"),
	} {
		out := runAsNobody(t, dir, "open", path)
		if !strings.Contains(out, "cannot be written") || !strings.Contains(out, path) || !strings.Contains(out, "change their permissions") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// childOpen prints why a file cannot be opened, or closed again; nothing if it can.
func childOpen(ctx context.Context, out io.Writer, path string) {
	s, err := Open(ctx, path)
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
	}
}
