package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func TestSignIns(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.SignInCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			verdict := rules.CheckSignIns(rulestest.World(c.Live, c.Gone), []idmap.UserMapping{c.Attempt})[0]
			var created *idmap.UserMapping
			if verdict.Creates {
				created = verdict.UserMapping
			}
			rulestest.CheckSignIn(t, c, idmap.ReasonsOf(verdict.Checks), created)
			if got := namesOf(verdict.Checks, idmap.CheckUnknown); !slices.Equal(got, c.Unknown) {
				t.Errorf("unknown are %v, want %v", got, c.Unknown)
			}
			checkWords(t, verdict.Checks)
		})
	}
}

func namesOf(checks []idmap.SignInCheck, status idmap.CheckStatus) []idmap.CheckName {
	var names []idmap.CheckName
	for _, c := range checks {
		if c.Status == status {
			names = append(names, c.Name)
		}
	}
	return names
}

// checkWords looks for sentences that a person cannot use.
func checkWords(t *testing.T, checks []idmap.SignInCheck) {
	t.Helper()
	names := make([]idmap.CheckName, len(checks))
	for i, c := range checks {
		names[i] = c.Name
	}
	if !slices.Equal(names, idmap.CheckNames()) {
		t.Errorf("the checks are %v, want those of the design", names)
	}
	for _, c := range checks {
		if !strings.HasSuffix(c.Finding, ".") {
			t.Errorf("check %s finds %q, want a sentence", c.Name, c.Finding)
		}
		if hasCure := strings.HasSuffix(c.Cure, "."); hasCure == (c.Status == idmap.CheckPassed) {
			t.Errorf("check %s is %s, and its cure is %q", c.Name, c.Status, c.Cure)
		}
	}
}

func TestEverySignInCodeHasACase(t *testing.T) {
	t.Parallel()
	seen := map[idmap.Code]bool{}
	for _, c := range rulestest.SignInCases() {
		for _, code := range c.Denied {
			seen[code] = true
		}
	}
	all := idmap.Codes()
	first := slices.IndexFunc(all, func(c idmap.CodeInfo) bool { return c.Code == idmap.CodeSignInDisabled })
	last := slices.IndexFunc(all, func(c idmap.CodeInfo) bool { return c.Code == idmap.CodeInvalid })
	for _, info := range all[first:last] {
		if !seen[info.Code] {
			t.Errorf("no case shows %s", info.Code)
		}
	}
}

// TestEveryRefusalFailsACheck guards the table of checks: a code that the rules of mappings learn one day must not pass
// a sign-in unseen.
func TestEveryRefusalFailsACheck(t *testing.T) {
	t.Parallel()
	for _, c := range rulestest.Cases() {
		if c.Update != nil || len(c.Refused) == 0 || c.Want.Email == "" || c.Want.Source.Account != nil || c.Want.Destination.Account != nil ||
			c.Want.EmailSource != "" || slices.Contains(c.Refused, idmap.CodeUnknownConnection) || slices.Contains(c.Refused, idmap.CodeInvalid) {
			continue // no sign-in can be like this
		}
		verdict := rules.CheckSignIns(rulestest.World(c.Live, c.Gone), []idmap.UserMapping{c.Want})[0]
		if verdict.Allowed() {
			t.Errorf("%s: a create is refused with %v, and a sign-in is allowed", c.Name, c.Refused)
		}
	}
}

