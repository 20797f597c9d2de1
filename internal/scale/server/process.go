package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	bootstrapToken = "the-token-of-a-measurement"
	stopTimeout    = 30 * time.Second
)

// process is the program, serving.
type process struct {
	url string
	cmd *exec.Cmd
	log *bytes.Buffer
}

var readyLine = regexp.MustCompile(`is ready on (http://\S+)`)

// start starts the program as a server, and returns when it says that it is ready.
func (m *measurement) start(ctx context.Context) (*process, error) {
	p := &process{log: &bytes.Buffer{}}
	p.cmd = exec.CommandContext(ctx, m.program, "serve", "--listen", "127.0.0.1:0", "--database", m.engine.database) //nolint:gosec // the program under test
	p.cmd.Env = append(os.Environ(), "IDMAP_BOOTSTRAP_TOKEN="+bootstrapToken)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
			p.url = found[1]
			return p, nil
		}
	}
	return nil, fmt.Errorf("the server did not start: %w\n%.2000s", errors.Join(p.cmd.Wait()), p.log)
}

// stop ends the server, and reports whether it ended well.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, p.cmd.Wait())
	}
	last := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() })
	defer last.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("the server did not end well: %w\n%.2000s", err, p.log)
	}
	return nil
}

var peakLine = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// peak is the most memory that the server has had resident, in MiB, as Linux tells it.
func (p *process) peak() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := peakLine.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the system does not tell the peak of a process's memory")
	}
	kb, err := strconv.ParseFloat(string(found[1]), 64)
	return kb / 1024, err
}

// cpu is the time that the server has spent on the processors so far. Linux counts it in hundredths of a second.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, errors.New("the system does not tell the processor time of a process")
	}
	var ticks int64
	for _, field := range fields[11:13] { // in user mode, and in the kernel
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}
