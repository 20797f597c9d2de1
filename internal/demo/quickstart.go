package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// quickstart is the story of user mappings.
var quickstart = story{
	title:   "Contoso has a Microsoft 365 tenant and an Oracle Sales pod. Who is who?",
	example: "quickstart",
	steps: func(d *demo) []step {
		return slices.Concat(
			[]step{d.firstApply, d.secondPlan, d.drift, d.someoneLeaves},
			[]step{d.firstSignIn, d.deniedSignIns, d.signInShows, d.adopt, d.revoke, d.closeTheDoor},
			d.refusals(quickstartRefusals),
			[]step{d.nothingGotThrough, d.cleanUp},
		)
	},
}

// mapping is the address of a user's mapping in the configuration.
func mapping(userID string) string { return fmt.Sprintf("idmap_user_mapping.sales[%q]", userID) }

// plan runs terraform plan, and is an error unless it ends with that exit code.
func (d *demo) plan(ctx context.Context, exit int) (outcome, error) {
	d.screen.command("terraform plan")
	o, err := d.terraform.run(ctx, "plan", "-detailed-exitcode")
	if err == nil && o.exit != exit {
		err = o.otherwise("the plan should end with exit code %d (%s)", exit, map[int]string{
			planEmpty: "nothing to do", planRefused: "refused", planChanges: "something to do",
		}[exit])
	}
	return o, err
}

// apply runs terraform apply, and is an error unless it makes exactly these changes.
func (d *demo) apply(ctx context.Context, added, changed, destroyed int) (outcome, error) {
	return d.applySaying(ctx, fmt.Sprintf("Resources: %d added, %d changed, %d destroyed.", added, changed, destroyed))
}

func (d *demo) applySaying(ctx context.Context, summary string) (outcome, error) {
	d.screen.command("terraform apply")
	o, err := d.terraform.run(ctx, "apply", "-auto-approve")
	if err == nil && (o.exit != 0 || lineWith(o.output, summary) == "") {
		err = o.otherwise("the apply should end with %q", summary)
	}
	return o, err
}

// emptyPlan is an error unless there is nothing to do.
func (d *demo) emptyPlan(ctx context.Context) error {
	o, err := d.plan(ctx, planEmpty)
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "No changes."))
	return nil
}

func (d *demo) firstApply(ctx context.Context) error {
	d.screen.step("Two directories, and who is who",
		"The configuration is examples/quickstart: two connections with their directories from CSV files, and one mapping for each row of mappings.csv.")
	wanted, err := d.company.rows("mappings.csv")
	if err != nil {
		return err
	}
	o, err := d.apply(ctx, wanted+2, 0, 0)
	if err != nil {
		return err
	}
	created, more := linesWith(o.output, "Creation complete", 4)
	d.screen.aside(strings.Join(created, "\n"))
	d.screen.aside(fmt.Sprintf("… and %d more", more))
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	if err := d.inState(ctx, 2, wanted); err != nil {
		return err
	}
	return d.onServer(ctx)
}

// inState checks how many objects Terraform knows.
func (d *demo) inState(ctx context.Context, connections, mappings int) error {
	resources, err := d.terraform.resources(ctx)
	if err != nil {
		return err
	}
	c, m := count(resources, "idmap_connection"), count(resources, "idmap_user_mapping")
	if c != connections || m != mappings {
		return fmt.Errorf("in Terraform's state should be %d connections and %d mappings, and there are %d and %d", connections, mappings, c, m)
	}
	d.screen.ok("in Terraform's state: %d connections, %d mappings", c, m)
	return nil
}

// onServer checks that the server has what the files say.
func (d *demo) onServer(ctx context.Context) error {
	var ids struct {
		Mail, Sales string
	}
	if err := d.terraform.outputValue(ctx, "connections", &ids); err != nil {
		return err
	}
	var found []any
	for _, part := range []struct{ list, file string }{
		{"connections/" + ids.Mail + "/accounts", "m365-accounts.csv"},
		{"connections/" + ids.Mail + "/groups", "m365-groups.csv"},
		{"connections/" + ids.Sales + "/accounts", "sales-accounts.csv"},
		{"user_mappings", "mappings.csv"},
	} {
		wanted, err := d.company.rows(part.file)
		if err != nil {
			return err
		}
		total, err := d.server.total(ctx, part.list)
		if err != nil {
			return err
		}
		if total != wanted {
			return fmt.Errorf("the server should have the %d rows of %s, and has %d", wanted, part.file, total)
		}
		found = append(found, total)
	}
	d.screen.ok("on the server: %d mail accounts, %d groups, %d Sales users, %d mappings", found...)
	return nil
}