func TestDiagnosis(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	for _, c := range []struct {
		name        string
		m           idmap.UserMapping
		outcome     idmap.Outcome
		email, user string
		failed      []idmap.CheckName
		summary     string
	}{
		{"both", jane, idmap.OutcomeAllowed, "jane.doe@contoso.com", "JDOE", nil, `jane.doe@contoso.com as "JDOE" may sign in to connection "Sales": no check of 8 failed, and 1 cannot be told (permission granted).`},
		{"by email", rulestest.Mapping("Jane.Doe@contoso.com", ""), idmap.OutcomeAllowed, "Jane.Doe@contoso.com", "JDOE", nil, "JDOE"},
		{"by an alias", rulestest.Mapping("jdoe@contoso.com", ""), idmap.OutcomeAllowed, "jdoe@contoso.com", "JDOE", nil, "JDOE"},
		{"by user id", rulestest.Mapping("", "jdoe"), idmap.OutcomeAllowed, "jane.doe@contoso.com", "jdoe", nil, "may sign in"},
		{"an email without a mapping", rulestest.Mapping("john.roe@contoso.com", ""), idmap.OutcomeUnknown, "john.roe@contoso.com", "", nil, `Email "john.roe@contoso.com" may sign in to connection "Sales" or not: the user id is not given, and no mapping tells it.`},
		{"a user without a mapping", rulestest.Mapping("", "JROE"), idmap.OutcomeUnknown, "", "JROE", nil, `User "JROE" may sign in to connection "Sales" or not: the email is not given`},
		{"a disabled mailbox without a mapping", rulestest.Mapping("off@contoso.com", ""), idmap.OutcomeDenied, "off@contoso.com", "", []idmap.CheckName{idmap.CheckMailAccountEnabled}, `Email "off@contoso.com" cannot sign in`},
		{"a disabled user without a mapping", rulestest.Mapping("", "OFF"), idmap.OutcomeDenied, "", "OFF", []idmap.CheckName{idmap.CheckApplicationAccountEnabled}, `User "OFF" cannot sign in to connection "Sales": 1 of 8 checks failed (application account enabled).`},
		{"no address", rulestest.Mapping("JDOE", ""), idmap.OutcomeDenied, "JDOE", "", []idmap.CheckName{idmap.CheckMailAccountEnabled}, "cannot sign in"},
		{"an email where a mapping is required", rulestest.Between(rulestest.Mail, rulestest.Closed, "jane.doe@contoso.com", ""), idmap.OutcomeDenied, "jane.doe@contoso.com", "", []idmap.CheckName{idmap.CheckMappingPresent}, "mapping present"},
		{"an email that is mapped in another pod", rulestest.Between(rulestest.Mail, rulestest.Stage, "jane.doe@contoso.com", ""), idmap.OutcomeDenied, "jane.doe@contoso.com", "", []idmap.CheckName{idmap.CheckEmailNotHeldByAnother}, "email not held by another"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			source, destination := c.m.SignInEnds()
			d := rules.DiagnoseSignIn(rulestest.World([]idmap.UserMapping{jane}, nil), idmap.DiagnosisRequest{Source: source, Destination: destination, Email: c.m.Email, UserID: c.m.UserID})
			if d.Outcome != c.outcome || d.Email != c.email || d.UserID != c.user {
				t.Errorf("got %s for %q and %q, want %s for %q and %q", d.Outcome, d.Email, d.UserID, c.outcome, c.email, c.user)
			}
			if got := namesOf(d.Checks, idmap.CheckFailed); !slices.Equal(got, c.failed) {
				t.Errorf("failed are %v, want %v: %s", got, c.failed, idmap.Sentences(idmap.ReasonsOf(d.Checks)))
			}
			if !strings.Contains(d.Summary, c.summary) {
				t.Errorf("the summary is %q, want %q in it", d.Summary, c.summary)
			}
			checkWords(t, d.Checks)
		})
	}
}

// TestMailboxPassedOn: the address of a mapping is another account's by now, and who comes with it is that other.
func TestMailboxPassedOn(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	for _, c := range []struct {
		name   string
		change func(accounts map[string][]idmap.Account)
		denied idmap.Code
	}{
		{"the mailbox", func(accounts map[string][]idmap.Account) {
			accounts[rulestest.Mail][0].Email, accounts[rulestest.Mail][1].Email = "jane.married@contoso.com", "jane.doe@contoso.com"
		}, idmap.CodeAccountRepointed},
		{"the user id", func(accounts map[string][]idmap.Account) {
			accounts[rulestest.Sales][0].Username, accounts[rulestest.Sales][1].Username = "JMARRIED", "JDOE"
		}, idmap.CodeAccountRepointed},
		{"nothing", func(map[string][]idmap.Account) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := rulestest.World([]idmap.UserMapping{jane}, nil)
			accounts := rulestest.Accounts()
			c.change(accounts)
			for id := range accounts {
				w.Directories[id] = rules.NewDirectory(accounts[id], nil)
			}
			verdict := rules.CheckSignIns(w, []idmap.UserMapping{jane})[0]
			codes := rulestest.CodesOf(idmap.ReasonsOf(verdict.Checks))
			if c.denied == "" != verdict.Allowed() || c.denied != "" && !slices.Contains(codes, c.denied) {
				t.Errorf("got %v, want %q", codes, c.denied)
			}
		})
	}
}

// TestAccountOfAnotherMapping: the user id is one mapping's, and the account that has it by now is another's.
func TestAccountOfAnotherMapping(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	w := rulestest.World([]idmap.UserMapping{jane, rulestest.Mapping("john.roe@contoso.com", "JROE")}, nil)
	w.Mappings[0].Destination.Account, w.Mappings[1].UserID = nil, "OLD"
	w.Mappings[1].Destination.Account = idmap.RefTo("u-jane")
	verdict := rules.CheckSignIns(w, []idmap.UserMapping{jane})[0]
	if got := rulestest.CodesOf(idmap.ReasonsOf(verdict.Checks)); !slices.Contains(got, idmap.CodeUserAlreadyMapped) {
		t.Errorf("got %v, want user_already_mapped", got)
	}
}

