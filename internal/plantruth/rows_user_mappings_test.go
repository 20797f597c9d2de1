package plantruth

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// neighbour is an entry of the resource which breaks no rule, and which must stay as it is whatever becomes of the other
// one. Its key is the last one.
var neighbour = values{"more": `{ ZED = "zed@example.com" }`}

// mappingsRows are the rules of many mappings in one resource: those of a single one, each broken by one entry beside a
// neighbour, and what only such a resource has.
func mappingsRows() []*row {
	jane, adopts := pairs("jane", "JANE"), values{"adopt_existing": "true"}
	passesOn := pairs("ann", "FRED").with(values{"more": `{ WIM = "wim@example.com" }`})
	var rows []*row
	for _, r := range mappingRows() {
		switch r.label() {
		case "no rule is broken":
			r.update = &step{to: values{"more": `{ ZED = "zed@example.com", LEA = "lea@example.com" }`}}
		case "user_already_mapped":
			r.pair = []values{jane, pairs("lea", "jane")} // one map cannot have the very same key twice
		case "unknown_connection":
			r.take = func(l *lane) {
				l.empties()
				destinationIsGone(l)
			}
		case "account_mismatch":
			continue // an entry says nothing of accounts
		}
		rows = append(rows, r)
	}
	rows = append(rows,
		&row{
			code: "unproven_rename", title: "of a key", warns: true, good: pairs("jane", "FRED"), connections: openApplication,
			update: &step{to: pairs("jane", "FREDDY")}, never: onlyRenames,
		},
		&row{
			code: "email_previously_assigned", title: "of a removed entry", good: passesOn, connections: openBoth, never: onlyOfEntries,
			update: &step{to: pairs("wim", "FRED").with(values{"more": "{}"})},
		},
		&row{
			code: "email_previously_assigned", title: "of another entry", good: passesOn, connections: openBoth, never: onlyOfEntries,
			update: &step{to: pairs("wim", "FRED").with(values{"more": `{ WIM = "ann@example.com" }`})},
		},
		&row{
			title: "an adopted mapping", good: jane.with(adopts), prepare: func(l *lane) { l.others("jane@example.com", "JANE") },
			update: &step{to: values{"more": `{ ZED = "zed@example.com", LEA = "lea@example.com" }`}, world: func(l *lane) { l.others("lea@example.com", "LEA") }},
		},
		&row{
			code: "user_already_mapped", title: "where others are adopted", good: jane, prepare: johnIsMapped,
			create: &step{to: pairs("lea", "JOHN").with(adopts)}, update: &step{to: pairs("jane", "JOHN").with(adopts)},
			take: func(l *lane) { l.others("lea@example.com", "JANE") },
			pair: []values{jane, pairs("lea", "jane").with(adopts)}, gives: values{"email": quoted("jane.alias@example.com")},
			never: map[way]string{byTurn: "while the mapping is there, nobody else can map its user"},
		},
	)
	for _, r := range rows {
		r.noun, r.good = userMappings, neighbour.with(r.good)
	}
	return rows
}

func openBoth(from, to *idmap.Connection) { from.Authoritative, to.Authoritative = false, false }

// onlyRenames is why a create cannot rename.
var onlyRenames = map[way]string{byCreate: "only an update renames", byTurn: "only an update renames", byTake: "only an update renames"}

// onlyOfEntries is why a create cannot take what another entry has.
var onlyOfEntries = map[way]string{
	byCreate: "only an entry that is there can get the email of another", byTurn: "only an entry that is there can get the email of another",
	byTake: "only an entry that is there can get the email of another",
}

// importsAll is what comes of a rule about others where an import has taken theirs as well.
var importsAll = map[string]exception{
	userMappings + " email_in_use":                                 {otherRefusal, importsTheirs},
	userMappings + " user_already_mapped":                          {otherRefusal, importsTheirs},
	userMappings + " user_already_mapped where others are adopted": {otherRefusal, importsTheirs},
}

const importsTheirs = "an import takes all mappings of the two connections, so the other one is an entry now, and would be another person's: `account_repointed`"

// asEntries turns the values of a single mapping into those of a resource of many: an entry, and "more" of them.
func (v values) asEntries() values {
	entries := v["more"]
	if v["user_id"] != "" {
		entries = fmt.Sprintf("{ (%s) = %s }", v["user_id"], v["email"])
		if v["more"] != "" {
			entries = fmt.Sprintf("merge(%s, %s)", entries, v["more"])
		}
	}
	return v.with(values{"user_id": "", "email": "", "more": "", "mappings": entries})
}

// besideGood is another resource of the lane, which breaks the rule beside the good values of the first.
func (l *lane) besideGood() values {
	return l.second().with(l.wants(l.create)).with(l.create.to).with(values{"more": ""})
}

// importID is what an import calls the resource.
func (l *lane) importID() string {
	if l.noun == userMappings {
		return l.source + "/" + l.destination
	}
	return l.id()
}

// empties deletes whatever mappings the destination still has.
func (l *lane) empties() {
	l.t.Helper()
	for m, err := range l.server.Client.UserMappings(l.ctx, idmap.UserMappingFilter{DestinationConnectionID: l.destination}) {
		l.must(err)
		l.remove(m.ID)
	}
}

// entries returns what a state has of a resource, each entry with the id of its mapping. Where the backend has another one,
// the entry has an id that nothing has.
func (l *lab) entries(of object, mappings map[string]string) []object {
	l.t.Helper()
	stored := map[string]idmap.UserMapping{}
	for m, err := range l.server.Client.UserMappings(l.ctx, idmap.UserMappingFilter{}) {
		l.must(err)
		stored[m.Source.Connection.ID+"/"+m.Destination.Connection.ID+" "+m.UserKey()] = m
	}
	var all []object
	for _, user := range slices.Sorted(maps.Keys(mappings)) {
		key, err := idmap.CanonicalUserID(user)
		l.must(err)
		id, m := of.id+" "+key, stored[of.id+" "+key]
		if idmap.EmailKey(m.Email) == idmap.EmailKey(mappings[user]) || m.ID != "" && l.at(of.address).drifts {
			id = m.ID
		}
		all = append(all, object{of.address, id, of.status, user, mappings[user], of.adopts})
	}
	return all
}

// holds is the configuration of what the state has of the resource, after an apply that made only a part of it. If that was
// a create, it is kept in the way that the refusal names.
func (l *lane) holds() string {
	l.t.Helper()
	var entries []string
	tainted, choice := false, values{}
	for _, o := range l.state() {
		if o.address == l.address() {
			entries, tainted = append(entries, fmt.Sprintf("%q = %q", o.user, o.email)), o.status == "tainted"
			if o.adopts {
				choice = values{"adopt_existing": "true"}
			}
		}
	}
	if tainted && slices.ContainsFunc(l.told, func(t told) bool {
		return t.summary == "Mappings Partly Created" && strings.Contains(t.detail, "terraform untaint")
	}) {
		l.space.Must(l.t, "untaint", l.address())
	}
	return l.block(l.good.with(values{"user_id": "", "email": "", "more": "{ " + strings.Join(entries, ", ") + " }"}).with(choice)).String()
}
