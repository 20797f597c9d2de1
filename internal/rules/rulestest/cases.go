package rulestest

import (
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Case is one line of the specification: in the world, beside mappings that live or are gone, somebody wants a mapping.
type Case struct {
	Name string
	Live []idmap.UserMapping // stored, in this order
	Gone []idmap.UserMapping // stored and deleted again, before Live
	// Update is the mapping as it is stored before; nil: Want is to be created. It is stored last.
	Update *idmap.UserMapping
	Want   idmap.UserMapping
	// Refused are all codes of the refusal, in the order of the rules; none: allowed.
	Refused []idmap.Code
	// Field is the field of the first violation, or of the first warning where nothing is refused.
	Field   string
	Warned  []idmap.Code
	Becomes func(idmap.UserMapping) bool // what holds of the stored mapping; nil: anything
}

// Mapping returns the mapping of an email of the mail connection to a user of Sales.
func Mapping(email, user string) idmap.UserMapping { return Between(Mail, Sales, email, user) }

// Between returns a mapping between two connections.
func Between(source, destination, email, user string) idmap.UserMapping {
	return idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: source}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: destination}},
		Email: email, UserID: user,
	}
}

// Pinned returns the mapping with pinned accounts; "" pins none.
func Pinned(m idmap.UserMapping, source, destination string) idmap.UserMapping {
	m.Source.Account, m.Destination.Account = idmap.RefTo(source), idmap.RefTo(destination)
	return m
}

func one(m idmap.UserMapping) []idmap.UserMapping { return []idmap.UserMapping{m} }

func codes(c ...idmap.Code) []idmap.Code { return c }

