package cli_test

import (
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	mustRun(t, o.env, "directory", "import", "--connection", "Sales", textFile(t, "sales.csv", "id,username,sign_in_permitted\n1,jane,true\n2,bob,false\n"))
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	for _, step := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--user", "jane"}, 0, []string{"permission_granted", "passed"}},
		{[]string{"--email", "Jane@contoso.com"}, 0, []string{"mapping_present", "passed"}},
		{[]string{"--email", "nobody@contoso.com"}, 0, []string{"mapping_present", "unknown"}}, // nothing says that it would be denied
		{[]string{"--email", "bob@contoso.com", "--user", "bob"}, 1, []string{"permission_granted", "failed"}},
		{[]string{"--email", "jane@contoso.com", "--user", "bob"}, 1, []string{"email_not_held_by_another", "failed"}},
	} {
		p := run(t, o.env, append([]string{"sign-in", "diagnose", "--source", "Contoso", "--connection", "Sales"}, step.args...)...)
		if p.code != step.code {
			t.Errorf("%q: exit code %d, want %d\n%s%s", step.args, p.code, step.code, &p.stdout, &p.stderr)
		}
		if line := lineOf(p.stdout.String(), step.want[0]); !strings.Contains(line, step.want[1]) {
			t.Errorf("%q: %s is to be %s:\n%s", step.args, step.want[0], step.want[1], &p.stdout)
		}
		if cured := strings.Contains(p.stdout.String(), "Cure: "); step.code == 1 && !cured {
			t.Errorf("%q: nothing says what to do:\n%s", step.args, &p.stdout)
		}
		if denied := strings.Contains(p.stderr.String(), "would be denied"); denied != (step.code == 1) {
			t.Errorf("%q: standard error:\n%s", step.args, &p.stderr)
		}
	}
}

// lineOf returns the line that begins with that word.
func lineOf(text, word string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, word+" ") {
			return line
		}
	}
	return ""
}

func TestDiagnoseRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nobody":              {[]string{"--source", "Contoso", "--connection", "Sales"}, 2, "--email, --user or both"},
		"no source":           {[]string{"--connection", "Sales", "--user", "jane"}, 2, "--source"},
		"empty user":          {[]string{"--source", "Contoso", "--connection", "Sales", "--user="}, 2, "--user"},
		"unknown source":      {[]string{"--source", "Fabrikam", "--connection", "Sales", "--user", "jane"}, 1, `"Fabrikam"`},
		"unknown application": {[]string{"--source", "Contoso", "--connection", "Sails", "--user", "jane"}, 1, `"Sails"`},
		"one connection":      {[]string{"--source", "Sales", "--connection", "Sales", "--user", "jane"}, 1, "connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, o.env, append([]string{"sign-in", "diagnose"}, c.args...)...)
			if p.code != c.code || p.stdout.String() != "" {
				t.Errorf("exit code %d, want %d; standard output:\n%s", p.code, c.code, &p.stdout)
			}
			wantText(t, "standard error", p.stderr.String(), c.want, "Error: ")
		})
	}
}

func TestATokenOfAnIntegration(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := mustRun(t, o.env, "token", "create", "--name", "addin", "--scope", "sign_in")
	wantText(t, "the explanation", made.stderr.String(), "scopes sign_in")
	wantText(t, "the list", mustRun(t, o.env, "token", "list").stdout.String(), "sign_in")
	addin := office{Client: o.client(t, strings.TrimSpace(made.stdout.String()))}
	answer := addin.signIn(t, "jane@contoso.com", "jane", "addin")
	if err := addin.SignOut(t.Context(), answer.Session.ID); err != nil {
		t.Error(err)
	}
	_, err := addin.UserMapping(t.Context(), answer.UserMapping.ID)
	if !idmap.IsKind(err, idmap.KindForbidden) {
		t.Errorf("reading with it: %v", err)
	}
	for _, err := range addin.Connections(t.Context(), client.ConnectionFilter{}) {
		if !idmap.IsKind(err, idmap.KindForbidden) {
			t.Errorf("listing with it: %v", err)
		}
	}
}
