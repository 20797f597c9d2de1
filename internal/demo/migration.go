package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// migration is the story of account maps and group maps.
var migration = story{
	title:   "Contoso's files move from a file server to the cloud. Whose are they there?",
	example: "migration",
	steps: func(d *demo) []step {
		steps := []step{d.mapEverybody, d.nothingToDo, d.helpdesk, d.transfer}
		return append(append(steps, d.refusals(migrationRefusals)...), d.mapInUse, d.removeMaps)
	},
}

// mapEverybody applies the example: two connections and two maps.
func (d *demo) mapEverybody(ctx context.Context) error {
	d.screen.step("Two directories, a map of people, a map of groups",
		"The configuration is examples/migration: a file server and a cloud with some thousand accounts, twins of one name, people who married, guests, programs, leavers. The very first plan says what the maps will leave open.")
	o, err := d.plan(ctx, planChanges)
	if err != nil {
		return err
	}
	if err := d.warned(o, "Map Is Incomplete: Contoso people", "map_incomplete", "accounts matched several"); err != nil {
		return err
	}
	if o, err = d.apply(ctx, 4, 0, 0); err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	return d.addsUp(ctx, "fileserver-accounts.csv", "people")
}

// warned shows a warning of a plan, which is an error if there is none that says all this.
func (d *demo) warned(o outcome, summary, code string, says ...string) error {
	for _, box := range diagnosticBoxes(o.output) {
		r := refusal{summary: summary, code: code, says: says}
		if r.isIn(box) {
			d.screen.quote(box)
			d.screen.ok("said at plan: %s", code)
			return nil
		}
	}
	return o.otherwise("the plan should warn with %q, and name %s", summary, strings.Join(append(says, code), ", "))
}

// addsUp shows how many of a file each rule decided: all of them, together.
func (d *demo) addsUp(ctx context.Context, file, output string) error {
	wanted, err := d.company.rows(file)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	if err := d.terraform.outputValue(ctx, output, &counts); err != nil {
		return err
	}
	sum := 0
	for _, rule := range []string{"Excluded", "Exception", "Email", "Name", "Caption", "Fuzzy", "External", "Unresolved"} {
		if n := counts[rule]; n > 0 {
			d.screen.aside(fmt.Sprintf("%6d  %s", n, rule))
		}
	}
	for _, n := range counts {
		sum += n
	}
	if sum != wanted {
		return fmt.Errorf("the report of %s should have all %d rows of %s, and has %d: %v", output, wanted, file, sum, counts)
	}
	d.screen.ok("the report has every one of the %d rows of %s", sum, file)
	return nil
}

func (d *demo) nothingToDo(ctx context.Context) error {
	d.screen.step("Plan again", "Nothing was changed, so there is nothing to do.")
	if err := d.emptyPlan(ctx); err != nil {
		return err
	}
	d.screen.ok("the plan is empty")
	return d.addsUp(ctx, "fileserver-groups.csv", "groups")
}

// helpdesk gives one pair of twins to the exceptions.
func (d *demo) helpdesk(ctx context.Context) error {
	d.screen.step("The helpdesk knows who is who",
		"Two people are called "+twinName+". No rule takes the first of two: both stay open until somebody says who is who.")
	changes, _, err := d.company.edit([]edit{{file: "exceptions.csv", new: twinRows}})
	if err != nil {
		return err
	}
	d.screen.change(changes[0])
	o, err := d.plan(ctx, planChanges)
	if err != nil {
		return err
	}
	if err := d.warned(o, "Map Changes Results: Contoso people", "map_changes_results", "2 resolve otherwise"); err != nil {
		return err
	}
	if o, err = d.apply(ctx, 0, 1, 0); err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Apply complete!"))
	return d.addsUp(ctx, "fileserver-accounts.csv", "people")
}

// transfer lets a migration tool use the map, and changes the map afterwards.
func (d *demo) transfer(ctx context.Context) error {
	d.screen.step("Files are moving", "A migration tool runs a transfer job with the map. What it has moved keeps its owners, whatever becomes of the map.")
	if err := d.startJob(ctx); err != nil {
		return err
	}
	changes, undo, err := d.company.edit([]edit{{"main.tf", "match          = { emails = true, names = true }", "match          = { emails = true }"}})
	if err != nil {
		return err
	}
	d.screen.change(changes[0])
	o, err := d.plan(ctx, planChanges)
	if err != nil {
		return errors.Join(err, undo())
	}
	return errors.Join(d.warned(o, "Map Is Not Retroactive: Contoso people", "map_not_retroactive", "1 job"), undo())
}

