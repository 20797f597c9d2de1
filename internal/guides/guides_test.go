package guides

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/go-version"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.RemoveProvider()
	os.Exit(code)
}

// TestGuides follows each guide to the letter, as a reader does who tries everything: writes the files that it shows, makes
// the changes, runs the commands, and looks for what the guide says she sees.
func TestGuides(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"getting-started.md.tmpl", "taking-over.md", "people.md", "from-csv.md"} {
		t.Run(strings.SplitN(name, ".", 2)[0], func(t *testing.T) {
			t.Parallel()
			text := render(t, filepath.Join(root, "templates", "guides", name))
			r := newReader(t)
			if strings.Contains(plain(text), "the four files of [getting started](getting-started.md)") {
				r.copyCompany()
			}
			blocks := blocksOf(t, text)
			for i, b := range blocks {
				r.do(b, blocks[i+1:])
			}
		})
	}
}

// reader is somebody who follows a guide, in a folder and a shell of her own.
type reader struct {
	*testing.T
	w       testenv.Workspace
	shell   string           // what the shell keeps between commands: its folder and its variables
	address string           // of the server that the guide has at 127.0.0.1:8080
	version *version.Version // of Terraform
	said    string           // by the last command
}

func newReader(t *testing.T) *reader {
	t.Helper()
	cli, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	program := testenv.Provider(t)
	programs := t.TempDir()
	for name, path := range map[string]string{"terraform": cli, "terraform-provider-idmap": program} {
		if err := os.Symlink(path, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	// The guides do not build the program over and over again: it is there already.
	built := fmt.Sprintf("#!/bin/sh\nmkdir -p bin && ln -s %q bin/terraform-provider-idmap\n", program)
	if err := os.WriteFile(filepath.Join(programs, "make"), []byte(built), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &reader{T: t, shell: filepath.Join(t.TempDir(), "shell"), address: "127.0.0.1:0"}
	r.w = testenv.NewWorkspace(t, "bash", program, "HOME="+t.TempDir(), "TF_CLI_ARGS_apply=-auto-approve", "TF_CLI_ARGS_destroy=-auto-approve",
		"PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	if err := os.WriteFile(r.shell, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.version = terraformVersion(r)
	return r
}

// do does what one block of a guide says.
func (r *reader) do(b block, rest []block) {
	r.Helper()
	if b.since != nil && r.version.LessThan(b.since) {
		r.Logf("line %d: this Terraform is %v, and the section needs %v", b.line, r.version, b.since)
		return
	}
	switch b.language {
	case "terraform", "csv":
		r.write(b, b.text)
	case "diff":
		r.write(b, r.edited(b))
	case "sh":
		r.run(b, rest)
	case "text":
		r.compare(b)
	default:
		r.Fatalf("line %d: nobody knows what to do with a block of %q", b.line, b.language)
	}
}

// write writes the file that the words before a block name. It is formatted as Terraform does it.
func (r *reader) write(b block, text string) {
	r.Helper()
	if b.file == "" {
		r.Fatalf("line %d: the words before the block do not name a file", b.line)
	}
	path := filepath.Join(r.folder(), b.file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(r.fill(text)), 0o600)); err != nil {
		r.Fatal(err)
	}
	if filepath.Ext(b.file) == ".tf" {
		if o := r.w.Run(r, "-c", fmt.Sprintf("terraform fmt -check -diff %q", path)); o.Code != 0 {
			r.Errorf("line %d: %s is not formatted:\n%v", b.line, b.file, o)
		}
	}
}

// edited is a file after a change that a block shows: its lines with a minus are gone, and in their place are those with
// a plus. Other lines say where that is.
func (r *reader) edited(b block) string {
	r.Helper()
	stored, err := os.ReadFile(filepath.Join(r.folder(), b.file))
	if err != nil {
		r.Fatalf("line %d: %v", b.line, err)
	}
	var before, after strings.Builder
	for line := range strings.Lines(b.text) {
		switch sign, rest := line[:1], line[1:]; sign {
		case "-":
			before.WriteString(rest)
		case "+":
			after.WriteString(rest)
		default:
			before.WriteString(rest)
			after.WriteString(rest)
		}
	}
	if strings.Count(string(stored), before.String()) != 1 {
		r.Fatalf("line %d: %s has not, or more than once:\n%s\nIt is:\n%s", b.line, b.file, before.String(), stored)
	}
	return strings.Replace(string(stored), before.String(), after.String(), 1)
}

// run runs commands. They end well, unless the guide shows an error.
func (r *reader) run(b block, rest []block) {
	r.Helper()
	commands := strings.ReplaceAll(r.fill(b.text), "127.0.0.1:8080", r.address)
	if strings.Contains(commands, "terraform-provider-idmap serve") {
		r.serve(commands)
		return
	}
	o := r.w.Run(r, "-c", fmt.Sprintf("source %q; set -e; %s\nexport -p > %q; printf 'cd %%q\\n' \"$PWD\" >> %q", r.shell, commands, r.shell, r.shell))
	r.said = plain(o.Stdout + o.Stderr)
	fails := len(rest) > 0 && rest[0].language == "text" && strings.Contains(rest[0].text, "Error:")
	if fails != (o.Code != 0) {
		r.Fatalf("line %d: %s\nended with %d:\n%s%s", b.line, commands, o.Code, o.Stdout, o.Stderr)
	}
}

// compare looks for what a guide shows in what the last command said. Dots stand for what is left out.
func (r *reader) compare(b block) {
	r.Helper()
	rest := r.said
	for piece := range strings.SplitSeq(b.text, "…") {
		_, after, found := strings.Cut(rest, plain(piece))
		if !found {
			r.Errorf("line %d: the guide shows, and in this place there is not:\n%s\n\nThe command said:\n%s", b.line, strings.TrimSpace(piece), r.said)
			return
		}
		rest = after
	}
}

// serve starts a server, as in another terminal, and waits until it is ready.
func (r *reader) serve(commands string) {
	r.Helper()
	cmd := r.w.Command(r, "-c", fmt.Sprintf("source %q; %s", r.shell, strings.Replace(commands, "terraform-provider-idmap serve", "exec terraform-provider-idmap serve", 1)))
	cmd.Stderr = r.Output()
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = cmd.Process.Kill() // its end is not the guide's business
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	found := listening.FindStringSubmatch(line)
	if err != nil || found == nil {
		r.Fatalf("%s\nsays %q, %v", commands, line, err)
	}
	r.address = found[1]
}

var (
	listening = regexp.MustCompile(`ready on http://(\S+)`)
	uuid      = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	idFor     = regexp.MustCompile(`\bID\b`)
)

// fill puts in place of ID the last id that was shown.
func (r *reader) fill(text string) string {
	r.Helper()
	if !idFor.MatchString(text) {
		return text
	}
	shown := uuid.FindAllString(r.said, -1)
	if len(shown) == 0 {
		r.Fatalf("which ID? The last command has shown none:\n%s", r.said)
	}
	return idFor.ReplaceAllString(text, shown[len(shown)-1])
}

// folder is where the shell is.
func (r *reader) folder() string {
	r.Helper()
	return strings.TrimSpace(r.w.Must(r, "-c", fmt.Sprintf("source %q; pwd", r.shell)).Stdout)
}

// copyCompany writes the files of the company whose story most guides tell.
func (r *reader) copyCompany() {
	r.Helper()
	if err := os.CopyFS(r.w.Folder, os.DirFS(filepath.Join(root, "examples", "guides", "company"))); err != nil {
		r.Fatal(err)
	}
}

func terraformVersion(r *reader) *version.Version {
	r.Helper()
	said := r.w.Must(r, "-c", "terraform version").Stdout
	words := strings.Fields(said)
	if len(words) < 2 {
		r.Fatalf("no version: %s", said)
	}
	v, err := version.NewVersion(strings.TrimPrefix(words[1], "v"))
	if err != nil {
		r.Fatal(err)
	}
	return v.Core()
}

var (
	colours = regexp.MustCompile("\x1b\\[[0-9;]*m")
	boxes   = strings.NewReplacer("│", " ", "╷", " ", "╵", " ")
)

// plain is a text without colours, boxes and line breaks, which depend on where it is shown.
func plain(text string) string {
	return strings.Join(strings.Fields(boxes.Replace(colours.ReplaceAllString(text, ""))), " ")
}