// Cases returns the specification. Every code of a user mapping's rules and warnings is in it.
func Cases() []Case {
	jane, john := Mapping("jane.doe@contoso.com", "JDOE"), Mapping("john.roe@contoso.com", "JROE")
	open := Between(OpenMail, App, "ann@example.com", "ann")
	return append([]Case{
		{Name: "known on both sides", Want: jane, Becomes: boundTo("m-jane", "u-jane")},
		{Name: "known on neither side, not authoritative", Want: open, Becomes: boundTo("", "")},
		{Name: "another spelling", Want: Mapping("  SMTP:JANE.Doe@Contoso.COM ", "ｊｄｏｅ"), Becomes: boundTo("m-jane", "u-jane")},

		{
			Name: "the email of another live mapping", Live: one(open), Want: Between(OpenMail, App, "Ann@Example.com", "bob"),
			Refused: codes(idmap.CodeEmailInUse, idmap.CodeEmailPreviouslyAssigned), Field: "email",
		},
		{
			Name: "the email of a mapping in another pod of an exclusive platform", Live: one(jane), Want: Between(Mail, Stage, "jane.doe@contoso.com", "jane"),
			Refused: codes(idmap.CodeEmailInUse), Field: "email",
		},
		{Name: "the same email in an application of another platform", Live: one(jane), Want: Between(Mail, App, "jane.doe@contoso.com", "jane")},
		{
			Name: "a user that is mapped already", Live: one(jane), Want: Mapping("lea.ver@contoso.com", "jdoe"),
			Refused: codes(idmap.CodeUserAlreadyMapped), Field: "user_id",
		},
		{Name: "a user that is mapped from another mail connection", Live: one(jane), Want: Between(OpenMail, Sales, "jane@home.example", "JDOE")},
		{Name: "a user whose mapping is gone, with another email", Gone: one(open), Want: Between(OpenMail, App, "other@example.com", "ann")},

		{
			Name: "the address of a user whose mapping is gone", Gone: one(open), Want: Between(OpenMail, App, "ann@example.com", "bob"),
			Refused: codes(idmap.CodeEmailPreviouslyAssigned), Field: "email",
		},
		{
			Name: "an alias of a mailbox that is mapped to another user", Live: one(jane), Want: Mapping("jdoe@contoso.com", "JROE"),
			Refused: codes(idmap.CodeEmailInUse, idmap.CodeEmailPreviouslyAssigned), Field: "email",
		},
		{
			Name: "an alias of a mailbox whose mapping to another user is gone", Gone: one(jane), Want: Mapping("jdoe@contoso.com", "JROE"),
			Refused: codes(idmap.CodeEmailPreviouslyAssigned), Field: "email",
		},
		{Name: "an alias of the same mailbox in an application of another platform", Live: one(jane), Want: Between(Mail, App, "jdoe@contoso.com", "jane"), Warned: codes(idmap.CodeEmailIsAlias), Field: "email"},
		{Name: "one's own address again", Gone: one(open), Want: Between(OpenMail, App, "ANN@example.com", "Ann")},
		{
			Name: "the mailbox of a leaver", Gone: one(Mapping("lea.ver@contoso.com", "JDOE")), Want: Mapping("lea.ver@contoso.com", "JROE"),
			Refused: codes(idmap.CodeEmailPreviouslyAssigned), Field: "email",
		},
		{
			Name: "an alias of another account", Want: Mapping("twin@contoso.com", "JDOE"),
			Refused: codes(idmap.CodeEmailIsAliasOfAnother), Field: "email",
		},
		{
			Name: "the address of a group", Want: Between(Mail, App, "team@contoso.com", "team"),
			Refused: codes(idmap.CodeEmailIsAliasOfAnother), Field: "email",
		},

		{Name: "a stub", Want: Mapping("jane.doe@contoso.com", "STUB"), Refused: codes(idmap.CodeUserCannotSignIn), Field: "user_id"},
		{Name: "a disabled user", Want: Mapping("jane.doe@contoso.com", "OFF"), Refused: codes(idmap.CodeUserCannotSignIn), Field: "user_id"},
		{Name: "a deleted user", Want: Mapping("jane.doe@contoso.com", "GONE"), Refused: codes(idmap.CodeUserCannotSignIn), Field: "user_id"},
		{Name: "an unknown email", Want: Mapping("nobody@contoso.com", "JDOE"), Refused: codes(idmap.CodeUnknownEmail), Field: "email"},
		{Name: "an unknown user id", Want: Mapping("jane.doe@contoso.com", "NOBODY"), Refused: codes(idmap.CodeUnknownUserID), Field: "user_id"},
		{
			Name: "both unknown: all is reported", Want: Mapping("nobody@contoso.com", "NOBODY"),
			Refused: codes(idmap.CodeUnknownEmail, idmap.CodeUnknownUserID), Field: "email",
		},
		{Name: "the right accounts pinned", Want: Pinned(jane, "m-jane", "u-jane"), Becomes: boundTo("m-jane", "u-jane")},
		{
			Name: "another mail account pinned", Want: Pinned(jane, "m-john", ""),
			Refused: codes(idmap.CodeAccountMismatch), Field: "source.account.id",
		},
		{Name: "another user's account pinned", Want: Pinned(jane, "", "u-john"), Refused: codes(idmap.CodeAccountMismatch), Field: "destination.account.id"},
		{Name: "a pinned account that nobody knows", Want: Pinned(open, "x-1", "x-2"), Becomes: boundTo("x-1", "x-2")},

		{
			Name: "a pinned id that is too long", Want: Pinned(open, strings.Repeat("x", 300), ""),
			Refused: codes(idmap.CodeInvalid), Field: "source.account.id",
		},

		{Name: "no address", Want: Between(OpenMail, App, "jane.doe", "jane"), Refused: codes(idmap.CodeInvalidEmail), Field: "email"},
		{
			Name: "an address that is too long for the platform", Want: Between(OpenMail, CRM, strings.Repeat("a", 90)+"@example.com", "jane"),
			Refused: codes(idmap.CodeInvalidEmail), Field: "email",
		},
		{Name: "an empty user id", Want: Between(OpenMail, App, "jane@example.com", " "), Refused: codes(idmap.CodeInvalidUserID), Field: "user_id"},
		{Name: "an invisible mark in the user id", Want: Between(OpenMail, App, "jane@example.com", "jane\u200f"), Refused: codes(idmap.CodeInvalidUserID), Field: "user_id"},
		{Name: "an unknown connection", Want: Between(Mail, "nowhere", "jane.doe@contoso.com", "jane"), Refused: codes(idmap.CodeUnknownConnection), Field: "destination.connection.id"},
		{Name: "one connection on both sides", Want: Between(App, App, "jane@example.com", "jane"), Refused: codes(idmap.CodeInvalid), Field: "destination.connection.id"},

		{Name: "an alias of one's own", Want: Mapping("jdoe@contoso.com", "JDOE"), Warned: codes(idmap.CodeEmailIsAlias), Field: "email"},
		{Name: "a non-interactive user", Want: Mapping("bot@contoso.com", "BOT"), Warned: codes(idmap.CodeNonInteractiveUser), Field: "user_id"},
		{Name: "an unlicensed user", Want: Mapping("lea.ver@contoso.com", "NEW"), Warned: codes(idmap.CodeUnlicensedUser), Field: "user_id"},
	}, updates(jane, john, open)...)
}