// TestAliasOfSomebodyElse: a mailbox got an address that was another user's. Who has the mailbox, and comes with the own
// address, is who was always let in; under the new address nobody is.
func TestAliasOfSomebodyElse(t *testing.T) {
	t.Parallel()
	jane := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	w := rulestest.World([]idmap.UserMapping{jane}, nil)
	accounts := rulestest.Accounts()
	accounts[rulestest.Mail][0].Aliases = []string{"ann@contoso.com"}
	w.Directories[rulestest.Mail] = rules.NewDirectory(accounts[rulestest.Mail], nil)
	mail, sales := idmap.Ref{ID: rulestest.Mail}, idmap.Ref{ID: rulestest.Sales}
	w.Assignments[rules.AddressKey{ConnectionID: rulestest.Mail, Address: "ann@contoso.com"}] = idmap.EmailAssignment{
		ID: "ledger:ann", Connection: mail, Address: "ann@contoso.com", AddressCanonical: "ann@contoso.com",
		Holders: []idmap.EmailHolder{{Connection: mail, Account: idmap.RefTo("m-jane")}, {Connection: sales, Account: idmap.RefTo("u-ann"), UserID: "ann"}},
	}
	verdicts := rules.CheckSignIns(w, []idmap.UserMapping{jane, rulestest.Mapping("ann@contoso.com", "JDOE")})
	if !verdicts[0].Allowed() {
		t.Errorf("with the own address: denied, %s", idmap.Sentences(idmap.ReasonsOf(verdicts[0].Checks)))
	}
	if got := rulestest.CodesOf(idmap.ReasonsOf(verdicts[1].Checks)); !slices.Contains(got, idmap.CodeEmailPreviouslyAssigned) {
		t.Errorf("with the new address: got %v, want email_previously_assigned", got)
	}
}

// TestSwappedAddresses: where user ids look like addresses, each of a swapped pair is valid on either side.
func TestSwappedAddresses(t *testing.T) {
	t.Parallel()
	w := rulestest.World(nil, nil)
	w.Directories[rulestest.OpenMail] = rules.NewDirectory([]idmap.Account{{ID: "m", Email: "jane@mail.example"}}, nil)
	w.Directories[rulestest.App] = rules.NewDirectory([]idmap.Account{{ID: "u", Username: "jane@app.example"}}, nil)
	verdicts := rules.CheckSignIns(w, []idmap.UserMapping{
		rulestest.Between(rulestest.OpenMail, rulestest.App, "jane@app.example", "jane@mail.example"),
		rulestest.Between(rulestest.OpenMail, rulestest.App, "jane@mail.example", "jane@app.example"),
		rulestest.Between(rulestest.OpenMail, rulestest.App, "jane@app.example", "new@app.example"),
		rulestest.Between(rulestest.OpenMail, rulestest.App, "new@mail.example", "jane@mail.example"),
	})
	if got := idmap.Sentences(idmap.ReasonsOf(verdicts[0].Checks)); !strings.Contains(got, "swapped") {
		t.Errorf("a swapped pair is denied with %q", got)
	}
	for i, v := range verdicts[1:] {
		if !v.Allowed() {
			t.Errorf("pair %d is denied: %s", i+1, idmap.Sentences(idmap.ReasonsOf(v.Checks)))
		}
	}
}

// TestMailboxDeleted: the directory does not tell any more whose a deleted mailbox's address was, and the ledger does.
func TestMailboxDeleted(t *testing.T) {
	t.Parallel()
	left := time.Unix(0, 0)
	mail := idmap.Ref{ID: rulestest.OpenMail}
	attempt := rulestest.Between(rulestest.OpenMail, rulestest.App, "jane@mail.example", "jane")
	for _, c := range []struct {
		name    string
		account idmap.Account
		denied  bool
	}{
		{"deleted", idmap.Account{ID: "m", DeletedOn: &left}, true},
		{"live, under another address", idmap.Account{ID: "m", Email: "other@mail.example"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := rulestest.World(nil, nil)
			w.Directories[rulestest.OpenMail] = rules.NewDirectory([]idmap.Account{c.account}, nil)
			w.Assignments[rules.AddressKey{ConnectionID: mail.ID, Address: attempt.Email}] = idmap.EmailAssignment{
				ID: "ledger:jane", Connection: mail, Address: attempt.Email, AddressCanonical: attempt.Email,
				Holders: []idmap.EmailHolder{{Connection: mail, Account: idmap.RefTo("m")}, {Connection: idmap.Ref{ID: rulestest.App}, UserID: "jane"}},
			}
			got := rulestest.CodesOf(idmap.ReasonsOf(rules.CheckSignIns(w, []idmap.UserMapping{attempt})[0].Checks))
			if slices.Contains(got, idmap.CodeMailboxDisabled) != c.denied || len(got) > 0 != c.denied {
				t.Errorf("denied with %v, want mailbox_disabled: %t", got, c.denied)
			}
		})
	}
}
