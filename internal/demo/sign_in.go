package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The chapter of sign-ins: Amélie Dubois has a mailbox and a Sales user, and no row in mappings.csv.
const (
	salesName   = "Contoso Sales"
	amelie      = "amelie.dubois"
	amelieEmail = "amelie.dubois@contoso.com"
	adoptedFile = "adopted.tf"
)

// attempt is a sign-in, and what came of it.
type attempt struct {
	SignIn struct {
		Outcome string `json:"outcome"`
		Reasons []struct {
			Code        string `json:"code"`
			Description string `json:"description"`
		} `json:"reasons"`
		MappingCreated bool `json:"mapping_created"`
	} `json:"sign_in"`
	UserMapping struct {
		ID string `json:"id"`
	} `json:"user_mapping"`
	Session struct {
		ID string `json:"id"`
	} `json:"session"`
}

// codes returns the codes of a denial, separated by commas.
func (a attempt) codes() string {
	var all []string
	for _, r := range a.SignIn.Reasons {
		all = append(all, r.Code)
	}
	return strings.Join(all, ",")
}

func (d *demo) firstSignIn(ctx context.Context) error {
	d.screen.step("Somebody signs in",
		"Amélie Dubois has no row in mappings.csv. She opens the Outlook add-in, and the add-in asks the server whether she may come in. Its token has the scope sign_in, and can do nothing else.")
	var token struct {
		Token struct {
			Secret string `json:"secret"`
		} `json:"token"`
	}
	wanted := map[string]any{"name": "Outlook add-in", "scopes": []string{"sign_in"}}
	if err := d.server.call(ctx, http.MethodPost, "/v1/tokens", wanted, &token); err != nil {
		return err
	}
	d.addIn = d.server.as(token.Token.Secret)
	if err := d.addIn.call(ctx, http.MethodGet, "/v1/user_mappings", nil, nil); err == nil {
		return errors.New("the add-in's token should not read mappings, and it does")
	}
	a, err := d.signIn(ctx, amelieEmail, amelie, "allowed")
	if err != nil {
		return err
	}
	if !a.SignIn.MappingCreated || a.Session.ID == "" {
		return fmt.Errorf("the sign-in should make a mapping and begin a session, and the answer is %+v", a)
	}
	d.session = a.Session.ID
	d.screen.ok("allowed; the first permitted sign-in made the mapping, under all the rules of the plan")
	return nil
}

// signIn asks the server whether somebody may come in, and is an error unless the outcome is that.
func (d *demo) signIn(ctx context.Context, email, userID, outcome string) (attempt, error) {
	var a attempt
	var ids struct{ Mail, Sales string }
	if err := d.terraform.outputValue(ctx, "connections", &ids); err != nil {
		return a, err
	}
	end := func(id string) any { return map[string]any{"connection": map[string]string{"id": id}} }
	body := map[string]any{"source": end(ids.Mail), "destination": end(ids.Sales), "email": email, "user_id": userID, "client": "outlook-addin"}
	d.screen.command(fmt.Sprintf("curl -X POST …/v1/sign_ins \\\n%s      -d '{…, \"email\": %q, \"user_id\": %q}'", indent, email, userID))
	if err := d.addIn.call(ctx, http.MethodPost, "/v1/sign_ins", body, &a); err != nil {
		return a, err
	}
	if a.SignIn.Outcome != outcome {
		return a, fmt.Errorf("the sign-in of %s as %s should be %s, and it is %s (%s)", email, userID, outcome, a.SignIn.Outcome, a.codes())
	}
	return a, nil
}

func (d *demo) deniedSignIns(ctx context.Context) error {
	d.screen.step("Who may not come in",
		"Kofi Mensah tries with Amélie's mailbox, and Walter Brandt is a stub that came with old data. Both are denied, and the history keeps why.")
	for _, denied := range []struct{ email, user, code string }{
		{amelieEmail, "kofi.mensah", "email_in_use"},
		{"walter.brandt@contoso.com", "walter.brandt", "user_cannot_sign_in"},
	} {
		a, err := d.signIn(ctx, denied.email, denied.user, "denied")
		if err != nil {
			return err
		}
		if !strings.Contains(a.codes(), denied.code) || a.Session.ID != "" {
			return fmt.Errorf("%s should be denied with %s, and without a session; the answer is %+v", denied.user, denied.code, a)
		}
		d.screen.quote(denied.code + ": " + a.SignIn.Reasons[0].Description)
	}
	total, err := d.server.total(ctx, "sign_ins?outcome=denied")
	if err == nil && total != 2 {
		err = fmt.Errorf("the history should have 2 denials, and has %d", total)
	}
	if err != nil {
		return err
	}
	said, exit, err := d.program(ctx, "sign-in", "diagnose", "--source", "Contoso Microsoft 365", "--connection", salesName, "--user", "walter.brandt")
	if err != nil {
		return err
	}
	if exit != 1 || !strings.Contains(said, "real account") {
		return fmt.Errorf("the diagnosis of walter.brandt should end with exit code 1 and the cure; it ends with %d:\n%s", exit, said)
	}
	d.screen.quote(lineWith(said, "cannot sign in to connection"))
	d.screen.ok("denied, with every reason; the history has both")
	return nil
}

