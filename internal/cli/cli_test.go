package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
)

// inProcess runs a command line that touches nothing outside of the process.
func inProcess(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	program := &cli.Program{Version: "1.2.3", Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code = program.Run(t.Context(), args)
	return code, out.String(), errs.String()
}

func TestHelpAndVersion(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"--help":                  {"serve", "token create", "token list", "token revoke", "directory import", "adopt", "session list", "session revoke", "sign-in diagnose"},
		"--version":               {"terraform-provider-idmap 1.2.3"},
		"serve --help":            {"--listen", "127.0.0.1:8080", "--database", "--tls-cert", "--tls-key", "IDMAP_BOOTSTRAP_TOKEN", "SIGTERM"},
		"token --help":            {"create", "list", "revoke"},
		"token create --help":     {"--name", "--scope", "sign_in", "read", "write", "admin", "Default: write", "--expires-in", "$IDMAP_ENDPOINT", "$IDMAP_TOKEN", "$IDMAP_DATABASE"},
		"token revoke --help":     {"<id>"},
		"directory import --help": {"<file>", "--connection", "--groups"},
		"adopt --help":            {"--connection", "--resource", `"Contoso Sales=idmap_connection.sales"`, "resource or data source", "printed as its id", "--all", "import block", "adopted.tf", "$IDMAP_ENDPOINT"},
		"session --help":          {"list", "revoke"},
		"session revoke --help":   {"--connection", "--user", "--email", "--id", "may sign in again"},
		"sign-in diagnose --help": {"--source", "--connection", "--email", "--user", "exit code is 1"},
	} {
		code, stdout, stderr := inProcess(t, strings.Fields(line)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d\n%s", line, code, stderr)
		}
		wantText(t, line, strings.Join(strings.Fields(stdout), " "), want...)
		if strings.Contains(stdout, "${") {
			t.Errorf("%s: the help is not filled in:\n%s", line, stdout)
		}
	}
}

func TestUnknownCommands(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                  "serve",
		"sevre":             "serve",
		"token lst":         "list",
		"directory":         "import",
		"serve --token x":   "--token",
		"token list --json": "--json",
	} {
		code, stdout, stderr := inProcess(t, strings.Fields(line)...)
		if code != 2 || stdout != "" {
			t.Errorf("%q: exit code %d, standard output:\n%s", line, code, stdout)
		}
		wantText(t, line, stderr, "Error: ", want, "--help")
	}
}

func TestStartedByHand(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	program := &cli.Program{Version: "1.2.3", Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	if code := program.StartedByHand(t.Context()); code != 1 || out.String() != "" {
		t.Errorf("exit code %d, standard output:\n%s", code, &out)
	}
	wantText(t, "the explanation", errs.String(), "provider for Terraform", "terraform init", "idmap/idmap", "-debug", "serve", "token create", "directory import")
}