func updates(jane, john, open idmap.UserMapping) []Case {
	following := Mapping("", "JDOE")
	return []Case{
		{Name: "update: another spelling", Update: &jane, Want: Mapping("Jane.Doe@CONTOSO.com", "jdoe"), Becomes: boundTo("m-jane", "u-jane")},
		{Name: "update: a proven rename", Update: &jane, Want: Mapping("jane.smith@contoso.com", "JDOE"), Warned: codes(idmap.CodeEmailIsAlias), Field: "email"},
		{
			Name: "update: the email of another account", Update: &jane, Want: Mapping("lea.ver@contoso.com", "JDOE"),
			Refused: codes(idmap.CodeAccountRepointed), Field: "email",
		},
		{
			Name: "update: the user id of another account", Update: &jane, Want: Mapping("jane.doe@contoso.com", "JROE"),
			Refused: codes(idmap.CodeAccountRepointed), Field: "user_id",
		},
		{
			Name: "update: the email of another mapping", Live: one(john), Update: &jane, Want: Mapping("john.roe@contoso.com", "JDOE"),
			Refused: codes(idmap.CodeEmailInUse, idmap.CodeAccountRepointed), Field: "email",
		},
		{
			Name: "update: an address that the ledger ties to another user", Gone: one(Between(OpenMail, App, "old@example.com", "bob")), Update: &open,
			Want:    Between(OpenMail, App, "old@example.com", "ann"),
			Refused: codes(idmap.CodeEmailPreviouslyAssigned, idmap.CodeAccountRepointed), Field: "email",
		},
		{
			Name: "update: an email that the authoritative directory does not know", Update: &jane, Want: Mapping("jane.new@contoso.com", "JDOE"),
			Refused: codes(idmap.CodeUnknownEmail), Field: "email",
		},
		{
			Name: "update: a user id that the authoritative directory does not know", Update: &jane, Want: Mapping("jane.doe@contoso.com", "JSMITH"),
			Refused: codes(idmap.CodeUnknownUserID), Field: "user_id",
		},
		{
			Name: "update: the address of a group", Update: &jane, Want: Mapping("team@contoso.com", "JDOE"),
			Refused: codes(idmap.CodeEmailIsAliasOfAnother), Field: "email",
		},
		{Name: "update: an unproven email", Update: &open, Want: Between(OpenMail, App, "ann.b@example.com", "ann"), Warned: codes(idmap.CodeUnprovenRename), Field: "email"},
		{Name: "update: an unproven user id", Update: &open, Want: Between(OpenMail, App, "ann@example.com", "ann.b"), Warned: codes(idmap.CodeUnprovenRename), Field: "user_id"},
		{
			Name: "update: both unproven", Update: &open, Want: Between(OpenMail, App, "ann.b@example.com", "ann.b"),
			Refused: codes(idmap.CodeAccountRepointed, idmap.CodeAccountRepointed), Field: "email",
		},
		{
			Name: "update: another pinned account", Update: &jane, Want: Pinned(jane, "m-john", ""),
			Refused: codes(idmap.CodeAccountRepointed), Field: "source.account.id",
		},
		{
			Name: "update: another pinned user account", Update: &jane, Want: Pinned(jane, "", "u-john"),
			Refused: codes(idmap.CodeAccountRepointed), Field: "destination.account.id",
		},
		{Name: "update: its own account pinned", Update: &jane, Want: Pinned(jane, "m-jane", "u-jane")},

		{Name: "the email follows the username", Want: following, Becomes: func(m idmap.UserMapping) bool {
			return m.EmailSource == idmap.EmailFromUsername && m.EmailCanonical == "jdoe@contoso.com"
		}, Warned: codes(idmap.CodeEmailIsAlias), Field: "email"},
		{
			Name: "no email, and no mail domain to follow", Want: Between(OpenMail, App, "", "jane"),
			Refused: codes(idmap.CodeInvalidEmail), Field: "email",
		},
		{
			Name: "update: an explicit email opts out of a rename", Update: new(Between(Mail, App, "lea.ver@contoso.com", "lea")), Want: Between(Mail, App, "lea.ver@contoso.com", "lea.v"),
			Warned: codes(idmap.CodeUnprovenRename, idmap.CodeOptedOut), Field: "user_id",
		},
		{Name: "update: from an explicit email to one that follows", Update: &jane, Want: following, Becomes: func(m idmap.UserMapping) bool {
			return m.EmailSource == idmap.EmailFromUsername && m.EmailCanonical == "jdoe@contoso.com"
		}, Warned: codes(idmap.CodeEmailIsAlias), Field: "email"},
	}
}

func boundTo(source, destination string) func(idmap.UserMapping) bool {
	return func(m idmap.UserMapping) bool {
		return m.Source.AccountID() == source && m.Destination.AccountID() == destination
	}
}