func (d *demo) startJob(ctx context.Context) error {
	var connections struct{ Fileserver, Cloud string }
	var maps struct{ People, Groups string }
	if err := errors.Join(d.terraform.outputValue(ctx, "connections", &connections), d.terraform.outputValue(ctx, "maps", &maps)); err != nil {
		return err
	}
	d.screen.command("curl -X POST …/v1/jobs -d '{\"kind\": \"transfer\", \"status\": \"running\", \"transfer\": {…}}'")
	end := func(id string) map[string]any { return map[string]any{"connection": map[string]string{"id": id}} }
	job := map[string]any{
		"name": "Move the files", "kind": "transfer", "status": "running",
		"transfer": map[string]any{
			"source": end(connections.Fileserver), "destination": end(connections.Cloud),
			"account_map": map[string]string{"id": maps.People}, "group_map": map[string]string{"id": maps.Groups},
		},
	}
	var answer struct{ Job struct{ ID string } }
	if err := d.server.call(ctx, http.MethodPost, "/v1/jobs", job, &answer); err != nil {
		return err
	}
	d.job = answer.Job.ID
	d.screen.ok("the job has noted which revision of each map it uses")
	return nil
}

// mapInUse shows that a map stays while a job needs it.
func (d *demo) mapInUse(ctx context.Context) error {
	d.screen.step("Refused: a map that a running job needs", "Somebody tidies up too early.")
	d.screen.command("terraform destroy -target idmap_group_map.groups")
	o, err := d.terraform.run(ctx, "destroy", "-auto-approve", "-target", "idmap_group_map.groups")
	if err == nil && o.exit == 0 {
		err = o.otherwise("the destroy should be refused")
	}
	if err != nil {
		return err
	}
	return d.show(refusal{summary: "Map Is in Use", code: "map_in_use", says: []string{"Move the files"}}, o)
}

// removeMaps ends the job and destroys everything.
func (d *demo) removeMaps(ctx context.Context) error {
	d.screen.step("Clean up", "The job is done. Destroying removes the maps and the connections. Nobody's account is touched.")
	if err := d.server.call(ctx, http.MethodPatch, "/v1/jobs/"+d.job, map[string]string{"status": "complete"}, nil); err != nil {
		return err
	}
	return d.destroy(ctx, 4, "connections", "account_maps", "group_maps")
}

// The twins that the helpdesk tells apart.
const (
	twinName = "Flora Engel"
	twinRows = `"","fengel","","Flora Engel","","","flora.engel1@contoso.example","Flora Engel"
"","fengel2","","Flora Engel","","","flora.engel2@contoso.example","Flora Engel"
`
)

var migrationRefusals = []refusal{
	{
		headline: "Refused: somebody whom the cloud does not have",
		about:    "The next row of the helpdesk's list has a slip in an address.",
		edits:    []edit{{file: "exceptions.csv", new: `"","inordwald2","","Imani Nordwald","","","imani.nordwalt2@contoso.example","Imani Nordwald"` + "\n"}},
		summary:  "Unknown Account",
		code:     "unknown_account",
		says:     []string{"imani.nordwalt2@contoso.example", "Contoso Cloud", "Did you mean", "imani.nordwald2@contoso.example"},
	},
	{
		headline: "Refused: a name that two people have",
		about:    "Somebody names the twins by their name.",
		edits:    []edit{{file: "exceptions.csv", new: `"","","","Imani Nordwald","","","imani.nordwald1@contoso.example","Imani Nordwald"` + "\n"}},
		summary:  "Ambiguous Account",
		code:     "ambiguous_account",
		says:     []string{"Imani Nordwald", "inordwald", "inordwald2", "Contoso File Server"},
	},
	{
		headline: "Refused: one account, two exceptions",
		about:    "Flora is in the list already, by her username. Somebody adds him in capitals.",
		edits:    []edit{{"main.tf", "exceptions = provider::idmap::exceptions_from_csv(file(\"${path.module}/exceptions.csv\"))", twice}},
		summary:  "Duplicate Exception",
		code:     "duplicate_exception",
		says:     []string{"fengel"},
	},
	{
		headline: "Refused: a default from nowhere",
		about:    "What nobody owns shall go to an archive, which nobody has made yet.",
		edits:    []edit{{"main.tf", "  # Programs own nothing", "  default_account = \"archive@contoso.example\"\n\n  # Programs own nothing"}},
		summary:  "Unknown Account",
		code:     "unknown_account",
		says:     []string{"archive@contoso.example", "Contoso Cloud"},
	},
	{
		headline: "Refused: guests who are looked for and not kept",
		about:    "To look for guests first makes sense only where they are kept.",
		edits:    []edit{{"main.tf", "external_users = { retain = true }", "external_users = { resolve_first = true }"}},
		summary:  "Unsupported Option",
		code:     "unsupported_option",
		says:     []string{"resolve_first"},
	},
}

const twice = `exceptions = merge(
    provider::idmap::exceptions_from_csv(file("${path.module}/exceptions.csv")),
    { "FENGEL" = "flora.engel1@contoso.example" },
  )`
