// Package rulestest is the specification of the rules as a table of cases. The rules themselves, the backend, the API
// and the plan are all tested with it, so that no rule exists at only one of the gates.
package rulestest

import (
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// The connections of the world in which all cases play.
const (
	Mail     = "mail"      // Microsoft 365, authoritative
	OpenMail = "open-mail" // a mail system of which no directory is known
	Sales    = "sales"     // an Oracle Sales pod, authoritative; mail is exclusive
	Stage    = "stage"     // another pod of the same platform
	CRM      = "crm"       // Dynamics, addresses of at most 100 characters, not authoritative
	App      = "app"       // an application of which no directory is known
	Closed   = "closed"    // an application whose users must be mapped before they sign in
	Off      = "off"       // an application to which nobody signs in
)

// Connections returns the connections of the world. Their ids are the constants above.
func Connections() []idmap.Connection {
	connection := func(id, name, platform string, authoritative bool, domain string) idmap.Connection {
		return idmap.Connection{ID: id, Name: name, Platform: idmap.PlatformRef{ID: platform}, Authoritative: authoritative, MailDomain: domain}
	}
	closed, off := connection(Closed, "Closed App", "generic", false, ""), connection(Off, "Switched Off", "generic", false, "")
	closed.SignInMapping, off.SignInDisabled = idmap.SignInRequires, true
	return []idmap.Connection{
		connection(Mail, "Contoso Mail", "microsoft365", true, "contoso.com"),
		connection(OpenMail, "Open Mail", "generic", false, ""),
		connection(Sales, "Sales", "oracle_sales", true, ""),
		connection(Stage, "Sales Stage", "oracle_sales", false, ""),
		connection(CRM, "CRM", "dynamics_crm", false, ""),
		connection(App, "App", "generic", false, ""),
		closed, off,
	}
}

// Accounts returns the accounts of the world by connection id. The account "u-gone" has left the directory.
func Accounts() map[string][]idmap.Account {
	return map[string][]idmap.Account{
		Mail: {
			{ID: "m-jane", Username: "jane.doe", Name: "Jane Doe", Email: "jane.doe@contoso.com", Aliases: []string{"smtp:jane.smith@contoso.com", "jdoe@contoso.com"}},
			{ID: "m-john", Username: "john", Name: "John Roe", Email: "john.roe@contoso.com"},
			{ID: "m-lea", Username: "lea", Name: "Lea Vér", Email: "lea.ver@contoso.com"},
			{ID: "m-twin-1", Username: "twin1", Name: "Twin One", Email: "twin@contoso.com"},
			{ID: "m-twin-2", Username: "twin2", Name: "Twin Two", Email: "twin2@contoso.com", Aliases: []string{"twin@contoso.com"}},
			{ID: "m-bot", Username: "bot", Name: "Robot", Email: "bot@contoso.com"},
			{ID: "m-off", Username: "off", Name: "Dis Abled", Email: "off@contoso.com", Disabled: true},
			{ID: "m-nope", Username: "nope", Name: "No Pe", Email: "nope@contoso.com"},
		},
		Sales: {
			{ID: "u-jane", Username: "JDOE", Name: "Jane Doe", UserType: idmap.UserTypeFull},
			{ID: "u-john", Username: "JROE", Name: "John Roe", UserType: idmap.UserTypeFull},
			{ID: "u-stub", Username: "STUB", Name: "Imported Owner", UserType: idmap.UserTypeStub},
			{ID: "u-off", Username: "OFF", Name: "Dis Abled", UserType: idmap.UserTypeFull, Disabled: true},
			{ID: "u-bot", Username: "BOT", Name: "Robot", UserType: idmap.UserTypeNonInteractive},
			{ID: "u-new", Username: "NEW", Name: "New Hire", UserType: idmap.UserTypeSynchronized},
			{ID: "u-gone", Username: "GONE", Name: "Gone By", UserType: idmap.UserTypeFull},
			{ID: "u-nope", Username: "NOPE", Name: "No Pe", UserType: idmap.UserTypeFull, SignInPermitted: new(false)},
			{ID: "u-yes", Username: "YES", Name: "Yes Sir", UserType: idmap.UserTypeFull, SignInPermitted: new(true)},
		},
	}
}

// Deleted are the accounts that have left the directory, by connection id.
func Deleted() map[string][]string { return map[string][]string{Sales: {"u-gone"}} }

// Groups returns the groups of the world by connection id.
func Groups() map[string][]idmap.Group {
	return map[string][]idmap.Group{Mail: {{ID: "g-team", Name: "team", Caption: "Sales Team", Addresses: []string{"team@contoso.com"}}}}
}

// World returns the world with mappings that live and mappings that are gone, whose addresses the ledger remembers.
func World(live, gone []idmap.UserMapping) *rules.World {
	w := &rules.World{
		Connections: map[string]idmap.Connection{}, Directories: map[string]*rules.Directory{},
		Assignments: map[rules.AddressKey]idmap.EmailAssignment{},
	}
	for _, c := range Connections() {
		w.Connections[c.ID] = c
		accounts := Accounts()[c.ID]
		for i := range accounts {
			for _, id := range Deleted()[c.ID] {
				if accounts[i].ID == id {
					left := time.Unix(0, 0)
					accounts[i].DeletedOn = &left
				}
			}
			seeHolder(w, c.ID, accounts[i])
		}
		w.Directories[c.ID] = rules.NewDirectory(accounts, Groups()[c.ID])
	}
	for _, m := range gone {
		store(w, m)
	}
	w.Mappings = nil
	for _, m := range live {
		store(w, m)
	}
	return w
}

// seeHolder tells the ledger of an account's addresses, as a directory import does: the first who is seen holds.
func seeHolder(w *rules.World, connectionID string, a idmap.Account) {
	for _, address := range a.AddressKeys() {
		claim(w, connectionID, address, idmap.EmailHolder{Connection: idmap.Ref{ID: connectionID}, Account: idmap.RefTo(a.ID), Name: a.Label()})
	}
}

func claim(w *rules.World, connectionID, address string, holders ...idmap.EmailHolder) {
	key := rules.AddressKey{ConnectionID: connectionID, Address: address}
	entry := w.Assignments[key]
	entry.ID, entry.Connection, entry.AddressCanonical = "ledger:"+address, idmap.Ref{ID: connectionID}, address
next:
	for _, holder := range holders {
		for _, has := range entry.Holders {
			if has.Connection == holder.Connection {
				continue next
			}
		}
		entry.Holders = append(entry.Holders, holder)
	}
	w.Assignments[key] = entry
}

// store puts a mapping into the world as a create does. It panics where the rules refuse it: the table is wrong then.
func store(w *rules.World, m idmap.UserMapping) {
	verdict := rules.CheckUserMappings(w, []rules.Change{{After: &m}})[0]
	if verdict.UserMapping == nil {
		panic("the case's own mapping is refused: " + idmap.Sentences(verdict.Violations))
	}
	stored := *verdict.UserMapping
	stored.ID = "um:" + stored.UserID
	w.Mappings = append(w.Mappings, stored)
	claim(w, stored.Source.Connection.ID, stored.EmailCanonical, rules.Holders(w, stored)...)
}
