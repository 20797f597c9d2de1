package main

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// A refusal is a change that somebody wants to make and that plan refuses.
type refusal struct {
	headline, about string
	edits           []edit
	summary         string   // headline of the box, such as "User Cannot Sign In"
	code            string   // that of the rule, if it is one
	says            []string // what the box has to name
}

var quickstartRefusals = []refusal{
	{
		headline: "Refused: a leaver's address for a newcomer",
		about:    "Tom Okafor takes over Priya's customers. Somebody thinks he might as well take over her address.",
		edits:    []edit{{file: "mappings.csv", new: "tom.okafor,priya.raman@contoso.com\n"}},
		summary:  "Email Previously Assigned",
		code:     "email_previously_assigned",
		says:     []string{"priya.raman@contoso.com", "Priya Raman (priya.raman)", "Contoso Sales"},
	},
	{
		headline: "Refused: two resources, one address",
		about:    "Two teams write a mapping for the shared mailbox, each for its own user. Neither mapping exists yet.",
		edits:    []edit{{file: "sales-desk.tf", new: salesDesk}},
		summary:  "Claimed Twice",
		says:     []string{"sales.desk@contoso.com", "amelie.dubois", "kofi.mensah"},
	},
	{
		headline: "Refused: a mapping that would become another person's",
		about:    "Anna Weber of Sales is mapped to her mailbox. A slip gives her that of Antonia Weber of Finance.",
		edits:    []edit{{"mappings.csv", "anna.weber,anna.weber@contoso.com", "anna.weber,antonia.weber@contoso.com"}},
		summary:  "Mapping Would Be Repointed",
		code:     "account_repointed",
		says:     []string{"anna.weber@contoso.com", "antonia.weber@contoso.com", "Antonia Weber"},
	},
	{
		headline: "Refused: a user who can never sign in",
		about:    "Walter Brandt's Sales user came with an import of old data. It is a stub: it owns records and nothing else.",
		edits:    []edit{{file: "mappings.csv", new: "walter.brandt,walter.brandt@contoso.com\n"}},
		summary:  "User Cannot Sign In",
		code:     "user_cannot_sign_in",
		says:     []string{"Walter Brandt", "Contoso Sales", "stub"},
	},
	{
		headline: "Refused: a row of a directory that cannot be read",
		about:    "The next export of the tenant has a slip in an address. Nothing of the file is taken over.",
		edits:    []edit{{"m365-accounts.csv", "zoe.janssens@contoso.com,zoe@example.com", "zoe.janssens.contoso.com,zoe@example.com"}},
		summary:  "Invalid Directory File",
		says:     []string{"m365-accounts.csv", "Line 55, column email", "zoe.janssens.contoso.com"},
	},
}

const salesDesk = `resource "idmap_user_mapping" "desk_emea" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  email                     = "sales.desk@contoso.com"
  user_id                   = "amelie.dubois"
}

resource "idmap_user_mapping" "desk_apac" {
  source_connection_id      = idmap_connection.mail.id
  destination_connection_id = idmap_connection.sales.id
  email                     = "sales.desk@contoso.com"
  user_id                   = "kofi.mensah"
}
`

// refusals returns a step for each.
func (d *demo) refusals(all []refusal) []step {
	var steps []step
	for _, r := range all {
		steps = append(steps, func(ctx context.Context) error { return d.refused(ctx, r) })
	}
	return steps
}

// refused makes the change, checks that plan refuses it in the right words, and takes it back.
func (d *demo) refused(ctx context.Context, r refusal) (err error) {
	d.screen.step(r.headline, r.about)
	changes, undo, err := d.company.edit(r.edits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, undo()) }()
	for _, c := range changes {
		d.screen.change(c)
	}
	o, err := d.plan(ctx, planRefused)
	if err != nil {
		return err
	}
	return d.show(r, o)
}

// show shows the box of a refusal. What else the plan was refused for is only mentioned.
func (d *demo) show(r refusal, o outcome) error {
	boxes := errorBoxes(o.output)
	at := slices.IndexFunc(boxes, r.isIn)
	if at < 0 {
		return o.otherwise("the plan should be refused with %q, and the box should name %s", r.summary, strings.Join(append(r.says, r.code), ", "))
	}
	d.screen.quote(boxes[at])
	var others []string
	for _, box := range slices.Delete(boxes, at, at+1) {
		others = append(others, summaryOf(box))
	}
	if len(others) > 0 {
		d.screen.aside("And for the same slip: " + strings.Join(others, ", ") + ".")
	}
	d.screen.ok("refused: %s", r.name())
	return nil
}

// isIn reports whether the box is that of the refusal and says all that it has to.
func (r refusal) isIn(box string) bool {
	text := sentence(box)
	isMissing := func(word string) bool { return !strings.Contains(text, word) }
	if r.code != "" && isMissing("Code: "+r.code) {
		return false
	}
	return summaryOf(box) == r.summary && !slices.ContainsFunc(r.says, isMissing)
}

// name is how the refusal is called in a line.
func (r refusal) name() string {
	if r.code != "" {
		return r.code
	}
	return r.summary
}
