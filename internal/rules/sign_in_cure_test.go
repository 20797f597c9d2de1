package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestFindingsAndCures reads what an administrator reads.
func TestFindingsAndCures(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	stubOff := func(w *rules.World) {
		w.Directories[rulestest.Sales] = rules.NewDirectory([]idmap.Account{{ID: "u", Username: "OLD", UserType: idmap.UserTypeStub, Disabled: true}}, nil)
	}
	untyped := func(w *rules.World) {
		w.Directories[rulestest.Sales] = rules.NewDirectory([]idmap.Account{{ID: "u", Username: "NEW"}}, nil)
	}
	gone := func(w *rules.World) {
		left := time.Unix(0, 0)
		accounts := rulestest.Accounts()[rulestest.Mail]
		accounts[0].DeletedOn = &left
		w.Directories[rulestest.Mail] = rules.NewDirectory(accounts, nil)
	}
	for _, c := range []struct {
		name          string
		m             idmap.UserMapping
		live          []idmap.UserMapping
		change        func(*rules.World)
		check         idmap.CheckName
		status        idmap.CheckStatus
		finding, cure string
	}{
		{"a stub that is disabled: as a stub", rulestest.Mapping("lea.ver@contoso.com", "OLD"), nil, stubOff, idmap.CheckUserTypeMaySignIn, idmap.CheckFailed, "is a stub", "a stub never can"},
		{"a stub that is disabled: as disabled", rulestest.Mapping("lea.ver@contoso.com", "OLD"), nil, stubOff, idmap.CheckApplicationAccountEnabled, idmap.CheckFailed, "is disabled", `Enable the account in the application. Then bring the directory of connection "Sales" up to date.`},
		{"a user without a type", rulestest.Mapping("lea.ver@contoso.com", "NEW"), nil, untyped, idmap.CheckLicensed, idmap.CheckUnknown, "does not tell the user type", "column user_type"},
		{"a user without a permission", jane, nil, nil, idmap.CheckPermissionGranted, idmap.CheckUnknown, "does not tell whether", "column sign_in_permitted"},
		{"an unknown user", rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", "ann"), nil, nil, idmap.CheckPermissionGranted, idmap.CheckUnknown, `does not know user "ann"`, `Import the directory of connection "App".`},
		{"an unknown mailbox", rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", "ann"), nil, nil, idmap.CheckMailAccountEnabled, idmap.CheckUnknown, `does not know "ann@example.com"`, `Import the directory of connection "Open Mail".`},
		{"a group", rulestest.Mapping("team@contoso.com", "JDOE"), nil, nil, idmap.CheckMailAccountEnabled, idmap.CheckUnknown, "address of a group", "the person's own account"},
		{"a mailbox that is gone", jane, []idmap.UserMapping{jane}, gone, idmap.CheckMailAccountEnabled, idmap.CheckFailed, `Mail account Jane Doe (jane.doe) of connection "Contoso Mail" is deleted.`, "restore the mail account"},
		{"no user: licensed", rulestest.Mapping("john.roe@contoso.com", ""), nil, nil, idmap.CheckLicensed, idmap.CheckUnknown, "The user id is not given", "Give the user id too."},
		{"no user: the mailbox is known", rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", ""), nil, nil, idmap.CheckMailAccountEnabled, idmap.CheckUnknown, "does not know", "Import the directory"},
		{"no user: whose address it was is not said", rulestest.Mapping("jane.doe@contoso.com", ""), nil, nil, idmap.CheckEmailNotHeldByAnother, idmap.CheckUnknown, "depends on the user", "Give the user id too."},
		{"no email: the mailbox", rulestest.Mapping("", "JROE"), nil, nil, idmap.CheckMailAccountEnabled, idmap.CheckUnknown, "The email is not given", "Give the email too."},
		{"a mapping is required, of an email", rulestest.Between(rulestest.Mail, rulestest.Closed, "jane.doe@contoso.com", ""), nil, nil, idmap.CheckMappingPresent, idmap.CheckFailed, `Email "jane.doe@contoso.com" has no mapping`, "idmap_user_mapping"},
		{"a mapping is required, of a user", rulestest.Between(rulestest.Mail, rulestest.Closed, "", "jane"), nil, nil, idmap.CheckMappingPresent, idmap.CheckFailed, `User "jane" has no mapping`, "sign_in_mapping"},
		{"no address", rulestest.Between(rulestest.OpenMail, rulestest.App, "ann at example", "ann"), nil, nil, idmap.CheckMailAccountEnabled, idmap.CheckFailed, `"ann at example" is not an email address`, "swapped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := rulestest.World(c.live, nil)
			if c.change != nil {
				c.change(w)
			}
			source, destination := c.m.SignInEnds()
			d := rules.DiagnoseSignIn(w, idmap.DiagnosisRequest{Source: source, Destination: destination, Email: c.m.Email, UserID: c.m.UserID})
			for _, check := range d.Checks {
				if check.Name == c.check && (check.Status != c.status || !strings.Contains(check.Finding, c.finding) || !strings.Contains(check.Cure, c.cure)) {
					t.Errorf("got %s: %s\n%s\nwant %s: %s\n%s", check.Status, check.Finding, check.Cure, c.status, c.finding, c.cure)
				}
			}
		})
	}
}

// TestMailboxThatIsGoneIsSaidOnce: its addresses are unknown since, which is no second reason.
func TestMailboxThatIsGoneIsSaidOnce(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	w := rulestest.World([]idmap.UserMapping{jane}, nil)
	left := time.Unix(0, 0)
	w.Directories[rulestest.Mail] = rules.NewDirectory([]idmap.Account{{ID: "m-jane", Email: "jane.doe@contoso.com", DeletedOn: &left}}, nil)
	got := rulestest.CodesOf(idmap.ReasonsOf(rules.CheckSignIns(w, []idmap.UserMapping{jane})[0].Checks))
	if len(got) != 1 || got[0] != idmap.CodeMailboxDisabled {
		t.Errorf("denied with %v, want mailbox_disabled alone", got)
	}
}

// TestHolderIsNotSaidToAStranger: the one who asks by the email alone may be its holder.
func TestHolderIsNotSaidToAStranger(t *testing.T) {
	t.Parallel()
	open := rulestest.Between(rulestest.OpenMail, rulestest.App, "ann@example.com", "ann")
	source, destination := open.SignInEnds()
	d := rules.DiagnoseSignIn(rulestest.World(nil, []idmap.UserMapping{open}), idmap.DiagnosisRequest{Source: source, Destination: destination, Email: open.Email})
	if d.Outcome != idmap.OutcomeUnknown {
		t.Errorf("by the email of a mapping that is gone: %s, %s", d.Outcome, d.Summary)
	}
}

// TestUserLeftBehind: the directory calls the mapping's account otherwise by now, and the mapping has not followed.
func TestUserLeftBehind(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	w := rulestest.World([]idmap.UserMapping{jane}, nil)
	accounts := rulestest.Accounts()[rulestest.Sales]
	accounts[0].Username = "JMARRIED"
	w.Directories[rulestest.Sales] = rules.NewDirectory(accounts, nil)
	verdict := rules.CheckSignIns(w, []idmap.UserMapping{rulestest.Mapping("jane.doe@contoso.com", "JMARRIED")})[0]
	if !verdict.Allowed() || verdict.Creates || verdict.UserMapping == nil || verdict.UserMapping.ID != w.Mappings[0].ID {
		t.Errorf("under the new name: %+v, %s", verdict.UserMapping, idmap.Sentences(idmap.ReasonsOf(verdict.Checks)))
	}
}

// TestFirstSignInByAnAlias: the warnings are those of the new mapping.
func TestFirstSignInByAnAlias(t *testing.T) {
	t.Parallel()
	attempt := rulestest.Mapping("jdoe@contoso.com", "JDOE")
	verdict := rules.CheckSignIns(rulestest.World(nil, nil), []idmap.UserMapping{attempt})[0]
	if got := rulestest.CodesOf(verdict.Warnings); len(got) != 1 || got[0] != idmap.CodeEmailIsAlias {
		t.Errorf("warned of %v, want email_is_alias", got)
	}
}
