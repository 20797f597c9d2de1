package provider

import (
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

// has uploads the accounts of a connection.
func (w wedding) has(c idmap.Connection, lines []string) {
	w.Helper()
	_, err := w.scenario.server.Client.ImportAccounts(w.Context(), c.ID, 0, "text/csv", []byte(strings.Join(lines, "\n")+"\n"))
	w.scenario.must(err)
}

func (w wedding) application() idmap.Connection    { return w.sales }
func (w wedding) mailConnection() idmap.Connection { return w.mail }
