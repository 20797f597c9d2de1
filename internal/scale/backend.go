package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const (
	token       = "the-token-of-a-benchmark"
	stopTimeout = 30 * time.Second
)

// A backend is the program, serving.
type backend struct {
	url string
	cmd *exec.Cmd
	log string // the file of what it says
}

var readyLine = regexp.MustCompile(`is ready on (http://\S+)`)

// startBackend starts the program as a server, and returns when it says that it is ready. It has the log in a file, which
// costs least.
func startBackend(ctx context.Context, program, database, folder string, limit int) (*backend, error) {
	b := &backend{log: filepath.Join(folder, "server.log")}
	args := []string{"serve", "--listen", "127.0.0.1:0", "--database", database}
	if limit > 0 {
		args = append(args, "--rate-limit", strconv.Itoa(limit))
	}
	log, err := os.Create(b.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	b.cmd = exec.CommandContext(context.WithoutCancel(ctx), program, args...) //nolint:gosec // the program that was built here
	b.cmd.Env, b.cmd.Stderr = append(os.Environ(), "IDMAP_BOOTSTRAP_TOKEN="+token), log
	b.cmd.SysProcAttr = apart()
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
			b.url = found[1]
			go func() { _, _ = io.Copy(io.Discard, out) }() // until the server ends
			return b, nil
		}
	}
	err = b.cmd.Wait()
	said, _ := os.ReadFile(b.log)
	return nil, fmt.Errorf("the server did not start: %w\n%.2000s", err, said)
}

// stop ends the server, and reports whether it ended well. It returns the most memory that it has held, in MiB.
func (b *backend) stop() (peak float64, err error) {
	peak = peakMemory(b.cmd.Process.Pid)
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return peak, errors.Join(err, b.cmd.Wait())
	}
	last := time.AfterFunc(stopTimeout, func() { _ = b.cmd.Process.Kill() })
	defer last.Stop()
	if err := b.cmd.Wait(); err != nil {
		said, _ := os.ReadFile(b.log)
		return peak, fmt.Errorf("the server did not end well: %w\n%.2000s", err, said)
	}
	return peak, nil
}

// userID, email and alias name the person of a number.
func userID(i int) string { return fmt.Sprintf("user%06d", i) }
func email(i int) string  { return fmt.Sprintf("person%06d@example.com", i) }
func alias(i int) string  { return fmt.Sprintf("p%06d@example.com", i) }

// peopleOf returns the emails of n people by their user ids; of every hundredth the alias where they are changed.
func peopleOf(n int, changed bool) map[string]string {
	people := make(map[string]string, n)
	for i := range n {
		people[userID(i)] = email(i)
		if changed && i%100 == 0 {
			people[userID(i)] = alias(i)
		}
	}
	return people
}

// load stores the two connections, and all people in the directories of both: what the directories do not know does not
// exist, so all rules have something to judge.
func (b *backend) load(ctx context.Context, n int) error {
	c, err := client.New(client.Config{Endpoint: b.url, Token: token})
	if err != nil {
		return err
	}
	defer c.Close()
	for _, side := range []struct {
		id, platform string
		account      func(int) idmap.Account
	}{
		{"mail", "microsoft365", func(i int) idmap.Account {
			return idmap.Account{ID: fmt.Sprintf("m-%06d", i), Email: email(i), Aliases: []string{alias(i)}}
		}},
		{"sales", "oracle_sales", func(i int) idmap.Account {
			return idmap.Account{ID: fmt.Sprintf("a-%06d", i), Username: userID(i), UserType: idmap.UserTypeFull}
		}},
	} {
		made, err := c.CreateConnection(ctx, client.NewKey(), idmap.Connection{
			ID: side.id, Name: side.id, Platform: idmap.PlatformRef{ID: side.platform}, Authoritative: true,
		})
		if err != nil {
			return err
		}
		if n == 0 {
			continue // Seed fills both
		}
		var file bytes.Buffer
		for i := range n {
			if err := json.NewEncoder(&file).Encode(side.account(i)); err != nil {
				return err
			}
		}
		if _, err := c.ImportAccounts(ctx, side.id, made.Revision, "application/jsonl", file.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
