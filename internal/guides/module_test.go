package guides

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// ciStep is a command of the example's workflow.
var ciStep = regexp.MustCompile(`(?m)^ +- run: (.*)$`)

// TestModuleTests runs the tests of the example module as its workflow does, with OpenTofu too.
func TestModuleTests(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(context.Context) (string, error){"Terraform": testenv.Terraform, "OpenTofu": testenv.OpenTofu} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cli, err := find(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			runWorkflow(t, module(t, cli))
		})
	}
}

func runWorkflow(t *testing.T, w testenv.Workspace) {
	t.Helper()
	workflow, err := os.ReadFile(filepath.Join(w.Folder, "ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	steps := ciStep.FindAllStringSubmatch(string(workflow), -1)
	if len(steps) != 5 {
		t.Fatalf("the workflow has the steps %q", steps)
	}
	said := ""
	for _, step := range steps {
		if strings.HasPrefix(step[1], "terraform init ") {
			continue // the provider is the one that was built here, and is on no registry
		}
		said += w.Must(t, "-c", step[1]).Stdout
	}
	for _, want := range []string{"4 passed, 0 failed", "unknown_email.csv: refused", "email_in_use.csv: refused", "user_cannot_sign_in.csv: refused"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody said %q:\n%s", want, said)
		}
	}
}

// TestModuleTestsFail: the tests of the example find what they look for.
func TestModuleTestsFail(t *testing.T) {
	t.Parallel()
	cli, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const good, other = "user_id,email\nJDOE,jane.doe@contoso.com\n", "user_id,email\nJDOE,nobody@contoso.com\n"
	for name, c := range map[string]struct {
		file, text, command string
		want                []string
	}{
		"a row that is right": {
			"tests/refused/email_in_use.csv", good, "tests/refused.sh",
			[]string{"the plan passes, and email_in_use was expected"},
		},
		"another refusal": {
			"tests/refused/email_in_use.csv", other, "tests/refused.sh",
			[]string{"email_in_use was expected, not", "Code: unknown_email"},
		},
		"a refusal in a run": {
			"mappings.csv", other, `IDMAP_EMBEDDED_DATABASE="$(mktemp -d)/idmap.db" terraform test`,
			[]string{"Code: unknown_email", "0 passed, 1 failed"},
		},
		// The guide says that nothing but a precondition is caught so.
		"a refusal that a run expects": {
			"tests/data/private-address.csv", other, `IDMAP_EMBEDDED_DATABASE="$(mktemp -d)/idmap.db" terraform test`,
			[]string{"Code: unknown_email", "Missing expected failure", "3 passed, 1 failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := module(t, cli)
			w.Write(t, c.file, c.text)
			o := w.Run(t, "-c", c.command)
			if o.Code == 0 {
				t.Errorf("it passes: %v", o)
			}
			for _, want := range c.want {
				if !strings.Contains(o.Stdout+o.Stderr, want) {
					t.Errorf("nothing says %q: %v", want, o)
				}
			}
		})
	}
}

// module is a copy of the example, and a shell in which terraform is the given command line.
func module(t *testing.T, cli string) testenv.Workspace {
	t.Helper()
	programs := t.TempDir()
	w := testenv.NewWorkspace(t, "sh", testenv.Provider(t), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	err := errors.Join(
		os.Symlink(cli, filepath.Join(programs, "terraform")),
		os.CopyFS(w.Folder, os.DirFS(filepath.Join(root, "examples", "testing"))))
	if err != nil {
		t.Fatal(err)
	}
	return w
}
