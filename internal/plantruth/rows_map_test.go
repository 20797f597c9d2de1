package plantruth

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The people and the groups of a map's connections have the same names on either side, and ids and addresses of their own.
var mapSides = []string{"s", "d"}

func mapAccounts(side int) []idmap.Account {
	prefix, domain := mapSides[side], []string{"contoso.com", "fabrikam.com"}[side]
	account := func(id, username, name string) idmap.Account {
		return idmap.Account{ID: prefix + "-" + id, Username: username, Name: name, Email: username + "@" + domain, UserType: idmap.UserTypeFull}
	}
	jane, off := account("jane", "jane.doe", "Jane Doe"), account("off", "ollie.off", "Ollie Off")
	jane.Aliases, off.Disabled = []string{"jdoe@" + domain}, side == 1
	all := []idmap.Account{
		jane, account("john", "john.roe", "John Roe"), account("lea", "lea.ver", "Lea Ver"),
		account("twin-1", "sam.one", "Sam Twin"), account("twin-2", "sam.two", "Sam Twin"),
	}
	if side == 1 {
		all = append(all, off)
	}
	return all
}

func mapGroups(side int) []idmap.Group {
	group := func(id, name, caption string) idmap.Group {
		return idmap.Group{ID: mapSides[side] + "-" + id, Name: name, Caption: caption, Addresses: []string{name + "@" + mapSides[side] + ".example"}}
	}
	jane, off := group("jane", "jane.doe", "Jane's Team"), group("off", "ollie.off", "Closed")
	jane.Addresses, off.Disabled = append(jane.Addresses, "jdoe@"+mapSides[side]+".example"), side == 1
	all := []idmap.Group{
		jane, group("john", "john.roe", "John's Team"), group("lea", "lea.ver", "Lea's Team"),
		group("twin-1", "sam.one", "Sam Twin"), group("twin-2", "sam.two", "Sam Twin"),
	}
	if side == 1 {
		all = append(all, off)
	}
	return all
}

// entry writes an account or a group of the lane, whatever its maps are about.
func (l *lane) entry(connection, id, name, display string, addresses ...string) {
	l.t.Helper()
	if l.noun == groupMap {
		l.group(connection, idmap.Group{ID: id, Name: name, Caption: display, Addresses: addresses})
		return
	}
	a := idmap.Account{ID: id, Username: name, Name: display, UserType: idmap.UserTypeFull}
	if len(addresses) > 0 {
		a.Email, a.Aliases = addresses[0], addresses[1:]
	}
	l.account(connection, a)
}

// leaves takes an account or a group out of a directory.
func (l *lane) leaves(connection, id string) {
	l.t.Helper()
	if l.noun == groupMap {
		l.must(l.server.Client.DeleteGroup(l.ctx, connection, id, 0))
	} else {
		l.must(l.server.Client.DeleteAccount(l.ctx, connection, id, 0))
	}
}

// exceptions makes the values of a map with exceptions, of sources to destinations.
func exceptions(pairs ...string) values {
	text := "{ "
	for pair := range slices.Chunk(pairs, 2) {
		text += fmt.Sprintf("%q = %q, ", pair[0], pair[1])
	}
	return values{"exceptions": text + "}"}
}

// Things that happen in the world of maps.
func johnLeaves(l *lane)       { l.leaves(l.destination, "d-john") }
func janesNameIsTaken(l *lane) { l.entry(l.source, "jane.doe", "zoe", "Zoe") }
func johnsAddressPasses(l *lane) {
	l.entry(l.source, "s-john", "john.roe", "John", "john@new.example")
	l.entry(l.source, "s-jane", "jane.doe", "Jane", "jane@new.example", l.johnsAddress())
}

func (l *lane) johnsAddress() string {
	if l.noun == groupMap {
		return "john.roe@s.example"
	}
	return "john.roe@contoso.com"
}

func johnIsDisabled(l *lane) {
	if l.noun == groupMap {
		l.group(l.destination, idmap.Group{ID: "d-john", Name: "john.roe", Disabled: true})
	} else {
		l.account(l.destination, idmap.Account{ID: "d-john", Username: "john.roe", Disabled: true})
	}
}

func somebodyIsHired(l *lane) { l.entry(l.source, "s-hire", "new.hire", "New Hire") }

// janeIsRenamed gives the name of an exception to another one.
func janeIsRenamed(l *lane) {
	l.entry(l.source, "s-jane", "jane.smith", "Jane Smith")
	l.entry(l.source, "s-jane-2", "jane.doe", "Jane Doe")
	l.entry(l.destination, "d-smith", "jane.smith", "Jane Smith")
}

func nameIsTaken(l *lane) { l.othersMap("{lane}") }

const jobMayFinish = "the job may finish before the apply, so the plan only warns. With `-replace`, Terraform shows no warning of the second plan, so there the plan refuses"

