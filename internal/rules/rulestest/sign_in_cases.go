package rulestest

import (
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// SignInCase is one line of the specification of sign-ins: in the world, beside mappings that live or are gone, somebody
// comes.
type SignInCase struct {
	Name       string
	Live, Gone []idmap.UserMapping // as in Case
	Attempt    idmap.UserMapping
	// Denied are all codes of the denial, in the order of the checks; none: allowed.
	Denied []idmap.Code
	// Creates: the sign-in makes the mapping, and Becomes holds of it.
	Creates bool
	Becomes func(idmap.UserMapping) bool
	Unknown []idmap.CheckName
}

// nothingKnown are the checks of a user and a mailbox of which no directory knows.
var nothingKnown = []idmap.CheckName{
	idmap.CheckMailAccountEnabled, idmap.CheckApplicationAccountEnabled, idmap.CheckUserTypeMaySignIn, idmap.CheckLicensed, idmap.CheckPermissionGranted,
}

// permissionUnknown is that of most users.
var permissionUnknown = []idmap.CheckName{idmap.CheckPermissionGranted}

// applicationUnknown are the checks of a user of whom no directory knows.
var applicationUnknown = nothingKnown[1:]

// SignInCases returns the specification of sign-ins. Every code for which only a sign-in is denied is in it.
func SignInCases() []SignInCase {
	jane, john := Mapping("jane.doe@contoso.com", "JDOE"), Mapping("john.roe@contoso.com", "JROE")
	open := Between(OpenMail, App, "ann@example.com", "ann")
	return slices.Concat([]SignInCase{
		{Name: "mapped", Live: one(jane), Attempt: jane, Unknown: permissionUnknown},
		{Name: "mapped, another spelling", Live: one(jane), Attempt: Mapping(" SMTP:Jane.DOE@contoso.com", "ｊｄｏｅ"), Unknown: permissionUnknown},
		{Name: "mapped, and nobody knows the two", Live: one(open), Attempt: open, Unknown: nothingKnown},
		{Name: "mapped, under another address of the same mailbox", Live: one(jane), Attempt: Mapping("jane.smith@contoso.com", "JDOE"), Unknown: permissionUnknown},
		{
			Name: "mapped, from another mailbox", Live: one(jane), Attempt: Mapping("john.roe@contoso.com", "JDOE"),
			Denied: codes(idmap.CodeAccountRepointed), Unknown: permissionUnknown,
		},
		{
			Name: "mapped, from the mailbox of another mapping", Live: []idmap.UserMapping{jane, john}, Attempt: Mapping("john.roe@contoso.com", "JDOE"),
			Denied: codes(idmap.CodeAccountRepointed, idmap.CodeEmailInUse), Unknown: permissionUnknown,
		},
		{
			Name: "mapped, under an address that nobody knows", Live: one(open), Attempt: Between(OpenMail, App, "ann.new@example.com", "ann"),
			Denied: codes(idmap.CodeUnprovenRename), Unknown: nothingKnown,
		},
		{
			Name: "mapped, under an address that the directory does not know", Live: one(jane), Attempt: Mapping("nobody@contoso.com", "JDOE"),
			Denied: codes(idmap.CodeUnknownEmail), Unknown: permissionUnknown,
		},
		{
			Name: "a pair swapped", Live: one(jane), Attempt: Mapping("JDOE", "jane.doe@contoso.com"),
			Denied: codes(idmap.CodeInvalidEmail, idmap.CodeUnknownEmail, idmap.CodeUnknownUserID), Unknown: applicationUnknown[1:],
		},
		{
			Name: "nothing but a connection", Attempt: Between(OpenMail, App, "", ""),
			Denied: codes(idmap.CodeInvalidEmail, idmap.CodeInvalidUserID), Unknown: nothingKnown[2:],
		},
	}, firstSignIns(), deniedSignIns())
}

// firstSignIns are those of users without a mapping.
func firstSignIns() []SignInCase {
	jane, open := Mapping("jane.doe@contoso.com", "JDOE"), Between(OpenMail, App, "ann@example.com", "ann")
	return []SignInCase{
		{Name: "a first sign-in", Attempt: jane, Creates: true, Becomes: boundTo("m-jane", "u-jane"), Unknown: permissionUnknown},
		{Name: "a first sign-in that nobody knows", Attempt: open, Creates: true, Becomes: boundTo("", ""), Unknown: nothingKnown},
		{
			Name: "a first sign-in whose email is the username at the mail domain", Attempt: Between(Mail, App, "Lea.Ver@contoso.com", "lea.ver"), Creates: true,
			Becomes: func(m idmap.UserMapping) bool { return m.EmailSource == idmap.EmailFromUsername }, Unknown: applicationUnknown,
		},
		{
			Name: "a first sign-in with another email", Attempt: Between(Mail, App, "lea.ver@contoso.com", "lea"), Creates: true,
			Becomes: func(m idmap.UserMapping) bool { return m.EmailSource == idmap.EmailExplicit }, Unknown: applicationUnknown,
		},
		{Name: "a user whose mapping was deleted", Gone: one(open), Attempt: open, Creates: true, Unknown: nothingKnown},
		{Name: "a permitted user", Attempt: Mapping("lea.ver@contoso.com", "YES"), Creates: true},
		{
			Name: "the address of somebody whose mapping was deleted", Gone: one(open), Attempt: Between(OpenMail, App, "ann@example.com", "bob"),
			Denied: codes(idmap.CodeEmailPreviouslyAssigned), Unknown: nothingKnown,
		},
		{
			Name: "the address of another's mapping", Live: one(open), Attempt: Between(OpenMail, App, "ANN@example.com", "bob"),
			Denied: codes(idmap.CodeEmailInUse, idmap.CodeEmailPreviouslyAssigned), Unknown: nothingKnown,
		},
		{
			Name: "an address that is mapped in another pod", Live: one(jane), Attempt: Between(Mail, Stage, "jane.doe@contoso.com", "jane"),
			Denied: codes(idmap.CodeEmailInUse), Unknown: applicationUnknown,
		},
		{
			Name: "the address of a group", Attempt: Mapping("team@contoso.com", "JDOE"),
			Denied: codes(idmap.CodeEmailIsAliasOfAnother), Unknown: []idmap.CheckName{idmap.CheckMailAccountEnabled, idmap.CheckPermissionGranted},
		},
		{
			Name: "an address of two accounts", Attempt: Mapping("twin@contoso.com", "JDOE"),
			Denied: codes(idmap.CodeEmailIsAliasOfAnother), Unknown: permissionUnknown,
		},
		{
			Name: "a mapping is required", Attempt: Between(Mail, Closed, "jane.doe@contoso.com", "jane"),
			Denied: codes(idmap.CodeMappingRequired), Unknown: applicationUnknown,
		},
		{
			Name: "a mapping is required, and there is one", Live: one(Between(Mail, Closed, "jane.doe@contoso.com", "jane")),
			Attempt: Between(Mail, Closed, "jane.doe@contoso.com", "jane"), Unknown: applicationUnknown,
		},
		{
			Name: "a mapping is required, and was deleted", Gone: one(Between(Mail, Closed, "jane.doe@contoso.com", "jane")),
			Attempt: Between(Mail, Closed, "jane.doe@contoso.com", "jane"), Denied: codes(idmap.CodeMappingRequired), Unknown: applicationUnknown,
		},
	}
}

// deniedSignIns are those of people who may not sign in, whatever mapping they have.
func deniedSignIns() []SignInCase {
	off, bot, hire := Mapping("off@contoso.com", "JROE"), Mapping("bot@contoso.com", "BOT"), Mapping("lea.ver@contoso.com", "NEW")
	nope := Mapping("nope@contoso.com", "NOPE")
	switched := Between(OpenMail, Off, "ann@example.com", "ann")
	return []SignInCase{
		{Name: "switched off", Attempt: switched, Denied: codes(idmap.CodeSignInDisabled), Unknown: nothingKnown},
		{Name: "switched off, mapped", Live: one(switched), Attempt: switched, Denied: codes(idmap.CodeSignInDisabled), Unknown: nothingKnown},
		{Name: "a disabled mailbox", Attempt: off, Denied: codes(idmap.CodeMailboxDisabled), Unknown: permissionUnknown},
		{Name: "a disabled mailbox, mapped", Live: one(off), Attempt: off, Denied: codes(idmap.CodeMailboxDisabled), Unknown: permissionUnknown},
		{Name: "a stub", Attempt: Mapping("lea.ver@contoso.com", "STUB"), Denied: codes(idmap.CodeUserCannotSignIn), Unknown: permissionUnknown},
		{Name: "a disabled user", Attempt: Mapping("lea.ver@contoso.com", "OFF"), Denied: codes(idmap.CodeUserCannotSignIn), Unknown: permissionUnknown},
		{Name: "a user who has left", Attempt: Mapping("lea.ver@contoso.com", "GONE"), Denied: codes(idmap.CodeUserCannotSignIn), Unknown: permissionUnknown},
		{Name: "a non-interactive user", Attempt: bot, Denied: codes(idmap.CodeNonInteractiveUser), Unknown: permissionUnknown},
		{Name: "a non-interactive user, mapped", Live: one(bot), Attempt: bot, Denied: codes(idmap.CodeNonInteractiveUser), Unknown: permissionUnknown},
		{Name: "an unlicensed user", Attempt: hire, Denied: codes(idmap.CodeUnlicensedUser), Unknown: permissionUnknown},
		{Name: "an unlicensed user, mapped", Live: one(hire), Attempt: hire, Denied: codes(idmap.CodeUnlicensedUser), Unknown: permissionUnknown},
		{Name: "without the permission", Attempt: nope, Denied: codes(idmap.CodePermissionMissing)},
		{Name: "without the permission, mapped", Live: one(nope), Attempt: nope, Denied: codes(idmap.CodePermissionMissing)},
		{
			Name: "all at once", Attempt: Mapping("off@contoso.com", "STUB"),
			Denied: codes(idmap.CodeMailboxDisabled, idmap.CodeUserCannotSignIn), Unknown: permissionUnknown,
		},
		{
			Name: "a user whom the directory does not know", Attempt: Mapping("lea.ver@contoso.com", "NOBODY"),
			Denied: codes(idmap.CodeUnknownUserID), Unknown: applicationUnknown[1:],
		},
	}
}

// CheckSignIn compares what a sign-in found with what the case says. created is the mapping that it makes, or nil.
func CheckSignIn(t *testing.T, c SignInCase, reasons []idmap.Violation, created *idmap.UserMapping) {
	t.Helper()
	if got := CodesOf(reasons); !slices.Equal(got, c.Denied) {
		t.Errorf("denied with %v, want %v\n%s", got, c.Denied, idmap.Sentences(reasons))
	}
	if (created != nil) != c.Creates {
		t.Errorf("it makes the mapping %+v, want one: %t", created, c.Creates)
	}
	if c.Becomes != nil && created != nil && !c.Becomes(*created) {
		t.Errorf("the mapping becomes %+v", created)
	}
}
