package provider

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// How many findings are spelt out at their keys, and how many further keys are named.
const (
	spelledOut = 20
	namedAlso  = 500
)

// userMappingsNoun is how the resource is called in diagnostics that are about none of its entries.
var userMappingsNoun = noun{resource: "idmap_user_mappings", fields: map[string]string{
	"source.connection.id":      "source_connection_id",
	"destination.connection.id": "destination_connection_id",
}}

// entryReport reports findings of entries, each at its key, and not more of them than somebody reads.
type entryReport struct {
	diags          *diag.Diagnostics
	refused        []string // keys, some of them more than once
	warned         []string
	ofAll          map[string]bool // what was said once, of all entries
	further        []string        // keys of which the errors are not spelt out
	furtherWarning []string
}

func newEntryReport(diags *diag.Diagnostics) *entryReport {
	return &entryReport{diags: diags, ofAll: map[string]bool{}}
}

func atMapping(key string) path.Path { return path.Root("mappings").AtMapKey(key) }

func (r *entryReport) error(key, summary, detail string) {
	if r.refused = append(r.refused, key); len(r.refused) > spelledOut {
		r.further = append(r.further, key)
		return
	}
	r.diags.AddAttributeError(atMapping(key), summary, detail)
}

func (r *entryReport) warning(key, summary, detail string) {
	if r.warned = append(r.warned, key); len(r.warned) > spelledOut {
		r.furtherWarning = append(r.furtherWarning, key)
		return
	}
	r.diags.AddAttributeWarning(atMapping(key), summary, detail)
}

// full reports whether a further warning would not be spelt out, so that it need not be looked for.
func (r *entryReport) full() bool { return len(r.warned) >= spelledOut }

// end says what was not spelt out.
func (r *entryReport) end() {
	if n := len(r.further); n > 0 {
		r.diags.AddAttributeError(path.Root("mappings"), "More Entries Are Refused", fmt.Sprintf(
			"The first %d refusals are spelt out, and %d more are not: %s. Correct those that are, and plan again.", spelledOut, n, keyList(r.further)))
	}
	if n := len(r.furtherWarning); n > 0 {
		r.diags.AddAttributeWarning(path.Root("mappings"), "More Entries Have Warnings", fmt.Sprintf(
			"The first %d warnings are spelt out, and %d more are not: %s.", spelledOut, n, keyList(r.furtherWarning)))
	}
}

// keyList names keys, each once.
func keyList(keys []string) string {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	more := ""
	if len(keys) > namedAlso {
		keys, more = keys[:namedAlso], fmt.Sprintf(", and %d other keys", len(keys)-namedAlso)
	}
	for i, key := range keys {
		keys[i] = fmt.Sprintf("%q", key)
	}
	return strings.Join(keys, ", ") + more
}

// refuse reports the refusals of a change.
func (r *entryReport) refuse(c mappingChange, violations []idmap.Violation) {
	passed := false // it was said that the email was another entry's
	for _, v := range toldOfEntry(violations) {
		if at, ofAll := userMappingsNoun.attribute(v.Field); ofAll {
			if !r.ofAll[v.Description] {
				r.ofAll[v.Description] = true
				r.diags.AddAttributeError(at, summaryOf(v.Code), detailOf(v, ""))
			}
			continue
		}
		if c.had != nil && !passed && isOfAnother(v.Code) {
			passed = true
			v.Description += "\n\n" + passesOn(c)
		}
		r.error(c.key(), summaryOf(v.Code), detailOfEntry(c, v))
	}
}

// isOfAnother reports whether a refusal says that something is another person's.
func isOfAnother(code idmap.Code) bool {
	return code == idmap.CodeAccountRepointed || code == idmap.CodeEmailInUse || code == idmap.CodeEmailPreviouslyAssigned
}

// passesOn says how an email may go from one key to another, where nothing tells that its user was renamed.
func passesOn(c mappingChange) string {
	return fmt.Sprintf("So far this is the email of the entry %q. If that user is called %q now, let the directory of the application say so, with a new accounts_file in this apply or by an import before it: "+
		"then all entries are renamed at once. If no directory knows the users, rename one with each apply, each to a key that no entry has at that time.", c.had.key, c.to.key)
}

// warn reports the warnings of a change.
func (r *entryReport) warn(c mappingChange, warnings []idmap.Violation) {
	for _, v := range warnings {
		r.warning(c.key(), summaryOf(v.Code), detailOfEntry(c, v))
	}
}

