package plantruth

import (
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mappingAccounts are the people of a mail connection (side 0) and of an application (side 1).
func mappingAccounts(side int) []idmap.Account {
	if side == 0 {
		return []idmap.Account{
			{ID: "m-jane", Username: "jane", Name: "Jane", Email: "jane@example.com", Aliases: []string{"jane.alias@example.com", "jane.third@example.com"}},
			{ID: "m-john", Username: "john", Name: "John", Email: "john@example.com", Aliases: []string{"john.old@example.com"}},
			{ID: "m-lea", Username: "lea", Name: "Lea", Email: "lea@example.com", Aliases: []string{"lea.alias@example.com"}},
			{ID: "m-zoe", Username: "zoe", Name: "Zoe", Email: "zoe@example.com"},
			{ID: "m-zed", Username: "zed", Name: "Zed", Email: "zed@example.com"},
		}
	}
	return []idmap.Account{
		{ID: "u-jane", Username: "JANE", Name: "Jane", UserType: idmap.UserTypeFull},
		{ID: "u-john", Username: "JOHN", Name: "John", UserType: idmap.UserTypeFull},
		{ID: "u-lea", Username: "LEA", Name: "Lea", UserType: idmap.UserTypeFull},
		{ID: "u-zoe", Username: "ZOE", Name: "Zoe", UserType: idmap.UserTypeFull},
		{ID: "u-zed", Username: "ZED", Name: "Zed", UserType: idmap.UserTypeFull},
		{ID: "u-off", Username: "OFF", Name: "Off", UserType: idmap.UserTypeFull, Disabled: true},
		{ID: "u-bot", Username: "BOT", Name: "Bot", UserType: idmap.UserTypeNonInteractive},
		{ID: "u-new", Username: "NEW", Name: "New", UserType: idmap.UserTypeSynchronized},
	}
}

func mappingGroups(side int) []idmap.Group {
	if side == 0 {
		return []idmap.Group{{ID: "g-team", Name: "team", Caption: "Team", Addresses: []string{"team@example.com"}}}
	}
	return nil
}

// pairs makes the values of a mapping.
func pairs(email, user string) values {
	return values{"email": quoted(email + "@example.com"), "user_id": quoted(user)}
}

func (l *lane) mailbox(id, email string, aliases ...string) {
	l.t.Helper()
	l.account(l.source, idmap.Account{ID: "m-" + id, Username: id, Name: id, Email: email, Aliases: aliases})
}

func (l *lane) user(id, username string, kind idmap.UserType, disabled bool) {
	l.t.Helper()
	l.account(l.destination, idmap.Account{ID: id, Username: username, Name: username, UserType: kind, Disabled: disabled})
}

// releases frees an address for somebody else.
func (l *lane) releases(email string) {
	l.t.Helper()
	for a, err := range l.server.Client.EmailAssignments(l.ctx, idmap.EmailAssignmentFilter{ConnectionID: l.source, AddressKey: email}) {
		l.must(err)
		_, err = l.server.Client.ReleaseEmail(l.ctx, client.NewKey(), a.ID, "a test")
		l.must(err)
	}
}

// Things that happen in the world of mappings.
func johnIsMapped(l *lane) { l.others("john@example.com", "JOHN") }

func johnWasMapped(l *lane) {
	id := l.others("john@example.com", "JOHN")
	l.must(l.server.Client.DeleteUserMapping(l.ctx, id, 0))
	l.mailbox("john", "john@example.com")
}

// addressPasses gives the address of the mapping to another mailbox.
func addressPasses(l *lane) {
	l.mailbox("jane", "jane.new@example.com", "jane.alias@example.com", "jane.third@example.com")
	l.mailbox("lea", "lea@example.com", "jane@example.com")
}

func addressIsShared(l *lane) { l.mailbox("lea", "lea@example.com", "jane@example.com") }

func addressIsForgotten(l *lane) {
	l.mailbox("jane", "jane.new@example.com", "jane.alias@example.com", "jane.third@example.com")
}

func addressBecomesAlias(l *lane) {
	l.mailbox("jane", "jane.new@example.com", "jane@example.com", "jane.alias@example.com", "jane.third@example.com")
}

func aliasPasses(l *lane) {
	l.mailbox("jane", "jane@example.com")
	l.mailbox("lea", "lea@example.com", "jane.alias@example.com")
}

func userIsDisabled(l *lane) { l.user("u-jane", "JANE", idmap.UserTypeFull, true) }
func userIsRobot(l *lane)    { l.user("u-jane", "JANE", idmap.UserTypeNonInteractive, false) }
func userIsUnlicensed(l *lane) {
	l.user("u-jane", "JANE", idmap.UserTypeSynchronized, false)
}

func applicationIsAuthoritative(l *lane) {
	l.connection(l.destination, func(c *idmap.Connection) { c.Authoritative = true })
}

func destinationIsGone(l *lane) {
	l.must(l.server.Client.DeleteConnection(l.ctx, l.destination, 0))
}

func openApplication(_, to *idmap.Connection) { to.Authoritative = false }
func openMail(from, _ *idmap.Connection)      { from.Authoritative = false }

// mappingRows are the rules of user mappings.
func mappingRows() []*row {
	jane := pairs("jane", "JANE")
	alias := values{"email": quoted("jane.alias@example.com")}
	rows := []*row{
		{title: "no rule is broken", good: jane, update: &step{to: values{"source_account_id": quoted("m-jane")}}},
		{title: "another spelling", good: jane, still: true, update: &step{to: values{"email": quoted("SMTP:JANE@Example.COM"), "user_id": quoted("ｊａｎｅ")}}},
		{
			code: "email_in_use", good: jane, prepare: johnIsMapped,
			create: &step{to: pairs("john", "LEA")}, update: &step{to: pairs("john", "JANE")},
			take: func(l *lane) {
				l.releases("jane@example.com")
				l.others("jane@example.com", "LEA")
			},
			pair: []values{jane, pairs("jane", "LEA")}, gives: alias,
			never: map[way]string{byTurn: "while the mapping is there, nobody else can take its email"},
		},
		{
			code: "user_already_mapped", good: jane, prepare: johnIsMapped,
			create: &step{to: pairs("lea", "JOHN")}, update: &step{to: pairs("jane", "JOHN")},
			take: func(l *lane) { l.others("lea@example.com", "JANE") },
			pair: []values{jane, pairs("lea", "JANE")}, gives: alias,
			never: map[way]string{byTurn: "while the mapping is there, nobody else can map its user"},
		},
		{
			code: "email_previously_assigned", good: jane, prepare: johnWasMapped,
			create: &step{to: pairs("john", "LEA")}, update: &step{to: pairs("john.old", "JANE")},
			turn: addressPasses, take: addressPasses,
		},
		{
			code: "email_is_alias_of_another", good: jane,
			create: &step{to: pairs("team", "LEA")}, update: &step{to: pairs("team", "JANE")},
			turn: addressIsShared, take: addressIsShared,
		},
		{
			code: "account_repointed", good: jane, update: &step{to: pairs("lea", "JANE")}, late: &step{to: alias, world: aliasPasses},
			never: map[way]string{
				byCreate: "a mapping that is not there is bound to nobody", byTurn: "who is created anew is bound to nobody before",
				byTake: "a mapping that is not there is bound to nobody",
			},
		},
		{
			code: "user_cannot_sign_in", good: jane,
			create: &step{to: pairs("lea", "OFF")}, update: &step{to: alias, world: userIsDisabled},
			turn: userIsDisabled, take: userIsDisabled,
		},
		{
			code: "unknown_email", good: jane,
			create: &step{to: pairs("nobody", "LEA")}, update: &step{to: pairs("jane.new", "JANE")},
			turn: addressIsForgotten, take: addressIsForgotten,
		},
		{
			code: "unknown_user_id", good: pairs("jane", "FRED"), connections: openApplication,
			create: &step{to: pairs("lea", "NOBODY"), world: applicationIsAuthoritative}, update: &step{to: pairs("jane", "FREDDY"), world: applicationIsAuthoritative},
			turn: applicationIsAuthoritative, take: applicationIsAuthoritative,
		},
		{
			code: "account_mismatch", good: jane.with(values{"source_account_id": quoted("m-jane")}),
			create: &step{to: pairs("lea", "LEA")}, update: &step{to: pairs("jane", "LEA").with(values{"destination_account_id": quoted("u-john")})},
			turn: addressPasses, take: addressPasses,
		},
		{
			code: "invalid_email", good: jane, create: &step{to: values{"email": quoted("nonsense")}}, update: &step{to: values{"email": quoted("nonsense")}},
			never: formNever,
		},
		{
			code: "invalid_user_id", good: jane, create: &step{to: values{"user_id": quoted(`a\u200fb`)}}, update: &step{to: values{"user_id": quoted(`a\u200fb`)}},
			never: formNever,
		},
		{
			code: "revision_conflict", good: jane, late: &step{to: alias, world: func(l *lane) {
				m, err := l.server.Client.UserMapping(l.ctx, l.id())
				l.must(err)
				m.Email = "jane.third@example.com"
				_, _, err = l.server.Client.UpdateUserMapping(l.ctx, m)
				l.must(err)
			}},
			never: map[way]string{
				byCreate: "what is not there has no revision", byTake: "what is not there has no revision",
				byUpdate: "a plan reads the mapping before it changes it", byTurn: "a plan reads the mapping before it changes it",
			},
		},
		{
			code: "unknown_connection", good: jane,
			create: &step{to: values{"destination_connection_id": quoted("nowhere")}}, update: &step{to: values{"destination_connection_id": quoted("nowhere")}},
			take: destinationIsGone, never: map[way]string{byTurn: "a connection that has mappings cannot be deleted"},
		},

		{
			code: "unproven_rename", warns: true, good: pairs("ann", "JANE"), connections: openMail, update: &step{to: pairs("ann.b", "JANE")},
			never: onlyRenames,
		},
		{
			code: "email_is_alias", warns: true, good: jane, create: &step{to: pairs("lea.alias", "LEA")}, update: &step{to: alias},
			turn: addressBecomesAlias, take: addressBecomesAlias,
		},
		{
			code: "non_interactive_user", warns: true, good: jane,
			create: &step{to: pairs("lea", "BOT")}, update: &step{to: alias, world: userIsRobot}, turn: userIsRobot, take: userIsRobot,
		},
		{
			code: "unlicensed_user", warns: true, good: jane,
			create: &step{to: pairs("lea", "NEW")}, update: &step{to: alias, world: userIsUnlicensed}, turn: userIsUnlicensed, take: userIsUnlicensed,
		},
		{
			code: "opted_out", warns: true, good: jane, update: &step{to: values{"user_id": quoted("JANE.B")}},
			connections: func(from, to *idmap.Connection) { from.MailDomain, to.Authoritative = "example.com", false },
			never:       onlyRenames,
		},
	}
	for _, r := range rows {
		r.noun = userMapping
	}
	return rows
}

// formNever is why the form of a value cannot become wrong.
var formNever = map[way]string{
	byTurn: "the form of a value does not depend on anything else", byTake: "the form of a value does not depend on anything else",
}