// mapRows are the rules of maps of a kind.
func mapRows(noun string) []*row {
	by, domain := "usernames", "contoso.com"
	if noun == groupMap {
		by, domain = "names", "s.example"
	}
	match := values{"match": fmt.Sprintf("{ %s = true }", by)}
	good := match.with(exceptions("jane.doe", "john.roe"))
	renamed, twins := values{"name": quoted("{lane} renamed")}, exceptions("Sam Twin", "jane.doe")
	twice := exceptions("jane.doe", "jane.doe", "s-jane", "lea.ver")
	onlyThere := map[way]string{
		byCreate: "what is not there is changed by nobody", byTake: "what is not there is changed by nobody", byTurn: "what is made anew changes nothing",
	}
	rows := []*row{
		{title: "no rule is broken", good: good, update: &step{to: renamed}},
		{title: "another spelling", good: good, still: true, update: &step{to: exceptions("JANE.DOE", "John.Roe")}},
		{
			code: "no_match_option", good: good,
			create: &step{to: values{"match": "{}"}}, update: &step{to: values{"match": fmt.Sprintf("{ %s = false }", by)}}, never: formNever,
		},
		{
			code: "unknown_account", good: good, create: &step{to: exceptions("nobody", "jane.doe")}, update: &step{to: exceptions("jane.doe", "nobody")},
			turn: johnLeaves, take: johnLeaves,
		},
		{code: "ambiguous_account", good: good, create: &step{to: twins}, update: &step{to: twins}, turn: janesNameIsTaken, take: janesNameIsTaken},
		{
			code: "duplicate_exception", good: match.with(exceptions("jane.doe", "jane.doe", "john.roe@"+domain, "john.roe")),
			create: &step{to: twice}, update: &step{to: twice}, turn: johnsAddressPasses, take: johnsAddressPasses,
		},
		{
			code: "name_in_use", good: good, prepare: func(l *lane) { l.othersMap("{lane} taken") },
			create: &step{to: values{"name": quoted("{lane} TAKEN")}}, update: &step{to: values{"name": quoted("{lane} TAKEN")}}, take: nameIsTaken,
			pair: []values{good, good.with(values{"name": `upper("{lane}")`})}, gives: renamed,
			never: map[way]string{byTurn: "while the map is there, no other can take its name"},
		},
		{
			code: "map_in_use", good: good, turn: func(l *lane) { l.job() }, mild: jobMayFinish,
			never: map[way]string{
				byCreate: "no job can use a map that is not there", byTake: "no job can use a map that is not there", byUpdate: "a map may be changed while a job uses it",
			},
		},
		{
			code: "revision_conflict", good: good, late: &step{to: renamed, world: changedByOthers},
			never: map[way]string{
				byCreate: "what is not there has no revision", byTake: "what is not there has no revision",
				byUpdate: "a plan reads the map before it changes it", byTurn: "a plan reads the map before it changes it",
			},
		},
		{
			code: "unknown_connection", good: good,
			create: &step{to: values{"destination_connection_id": quoted("nowhere")}}, update: &step{to: values{"destination_connection_id": quoted("nowhere")}},
			take: destinationIsGone, never: map[way]string{byTurn: "a connection that has maps cannot be deleted"},
		},
		{
			code: "map_incomplete", warns: true, good: good,
			create: &step{to: values{"match": "{ ids = true }"}}, turn: somebodyIsHired, take: somebodyIsHired,
			never: map[way]string{byUpdate: "of an update the plan says `map_changes_results`"},
		},
		{code: "map_changes_results", warns: true, good: good, update: &step{to: exceptions("jane.doe", "lea.ver")}, never: onlyThere},
		{
			code: "map_not_retroactive", warns: true, good: good,
			update: &step{to: exceptions("jane.doe", "lea.ver"), world: func(l *lane) { l.job() }}, never: onlyThere,
		},
		{
			code: "inactive_account", warns: true, good: good, create: &step{to: exceptions("jane.doe", "ollie.off")}, update: &step{to: exceptions("jane.doe", "ollie.off")},
			turn: johnIsDisabled, take: johnIsDisabled,
		},
		{
			code: "name_reused", warns: true, good: good, update: &step{to: renamed, world: janeIsRenamed},
			never: map[way]string{
				byCreate: "a new map takes names as they are now", byTake: "a new map takes names as they are now", byTurn: "a map that is made anew takes names as they are now",
			},
		},
	}
	rows = append(rows, ownRows(noun, good)...)
	for _, r := range rows {
		r.noun = noun
	}
	return rows
}

// ownRows are those that only one kind of map has.
func ownRows(noun string, good values) []*row {
	if noun == groupMap {
		return []*row{{
			code: "group_id_required", good: good.with(exceptions("jane.doe", "d-john")),
			connections: func(_, to *idmap.Connection) { to.Platform.ID = "box" },
			create:      &step{to: exceptions("jane.doe", "john.roe")}, update: &step{to: exceptions("jane.doe", "lea.ver")}, never: formNever,
		}}
	}
	fuzzy := values{"match": "{ usernames = true, names = true }", "fuzzy": "{ threshold = 0.8 }"}
	return []*row{{
		code: "unsupported_option", good: good, connections: func(_, to *idmap.Connection) { to.Platform.ID = "salesforce" },
		create: &step{to: fuzzy}, update: &step{to: fuzzy},
		never: map[way]string{byTurn: "what a platform supports does not change", byTake: "what a platform supports does not change"},
	}}
}

func changedByOthers(l *lane) {
	m, err := l.server.Client.Map(l.ctx, l.kind(), l.id())
	l.must(err)
	m.UnmappedPolicy = idmap.UnmappedFail
	_, _, err = l.server.Client.UpdateMap(l.ctx, l.kind(), m)
	l.must(err)
}