// toldOfEntry leaves out what a finding of the same entry has told: both ends of one mapping stand in the way.
func toldOfEntry(violations []idmap.Violation) []idmap.Violation {
	told := map[idmap.Conflict]bool{}
	violations = slices.Clone(violations)
	for i, v := range violations {
		if v.Conflict == nil {
			continue
		}
		if told[*v.Conflict] {
			violations[i].Conflict = nil
		}
		told[*v.Conflict] = true
	}
	return violations
}

// detailOfEntry is detailOf in the words of an entry.
func detailOfEntry(c mappingChange, v idmap.Violation) string {
	parts := []string{v.Description}
	switch {
	case v.Code == idmap.CodeAccountRepointed:
		parts = append(parts, "Terraform neither repoints nor replaces a mapping by itself. Remove this entry and apply, which deletes the mapping; then add the new one.")
		if v.Conflict != nil {
			parts = append(parts, waysPast(*v.Conflict, "")...)
		}
	case v.Conflict != nil && v.Conflict.Kind == "user_mapping" && c.creates():
		parts = append(parts, "If the existing mapping is what this entry is meant to be, "+wayToAdopt,
			"If another resource of this configuration deletes it, apply that first, on its own.")
	case v.Conflict != nil && v.Conflict.Kind == "user_mapping" && c.deletes():
		parts = append(parts, "Another resource of this configuration creates it, which may come before this deletion or after it. "+
			"Let that resource take it over with adopt_existing = true, or apply this deletion first, on its own.")
	case v.Conflict != nil && v.Conflict.Kind == "user_mapping":
		parts = append(parts, "Give this entry the email that is really this person's. If the mapping in the way is to go, or to change, in another resource of this configuration, apply that first, on its own.")
	default:
		parts = append(parts, waysOut(v, "")...)
	}
	return strings.Join(append(parts, "Code: "+string(v.Code)), "\n\n")
}

// checkEntries reports what is wrong with the form of entries: what is no user id or no address, and what is there twice.
func checkEntries(entries []mappingEntry, check func(mappingEntry) []idmap.Violation, r *entryReport) {
	users, mails := make(map[string]string, len(entries)), make(map[string]string, len(entries))
	for _, e := range entries {
		wrong := check(e)
		for _, v := range wrong {
			if v.Code == idmap.CodeInvalidEmail && e.email == "" {
				v.Description += " For an email that follows the username, write null: an empty field of a table is an empty text."
			}
			r.error(e.key, summaryOf(v.Code), detailOf(v, ""))
		}
		if len(wrong) > 0 {
			continue
		}
		if first, twice := users[e.user]; twice {
			r.error(e.key, "Claimed Twice", fmt.Sprintf(
				"The keys %q and %q of mappings are the same user: they differ in their spelling alone. A user has one mapping. Remove one of the two entries.\n\nCode: %s", first, e.key, idmap.CodeUserAlreadyMapped))
		}
		users[e.user] = cmp.Or(users[e.user], e.key)
		if e.mail == "" {
			continue
		}
		if first, twice := mails[e.mail]; twice {
			r.error(e.key, "Claimed Twice", fmt.Sprintf(
				"The users %q and %q of mappings have the same email, %q. An email goes to one user. If both are the same person, remove one of the two entries. If they are two persons, give one of them the email that is really theirs.\n\nCode: %s",
				first, e.key, e.email, idmap.CodeEmailInUse))
		}
		mails[e.mail] = cmp.Or(mails[e.mail], e.key)
	}
}

// tooManyTogether reports changes that would have to be made in one transaction, and are too many for it.
func (r *entryReport) tooManyTogether(changes int, first, last string) {
	r.diags.AddAttributeError(path.Root("mappings"), "Too Many Dependent Entries", fmt.Sprintf(
		"%d changes of entries depend on each other, from %q to %q: emails pass from one entry to the next. At most %d such changes are made at once.\n\n"+
			"Often a column of the table has slipped by a row. If it is meant, change fewer entries at once.",
		changes, first, last, idmap.MaxBatch))
}

// wayToAdopt says how an entry gets a mapping that exists.
const wayToAdopt = "let the entry say exactly what the mapping is, and set adopt_existing = true: then it is taken over. " +
	"If another resource of this configuration has it, let Terraform forget it there first: a single resource with a removed block that has destroy = false, an entry by taking it out with keep_removed = true."