// program runs the product's own command line on the server.
func (d *demo) program(ctx context.Context, args ...string) (said string, exit int, err error) {
	var line []string
	for _, arg := range args {
		if strings.Contains(arg, " ") {
			arg = fmt.Sprintf("%q", arg)
		}
		line = append(line, arg)
	}
	d.screen.command("terraform-provider-idmap " + strings.Join(line, " "))
	cmd := exec.CommandContext(ctx, d.binary, args...)
	cmd.Env = cleanEnvironment("IDMAP_ENDPOINT="+d.server.endpoint, "IDMAP_TOKEN="+d.server.token)
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if errors.As(err, &failed) && ctx.Err() == nil {
		err = nil
	}
	return string(out), cmd.ProcessState.ExitCode(), err
}

func (d *demo) signInShows(ctx context.Context) error {
	d.screen.step("The plan shows who came by themselves",
		"The configuration reads the mappings that sign-ins made. Nothing of Terraform's own has changed.")
	o, err := d.plan(ctx, planChanges)
	if err != nil {
		return err
	}
	line := lineWith(o.output, amelie)
	if !strings.Contains(line, amelieEmail) || lineWith(o.output, "Changes to Outputs") == "" || strings.Contains(o.output, "Plan:") {
		return o.otherwise("the plan should show %s in the output mapped_by_sign_in, and change nothing else", amelie)
	}
	d.screen.quote("Changes to Outputs:")
	d.screen.quote(lineWith(o.output, "mapped_by_sign_in"))
	d.screen.quote(line)
	d.screen.ok("Amélie's mapping shows in the plan, although Terraform does not manage it")
	return nil
}

func (d *demo) adopt(ctx context.Context) error {
	d.screen.step("Adopt it", "A command prints the import block and the resource of every mapping that a sign-in made.")
	said, exit, err := d.program(ctx, "adopt", "--connection", salesName,
		"--resource", salesName+"=idmap_connection.sales", "--resource", "Contoso Microsoft 365=idmap_connection.mail")
	if err == nil && (exit != 0 || !strings.Contains(said, amelie)) {
		err = fmt.Errorf("adopt should print the mapping of %s; it ends with %d:\n%s", amelie, exit, said)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(d.company.folder, adoptedFile), []byte(said), 0o644)
	}
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(said, "resource "))
	o, err := d.applySaying(ctx, "Resources: 1 imported, 0 added, 0 changed, 0 destroyed.")
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	if err := d.emptyPlan(ctx); err != nil {
		return err
	}
	d.screen.ok("the mapping is Terraform's, as it is, and the plan is empty")
	return nil
}

func (d *demo) revoke(ctx context.Context) error {
	d.screen.step("Take access away", "Amélie has lost her laptop. Her session ends at once; the mapping stays.")
	said, exit, err := d.program(ctx, "session", "revoke", "--connection", salesName, "--user", amelie)
	if err == nil && (exit != 0 || !strings.Contains(said, "Revoked 1 session")) {
		err = fmt.Errorf("one session of %s should be revoked; the command ends with %d:\n%s", amelie, exit, said)
	}
	if err != nil {
		return err
	}
	d.screen.quote(strings.TrimSpace(said))
	if err := d.sessionIsOver(ctx); err != nil {
		return err
	}
	d.screen.ok("the add-in asks for the session, and it is over")
	return nil
}

func (d *demo) sessionIsOver(ctx context.Context) error {
	err := d.addIn.call(ctx, http.MethodGet, "/v1/sessions/"+url.PathEscape(d.session), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "not_found") {
		return fmt.Errorf("session %s should be over, and the server says: %w", d.session, err)
	}
	return nil
}

// closeTheDoor ends with the mappings that the chapters after this one know.
func (d *demo) closeTheDoor(ctx context.Context) error {
	d.screen.step("Nobody comes by themselves any more",
		"From now on a mapping is required, and Amélie's is removed from the configuration. She is signed in again meanwhile.")
	a, err := d.signIn(ctx, amelieEmail, amelie, "allowed")
	if err != nil {
		return err
	}
	d.session = a.Session.ID
	changes, _, err := d.company.edit([]edit{{
		"main.tf", "  platform      = \"oracle_sales\"\n", "  platform      = \"oracle_sales\"\n  sign_in_mapping = \"require\"\n",
	}})
	if err == nil {
		err = os.Remove(filepath.Join(d.company.folder, adoptedFile))
	}
	if err != nil {
		return err
	}
	for _, c := range changes {
		d.screen.change(c)
	}
	o, err := d.apply(ctx, 0, 1, 1)
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	if err := d.sessionIsOver(ctx); err != nil {
		return err
	}
	if a, err = d.signIn(ctx, amelieEmail, amelie, "denied"); err != nil {
		return err
	}
	if a.codes() != "mapping_required" {
		return fmt.Errorf("%s should be denied with mapping_required alone, and is with %s", amelie, a.codes())
	}
	d.screen.quote("mapping_required: " + a.SignIn.Reasons[0].Description)
	d.screen.ok("her session went with the mapping, and she cannot make another")
	return nil
}
