package provider

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestLostEmailIsForeseen: an account that stays, without the address of its mapping.
func TestLostEmailIsForeseen(t *testing.T) {
	t.Parallel()
	const header = "id,email,aliases"
	for name, c := range map[string]struct {
		email         string // of the mapping; "": it follows the username
		authoritative bool
		file          []string // that the plan brings
		lost          bool
	}{
		"lost":                               {"jane@example.com", true, []string{header, "m-jane,jane.doe@example.com,"}, true},
		"an alias now":                       {"jane@example.com", true, []string{header, "m-jane,jane.doe@example.com,JANE@example.com"}, false},
		"in a directory that may lack some":  {"jane@example.com", false, []string{header, "m-jane,jane.doe@example.com,"}, false},
		"an email that follows the username": {"", true, []string{header, "m-jane,jane.doe@example.com,"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWedding(t, c.email)
			w.has(w.mail, []string{header, "m-jane,jane@example.com,jdoe@example.com"})
			w.authoritative(w.mail.ID, c.authoritative)
			w.mail.Authoritative = c.authoritative
			w.refresh(nil)
			w.expectsFile(w.mail, c.file...)
			said := w.plan(nil)
			if c.lost {
				wantTold(t, said, `WARNING: Email Is Lost at AttributeName("email")`, idmap.CodeUnknownEmail, `"Mail" does not give`, "jane@example.com", "aliases")
			} else if said != "" {
				t.Errorf("nothing is lost, and the plan says %q", said)
			}
			w.has(w.mail, c.file)
			w.nextWalk()
			w.refresh(nil)
			w.expectsFile(w.mail, append(c.file, "x,else@example.com,")...)
			if said := w.plan(nil); said != "" {
				t.Errorf("of what was lost before: %q", said)
			}
		})
	}
}