// claimedTwice reports that an entry and something else of the configuration want the same email or the same user.
func (r *entryReport) claimedTwice(key string, mine, other claimant) {
	shared, code := mine.sharedWith(other)
	r.error(key, "Claimed Twice", fmt.Sprintf(
		"This entry and another one, or another resource, of this configuration claim %s: %s, and %s. A user has one mapping, and an email goes to one user.\n\n"+
			"If both are the same person, take one of the two out: this entry, or the other one. An entry that is taken out with keep_removed = true leaves its mapping in the backend. "+
			"If they are two persons, write at one of them the email, or the key, that is really theirs.\n\nCode: %s", shared, mine.what, other.what, code))
}

// createdTwice reports that an entry would get a mapping which another resource of this apply has.
func (r *entryReport) createdTwice(key string, made idmap.UserMapping) {
	r.error(key, "Claimed Twice", fmt.Sprintf(
		"Another resource of this configuration has just created the mapping of %s, or could not delete it, and this entry would be the same. "+
			"Take this entry out, or remove the other resource.\n\nCode: %s", made.Label(), idmap.CodeUserAlreadyMapped))
}

// managedTwice says what tellManagedTwice does.
func (r *entryReport) managedTwice(one userMappingModel, c mappingChange, all managed) {
	if !all.twice() {
		return
	}
	tell := r.warning
	if all.imported || all.destroyed {
		tell = r.error
	}
	tell(c.key(), "Mapping Already Managed", fmt.Sprintf(
		"Mapping %s (%s) is that of this entry and of another resource in the state. One is required: when either goes, the mapping is deleted.\n\n"+
			"To have it here, let Terraform forget the other one: a single resource with a removed block that has destroy = false, an entry by taking it out with keep_removed = true. "+
			"To have it there, take this entry out with keep_removed = true, which leaves the mapping in the backend.", c.owned.ID, one.toAPI().Label()))
}

// existsAlready warns of a create that takes over a mapping which a create of the same content has made.
func (r *entryReport) existsAlready(key string, stored idmap.UserMapping) {
	r.warning(key, "Mapping Exists Already", fmt.Sprintf(
		"The mapping of %s exists, and is as this entry would make it. If an apply of this configuration was interrupted, or the entry was moved, this one takes up what is there. "+
			"If another configuration made it, do not apply: both would own one mapping, and either could delete it. Let the other configuration forget it first, "+
			"with a removed block that has destroy = false, or with keep_removed = true; then set adopt_existing = true here.", stored.Label()))
}

// tellNewName adds what to do where a mapping stands in the way of a create of the same content. Terraform may read only
// later that another resource has it.
func tellNewName(refused []idmap.Violation) []idmap.Violation {
	refused = slices.Clone(refused)
	refused[0].Description += " If a resource of this configuration has it that only gets a new name, or a new index, write a moved block from the old one to the new one."
	return refused
}

// mayBeAdopted warns of a create that only an adopt_existing lets pass of which nobody knows yet what it is.
func (r *entryReport) mayBeAdopted(key string, stored idmap.UserMapping) {
	r.warning(key, "Mapping Exists Already", fmt.Sprintf(
		"The mapping of %s exists, and is as this entry would make it. adopt_existing is known only at apply: if it is true then, the entry takes over what is there, else it is refused. "+
			"To know it at plan, give adopt_existing a value that is known.", stored.Label()))
}

// remade says of an entry whose mapping was deleted that another one was made in its place, which is refused.
func (r *entryReport) remade(key string, old userMappingModel, now idmap.UserMapping, findings []idmap.Violation) {
	maker, email := "somebody", fmt.Sprintf("%q", now.Email)
	if now.Origin == idmap.OriginSignIn {
		maker = "a sign-in"
	}
	if now.EmailSource == idmap.EmailFromUsername {
		email = "null"
	}
	r.error(key, "Mapping Was Made Anew", fmt.Sprintf(
		"Mapping %s (%s), which this entry was, was deleted outside of Terraform. On %s %s made mapping %s (%s) of the same user, who can have one only, so this entry cannot be created.\n\n"+
			"To manage what is there now, let the entry say what it is, and set adopt_existing = true, which takes it over:\n\n  %q = %s\n\nTo have the entry as it is, delete mapping %s first.\n\nCode: %s",
		old.ID.ValueString(), old.toAPI().Label(), timeString(now.CreatedOn).ValueString(), maker, now.ID, now.Label(), key, email, now.ID, codesOf(findings)))
}

// pass passes on, at the key of an entry, what the resource of a single mapping would say.
func (r *entryReport) pass(key string, found diag.Diagnostics) {
	for _, d := range found {
		if d.Severity() == diag.SeverityError {
			r.error(key, d.Summary(), d.Detail())
		} else {
			r.warning(key, d.Summary(), d.Detail())
		}
	}
}
