package rulestest

import (
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// The connections of the world in which the cases of maps play. None of them is one of Connections.
const (
	OldFiles  = "old-files" // a file server
	NewFiles  = "new-files" // SharePoint, which matches partially and takes guests, as the file server does
	Archive   = "archive"   // Salesforce, which does neither
	BoxFiles  = "box-files" // Box, where exceptions name groups by their ids
	Corporate = "corporate" // an AD, which matches partially and knows no guests
)

// MapConnections returns the connections of the world of maps. Their ids are the constants above.
func MapConnections() []idmap.Connection {
	connection := func(id, name, platform string) idmap.Connection {
		return idmap.Connection{ID: id, Name: name, Platform: idmap.PlatformRef{ID: platform}}
	}
	return []idmap.Connection{
		connection(OldFiles, "Old Files", "network_file_share"),
		connection(NewFiles, "New Files", "sharepoint_online"),
		connection(Archive, "Archive", "salesforce"),
		connection(BoxFiles, "Box Files", "box"),
		connection(Corporate, "Corporate", "active_directory"),
	}
}

// MapAccounts returns the accounts of the world of maps by connection id. Those of MapDeleted are among them.
func MapAccounts() map[string][]idmap.Account {
	return map[string][]idmap.Account{
		OldFiles: append(staff("s", "contoso.com"),
			idmap.Account{ID: "s-guest", Username: "gus_partner.example#EXT#@contoso.onmicrosoft.com", Name: "Gus Guest", Email: "gus@partner.example", External: true},
			idmap.Account{ID: "s-odd", Username: "s-jane", Name: "Odd Name", Email: "odd@contoso.com"}, // the id of another
		),
		NewFiles:  staff("d", "fabrikam.com"),
		Archive:   staff("a", "archive.example"),
		BoxFiles:  staff("b", "box.example"),
		Corporate: staff("c", "corp.example"),
	}
}

// staff returns people who have the same usernames everywhere, and other ids and addresses.
func staff(prefix, domain string) []idmap.Account {
	account := func(id, username, name string) idmap.Account {
		return idmap.Account{ID: prefix + "-" + id, Username: username, Name: name, Email: username + "@" + domain, UserType: idmap.UserTypeFull}
	}
	jane, off, stub := account("jane", "jane.doe", "Jane Doe"), account("off", "ollie.off", "Ollie Off"), account("stub", "stu.stub", "Stu Stub")
	jane.Aliases, off.Disabled, stub.UserType = []string{"jdoe@" + domain}, true, idmap.UserTypeStub
	return []idmap.Account{
		jane, account("john", "john.roe", "John Roe"), account("lea", "lea.ver", "Lea Vér"),
		account("twin-1", "sam.one", "Sam Twin"), account("twin-2", "sam.two", "Sam Twin"),
		off, stub, account("gone", "gail.gone", "Gail Gone"),
	}
}

// MapGroups returns the groups of the world of maps by connection id. Those of MapDeletedGroups are among them.
func MapGroups() map[string][]idmap.Group {
	groups := map[string][]idmap.Group{}
	for id, prefix := range map[string]string{OldFiles: "sg", NewFiles: "dg", Archive: "ag", BoxFiles: "bg", Corporate: "cg"} {
		groups[id] = []idmap.Group{
			{ID: prefix + "-sales", Name: "sales", Caption: "Sales Team"},
			{ID: prefix + "-eng", Name: "eng", Caption: "Engineering"},
			{ID: prefix + "-team-1", Name: "team1", Caption: "The Team"},
			{ID: prefix + "-team-2", Name: "team2", Caption: "The Team"},
			{ID: prefix + "-off", Name: "off", Caption: "Closed", Disabled: true},
			{ID: prefix + "-gone", Name: "gone", Caption: "Dissolved"},
		}
	}
	return groups
}

// MapDeleted are the accounts that have left their directory, by connection id.
func MapDeleted() map[string][]string {
	return map[string][]string{OldFiles: {"s-gone"}, NewFiles: {"d-gone"}}
}

// MapDeletedGroups are the groups that have left their directory, by connection id.
func MapDeletedGroups() map[string][]string {
	return map[string][]string{OldFiles: {"sg-gone"}, NewFiles: {"dg-gone"}, BoxFiles: {"bg-gone"}}
}

// MapEvent is what happens in a directory between two writes of a map: an account, or a group, is written, or leaves.
type MapEvent struct {
	Connection string
	Account    *idmap.Account // one of the two
	Group      *idmap.Group
	Leaves     bool
}

// MapIndex returns the accounts (groups) of a connection after events.
func MapIndex(kind idmap.MapKind, connection string, events []MapEvent) *match.Index {
	entries := map[string]match.Entry{}
	if kind == idmap.GroupMap {
		for _, g := range MapGroups()[connection] {
			entries[g.ID] = match.GroupEntry(g)
		}
		leave(entries, MapDeletedGroups()[connection])
	} else {
		for _, a := range MapAccounts()[connection] {
			entries[a.ID] = match.AccountEntry(a)
		}
		leave(entries, MapDeleted()[connection])
	}
	for _, e := range events {
		if e.Connection == connection {
			entry := e.entry()
			entries[entry.Principal.ID] = entry
		}
	}
	all := make([]match.Entry, 0, len(entries))
	for _, e := range entries {
		all = append(all, e)
	}
	return match.NewIndex(kind, all)
}

func leave(entries map[string]match.Entry, ids []string) {
	for _, id := range ids {
		e := entries[id]
		e.Deleted = true
		entries[id] = e
	}
}

func (e MapEvent) entry() match.Entry {
	var left *time.Time
	if e.Leaves {
		left = new(time.Unix(0, 0))
	}
	if e.Group != nil {
		g := *e.Group
		g.DeletedOn = left
		return match.GroupEntry(g)
	}
	a := *e.Account
	a.DeletedOn = left
	return match.AccountEntry(a)
}