func (d *demo) secondPlan(ctx context.Context) error {
	d.screen.step("Plan again", "Nothing was changed, so there is nothing to do, however the addresses are spelled.")
	if err := d.emptyPlan(ctx); err != nil {
		return err
	}
	d.screen.ok("the plan is empty")
	return nil
}

// The drift: Laura Horváth has become Laura Novák, and somebody does not know it.
const (
	lauraUser = "laura.horvath"
	lauraNow  = "laura.novak@contoso.com"
	lauraThen = "laura.horvath@contoso.com"
)

func (d *demo) drift(ctx context.Context) error {
	d.screen.step("A change behind Terraform's back",
		"Laura Novák was called Horváth until she married; the old address is an alias of her mailbox. A colleague puts it back, by hand, through the API.")
	id, err := d.server.mappingOf(ctx, lauraUser)
	if err != nil {
		return err
	}
	d.screen.command(fmt.Sprintf("curl -X PATCH …/v1/user_mappings/%s \\\n%s      -d '{\"email\": %q}'", id, indent, lauraThen))
	patch := map[string]string{"email": lauraThen}
	if err := d.server.call(ctx, http.MethodPatch, "/v1/user_mappings/"+id, patch, nil); err != nil {
		return err
	}
	d.screen.ok("the server accepts it: it is the same person")
	if err := d.showDrift(ctx); err != nil {
		return err
	}
	return d.repairDrift(ctx, id)
}

func (d *demo) showDrift(ctx context.Context) error {
	o, err := d.plan(ctx, planChanges)
	if err != nil {
		return err
	}
	block := planned(o.output, mapping(lauraUser))
	if !strings.Contains(sentence(block), fmt.Sprintf("%q -> %q", lauraThen, lauraNow)) || lineWith(o.output, "Plan: 0 to add, 1 to change, 0 to destroy.") == "" {
		return o.otherwise("the plan should change the email of %s from %s to %s, and nothing else", lauraUser, lauraThen, lauraNow)
	}
	d.screen.quote(block)
	d.screen.quote(lineWith(o.output, "Plan: "))
	d.screen.ok("the plan shows who was changed, and how")
	return nil
}

func (d *demo) repairDrift(ctx context.Context, id string) error {
	o, err := d.apply(ctx, 0, 1, 0)
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	email, err := d.server.emailOf(ctx, id)
	if err != nil {
		return err
	}
	if email != lauraNow {
		return fmt.Errorf("the server should have %s for %s again, and has %s", lauraNow, lauraUser, email)
	}
	d.screen.ok("the server has %s again, in the same mapping", email)
	return nil
}

func (d *demo) someoneLeaves(ctx context.Context) error {
	d.screen.step("A colleague leaves",
		"Priya Raman leaves Contoso. Her mailbox and her Sales user are disabled, and her row goes from mappings.csv.")
	changes, _, err := d.company.edit([]edit{
		{"mappings.csv", "priya.raman,priya.raman@contoso.com\n", ""},
		{"m365-accounts.csv", "Priya Raman,Priya,Raman,full,false", "Priya Raman,Priya,Raman,full,true"},
		{"sales-accounts.csv", "Priya Raman,Priya,Raman,full,false", "Priya Raman,Priya,Raman,full,true"},
	})
	if err != nil {
		return err
	}
	for _, c := range changes {
		d.screen.change(c)
	}
	o, err := d.apply(ctx, 0, 2, 1)
	if err != nil {
		return err
	}
	d.screen.aside(lineWith(o.output, "Destruction complete"))
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	left, err := d.server.total(ctx, "user_mappings?user_id=priya.raman")
	if err == nil && left != 0 {
		err = errors.New("the server should have no mapping of priya.raman any more, and has one")
	}
	if err != nil {
		return err
	}
	d.screen.ok("her mapping is gone; the ledger of addresses keeps whose address it was")
	return nil
}

func (d *demo) nothingGotThrough(ctx context.Context) error {
	d.screen.step("And the mappings?", "All those edits are taken back, and none of them left a trace.")
	if err := d.emptyPlan(ctx); err != nil {
		return err
	}
	d.screen.ok("the plan is empty")
	return nil
}

func (d *demo) cleanUp(ctx context.Context) error {
	d.screen.step("Clean up", "Destroying removes the links and the connections. Nobody's account is touched.")
	mappings, err := d.company.rows("mappings.csv")
	if err != nil {
		return err
	}
	return d.destroy(ctx, mappings+2, "connections", "user_mappings")
}
