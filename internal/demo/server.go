package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 15 * time.Second
	callTimeout  = 30 * time.Second
)

// A server is the product's own, running.
type server struct {
	endpoint, token string
	process         *exec.Cmd
	log             *logBuffer
	ended           chan struct{}
	endedWith       error // once ended is closed
}

// startServer starts the binary as a server on a SQLite file, and waits until it is ready.
func startServer(ctx context.Context, binary, database string) (*server, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{endpoint: "http://" + address, token: rand.Text(), log: &logBuffer{}, ended: make(chan struct{})}
	// Ending ctx must not kill the server: it is stopped, and gets to say whether it ended well.
	s.process = exec.CommandContext(context.WithoutCancel(ctx), binary, "serve", "--listen", address, "--database", database)
	s.process.Env = cleanEnvironment("IDMAP_BOOTSTRAP_TOKEN=" + s.token)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	isolate(s.process)
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.endedWith = s.process.Wait()
		close(s.ended)
	}()
	if err := s.waitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the server did not start: %w\n%s", err, s.log), s.stop())
	}
	return s, nil
}

// freeAddress returns an address that nobody listens on. Nothing keeps it free for us.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (s *server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.call(ctx, http.MethodGet, "/readyz", nil, nil)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it ended (%w)", s.endedWith)
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop asks the server to end, and reports whether it ended well. Further calls report the same.
func (s *server) stop() error {
	if s.process.Process.Signal(syscall.SIGTERM) != nil {
		_ = s.process.Process.Kill() // it has ended, or this system has no signals
	}
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		_ = s.process.Process.Kill()
		<-s.ended
		return fmt.Errorf("the server had to be killed, since it did not stop within %s\n%s", stopTimeout, s.log)
	}
	if s.endedWith != nil {
		return fmt.Errorf("the server did not end well: %w\n%s", s.endedWith, s.log)
	}
	return nil
}

// call makes one call of the API. A body that is given is sent as JSON; the answer is
// decoded into what answer points to.
func (s *server) call(ctx context.Context, method, path string, body, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := s.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s\n%s", method, path, resp.Status, content)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(content, answer)
}

func (s *server) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.endpoint+path, &content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// as returns the same server, asked with another token.
func (s *server) as(token string) *server {
	other := *s
	other.token = token
	return &other
}

// total returns how many objects a list of the API has.
func (s *server) total(ctx context.Context, list string) (int, error) {
	var answer struct {
		Meta struct {
			TotalCount int `json:"total_count"`
		} `json:"meta"`
	}
	err := s.call(ctx, http.MethodGet, "/v1/"+list, nil, &answer)
	return answer.Meta.TotalCount, err
}

// mappingOf returns the id of a user's mapping.
func (s *server) mappingOf(ctx context.Context, userID string) (string, error) {
	var answer struct {
		UserMappings []struct {
			ID string `json:"id"`
		} `json:"user_mappings"`
	}
	err := s.call(ctx, http.MethodGet, "/v1/user_mappings?user_id="+url.QueryEscape(userID), nil, &answer)
	if err == nil && len(answer.UserMappings) != 1 {
		err = fmt.Errorf("the server has %d mappings of user %s, not one", len(answer.UserMappings), userID)
	}
	if err != nil {
		return "", err
	}
	return answer.UserMappings[0].ID, nil
}

// emailOf returns the email of a mapping.
func (s *server) emailOf(ctx context.Context, id string) (string, error) {
	var answer struct {
		UserMapping struct {
			Email string `json:"email"`
		} `json:"user_mapping"`
	}
	err := s.call(ctx, http.MethodGet, "/v1/user_mappings/"+id, nil, &answer)
	return answer.UserMapping.Email, err
}

// A logBuffer keeps what a running process says.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements [io.Writer].
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String implements [fmt.Stringer].
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
