package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestLossIsForeseen: a file without one of the accounts of a mapping that stays, or with a disabled one.
func TestLossIsForeseen(t *testing.T) {
	t.Parallel()
	const header = "id,username,email,disabled"
	sales := []string{header, "u-jane,JDOE,,false"}
	mail := []string{header, "m-jane,,jane@example.com,false"}
	for name, c := range map[string]struct {
		connection func(wedding) idmap.Connection
		file       []string // that the plan brings
		at         string
		code       idmap.Code
		words      []string
	}{
		"user gone":        {wedding.application, []string{header, "u-joe,JOE,,false"}, "user_id", idmap.CodeUserCannotSignIn, []string{"jane@example.com", "JDOE", `"Sales"`, "counts as deleted", "remove this resource"}},
		"user disabled":    {wedding.application, []string{header, "u-jane,JDOE,,true"}, "user_id", idmap.CodeUserCannotSignIn, []string{"disables it"}},
		"mailbox gone":     {wedding.mailConnection, []string{header}, "email", idmap.CodeMailboxDisabled, []string{`"Mail"`, "counts as deleted"}},
		"mailbox disabled": {wedding.mailConnection, []string{header, "m-jane,,jane@example.com,true"}, "email", idmap.CodeMailboxDisabled, []string{"disables it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWedding(t, "jane@example.com")
			w.has(w.sales, sales)
			w.has(w.mail, mail)
			w.refresh(nil)
			connection := c.connection(w)
			w.expectsFile(connection, c.file...)
			wantTold(t, w.plan(nil), `WARNING: Account Is Lost at AttributeName("`+c.at+`")`, c.code, c.words...)

			w.has(connection, c.file) // by now it is nothing that a plan brings
			w.nextWalk()
			w.refresh(nil)
			w.expectsFile(connection, append(c.file, "x,somebody,else@example.com,false")...)
			if said := w.plan(nil); said != "" {
				t.Errorf("of what was lost before: %q", said)
			}
		})
	}
}

// TestLossOfADisabledAccount: that it counts as deleted is more than that it is disabled, as it was before.
func TestLossOfADisabledAccount(t *testing.T) {
	t.Parallel()
	const header = "id,username,email,disabled"
	w := newWedding(t, "jane@example.com")
	w.has(w.sales, []string{header, "u-jane,JDOE,,true"})
	w.refresh(nil)
	w.expectsFile(w.sales, header, "u-joe,JOE,,false")
	wantTold(t, w.plan(nil), `WARNING: Account Is Lost at AttributeName("user_id")`, idmap.CodeUserCannotSignIn, "JDOE", "counts as deleted")
}

// TestLossThatCannotBeLookedUp: a server that fails is told of, and nothing is guessed.
func TestLossThatCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "jane@example.com")
	broken := &front{failing: "GET /v1/connections/" + w.sales.ID + "/accounts/", status: http.StatusInternalServerError}
	w.protocol = newProtocolBehind(t, w.scenario.server, broken, nil)
	w.refresh(nil)
	w.expectsFile(w.sales, "id,username", "u-joe,JOE")
	if said := w.plan(nil); !strings.HasPrefix(said, "ERROR") || !strings.Contains(said, "It does not work today.") || strings.Contains(said, "WARNING") {
		t.Errorf("of a server that fails: %q", said)
	}
}

// TestNothingIsLost: where there are no checks, and where the plan brings no accounts but groups.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "jane@example.com")
	quiet := &front{}
	w.protocol = newProtocolBehind(t, w.scenario.server, quiet, fields{"plan_checks": false})
	w.refresh(nil)
	w.expectsFile(w.sales, "id,username", "u-joe,JOE")
	before := len(quiet.asked())
	if said := w.plan(nil); said != "" || len(quiet.asked()) > before {
		t.Errorf("without checks: %q, after %d requests", said, len(quiet.asked())-before)
	}

	w.nextWalk()
	w.refresh(nil)
	w.expectsUpload(w.sales, "groups", "id,name", "g-staff,Staff")
	if said := w.plan(nil); said != "" {
		t.Errorf("of new groups: %q", said)
	}
}

// has uploads the accounts of a connection.
func (w wedding) has(c idmap.Connection, lines []string) {
	w.Helper()
	_, err := w.scenario.server.Client.ImportAccounts(w.Context(), c.ID, 0, "text/csv", []byte(strings.Join(lines, "\n")+"\n"))
	w.scenario.must(err)
}

func (w wedding) application() idmap.Connection    { return w.sales }
func (w wedding) mailConnection() idmap.Connection { return w.mail }
