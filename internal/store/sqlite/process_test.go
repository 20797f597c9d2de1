package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// childEnv makes the test binary a child that does what its value says, with the words after it.
const childEnv = "IDMAP_SQLITE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch job, argument, _ := strings.Cut(os.Getenv(childEnv), " "); job {
	case "":
		os.Exit(m.Run())
	case "open":
		childOpen(context.Background(), os.Stdout, argument)
	case "write":
		childWrite(context.Background(), os.Stdout, argument)
	case "locked":
		childLocked(os.Stdout, argument)
	case "count":
		childCount(context.Background(), os.Stdout, argument)
	}
}

func child(ctx context.Context, job, argument string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+job+" "+argument)
	cmd.Stderr = os.Stderr
	return cmd
}

// sharedDir is a folder that every user may enter.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runAsNobody runs a child as a user whom file permissions bind, which root is not.
func runAsNobody(t *testing.T, dir, job, argument string) string {
	t.Helper()
	cmd := child(t.Context(), job, argument)
	if os.Geteuid() == 0 {
		cmd.Path = copyOfTest(t, dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// copyOfTest returns this program where every user can run it.
func copyOfTest(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "child.test")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	program, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(path, program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// childWrite commits entries until it is killed, and prints the id of each once it is acknowledged. The entries of one
// transaction are two, so that half of one can be told.
func childWrite(ctx context.Context, out io.Writer, path string) {
	s, err := Open(ctx, path)
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%d-%08d", os.Getpid(), i)
		err := s.Update(ctx, func(tx store.Tx) error {
			return tx.AppendAudit(ctx, []idmap.AuditEntry{{ID: id + "-a"}, {ID: id + "-b"}})
		})
		if err != nil {
			_, _ = fmt.Fprintln(out, err)
			return
		}
		_, _ = fmt.Fprintln(out, id)
	}
}

// TestKilledWriterLosesNothing kills a process in the middle of its work, again and again.
func TestKilledWriterLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	var acknowledged []string
	for round := range 4 {
		acknowledged = append(acknowledged, writeUntilKilled(t, path, 10+round*7)...)
	}
	s := openAt(t, path)
	stored := map[string]bool{}
	err := s.View(t.Context(), func(r store.Reader) error {
		entries, err := r.ListAudit(t.Context(), idmap.AuditFilter{}, idmap.Page{Limit: 100_000})
		for _, e := range entries {
			stored[e.ID] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range acknowledged {
		if !stored[id+"-a"] {
			t.Errorf("the acknowledged commit %s is lost", id)
		}
	}
	for id := range stored {
		if other := strings.TrimSuffix(strings.TrimSuffix(id, "-a"), "-b"); !stored[other+"-a"] || !stored[other+"-b"] {
			t.Errorf("half of the transaction %s is stored", other)
		}
	}
	var result string
	if err := s.writer.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&result); err != nil || result != "ok" {
		t.Errorf("integrity check: %s, %v", result, err)
	}
}

// writeUntilKilled returns what the child acknowledged before it was killed, which is when it had done so n times.
func writeUntilKilled(t *testing.T, path string, n int) (acknowledged []string) {
	t.Helper()
	cmd := child(t.Context(), "write", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), strconv.Itoa(cmd.Process.Pid)) {
			t.Fatal(lines.Text())
		}
		if acknowledged = append(acknowledged, lines.Text()); len(acknowledged) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	return acknowledged
}

// rounds is how often each of several processes counts.
const rounds = 60

// childCount adds one to the revision of a connection, which it reads first.
func childCount(ctx context.Context, out io.Writer, path string) {
	s, err := Open(ctx, path)
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return
	}
	for range rounds {
		if err := s.Update(ctx, func(tx store.Tx) error { return countUp(ctx, tx) }); err != nil {
			_, _ = fmt.Fprintln(out, err)
		}
	}
	if err := s.Close(); err != nil {
		_, _ = fmt.Fprintln(out, err)
	}
}

func countUp(ctx context.Context, tx store.Tx) error {
	found, err := tx.Connections(ctx, []string{"c"})
	if err != nil {
		return err
	}
	found[0].Revision++
	return tx.UpdateConnection(ctx, found[0])
}

// TestProcessesShareTheFile lets several processes open, migrate and write one file at once. None may fail, not even
// with a conflict, and no write may be lost.
func TestProcessesShareTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	s := openAt(t, path)
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return tx.InsertConnection(t.Context(), idmap.Connection{ID: "c", Revision: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	const processes = 3
	results := make(chan string, processes)
	for range processes {
		go func() {
			out, err := child(t.Context(), "count", path).Output()
			results <- fmt.Sprintf("%s%v", out, err)
		}()
	}
	for range rounds { // and so does this one, with readers beside it
		if err := s.Update(t.Context(), func(tx store.Tx) error { return countUp(t.Context(), tx) }); err != nil {
			t.Error(err)
		}
		_ = countAudit(t, s)
	}
	for range processes {
		if out := <-results; out != "<nil>" {
			t.Error(out)
		}
	}
	err = s.View(t.Context(), func(r store.Reader) error {
		found, err := r.Connections(t.Context(), []string{"c"})
		if want := int64(1 + rounds*(processes+1)); err == nil && found[0].Revision != want {
			t.Errorf("revision %d, want %d", found[0].Revision, want)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestProcessesOpenANewFile lets several processes make the same file.
func TestProcessesOpenANewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idmap.db")
	results := make(chan string, 4)
	for range cap(results) {
		go func() {
			out, err := child(t.Context(), "open", path).Output()
			results <- fmt.Sprintf("%s%v", out, err)
		}()
	}
	for range cap(results) {
		select {
		case out := <-results:
			if out != "<nil>" {
				t.Error(out)
			}
		case <-time.After(time.Minute):
			t.Fatal("a process hangs")
		}
	}
}
