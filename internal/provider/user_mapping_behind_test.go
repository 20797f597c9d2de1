package provider

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// imports loads the accounts of a connection outside of Terraform.
func (w wedding) imports(connectionID string, rows ...idmap.Account) idmap.ImportReport {
	w.Helper()
	report, err := w.scenario.server.Backend.ImportAccounts(w.Context(), backend.Call{}, connectionID, backend.Import[idmap.Account]{SHA256: fmt.Sprint(rows), Rows: rows})
	w.scenario.must(err)
	return report
}

// authoritative says of a connection whether its directory knows everybody.
func (w wedding) authoritative(id string, does bool) {
	w.Helper()
	_, err := w.scenario.server.Backend.UpdateConnection(w.Context(), backend.Call{}, id, 0, func(c idmap.Connection) (idmap.Connection, error) {
		c.Authoritative = does
		return c, nil
	})
	w.scenario.must(err)
}

// nextWalk begins another plan.
func (w *wedding) nextWalk() { w.protocol = newProtocol(w.T, w.scenario.server) }

// TestRefreshTellsOfAMappingThatIsBehind: the address that the new name would bring is John's.
func TestRefreshTellsOfAMappingThatIsBehind(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "")
	w.authoritative(w.sales.ID, true)
	jane, john := idmap.Account{ID: "m1", Email: "jdoe@example.com"}, idmap.Account{ID: "m2", Email: "jsmith@example.com"}
	w.imports(w.mail.ID, jane, john)
	if said, _ := w.refresh(nil); said != "" {
		t.Errorf("before the wedding: %q", said)
	}
	w.nextWalk()
	report := w.imports(w.sales.ID, idmap.Account{ID: "u-jane", Username: "JSMITH"})
	if len(report.Warnings) != 1 {
		t.Fatalf("the import warns of %v", report.Warnings)
	}
	atConnection := detailAtConnection(report.Warnings[0])
	if strings.Contains(atConnection, "this resource") || strings.Contains(atConnection, "pinned") || !strings.Contains(atConnection, "the mapping's resource (not this connection)") {
		t.Errorf("at the connection stands %q", atConnection)
	}
	for range 2 { // each plan says so, until somebody does something
		said, private := w.refresh(nil)
		wantTold(t, said, `WARNING: User Was Renamed at AttributeName("user_id")`, idmap.CodeAccountRepointed, `"JSMITH"`, "could not follow", "The next import", `set user_id = "JSMITH"`, "moved block")
		if planned := w.plan(private); planned != "" {
			t.Errorf("the plan says %q besides", planned)
		}
		w.nextWalk()
	}
	w.authoritative(w.sales.ID, false)
	if said, _ := w.refresh(nil); said != "" {
		t.Errorf("of a directory that may lack somebody: %q", said)
	}
}

// TestMailFileLetsAMappingFollow: a mapping that was refused is judged again with the new directory of the other side.
func TestMailFileLetsAMappingFollow(t *testing.T) {
	t.Parallel()
	w := newWedding(t, "")
	w.authoritative(w.sales.ID, true)
	w.authoritative(w.mail.ID, true)
	w.imports(w.mail.ID, idmap.Account{ID: "m1", Email: "jdoe@example.com"})
	w.imports(w.sales.ID, idmap.Account{ID: "u-jane", Username: "JSMITH"})
	config := fields{"name": "Mail", "platform": "generic", "authoritative": true, "mail_domain": "example.com"}
	config["accounts_file"] = w.scenario.file("mail.csv", "id,email,aliases", "m1,jdoe@example.com,jsmith@example.com")
	prior := fields{"name": "Mail", "platform": "generic", "authoritative": true, "mail_domain": "example.com", "id": w.mail.ID}
	proposed := maps.Clone(config)
	proposed["id"] = w.mail.ID
	w.fine(nil, w.planResource("idmap_connection", config, prior, proposed, nil).Diagnostics)
	said, private := w.refresh(nil)
	if said != "" {
		t.Errorf("the refresh says %q, which the plan tells better", said)
	}
	wantTold(t, w.plan(private), `WARNING: User Is Renamed at AttributeName("user_id")`, "",
		"could not follow so far", `becomes "JSMITH"`, `becomes "JSMITH@example.com"`, "moved block")
}

// TestAccRenameInBothFiles: whichever is uploaded first, the mapping follows, as the plan says.
func TestAccRenameInBothFiles(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"mail", "sales"} {
		for _, knows := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s first, configured %t", first, knows), func(t *testing.T) {
				s := newScenario(t)
				mail := s.file("mail.csv", "id,email,aliases", "m-jane,jdoe@example.com,")
				sales := s.file("sales.csv", "id,username", "u-jane,JDOE")
				argument := func(connection, file string) string {
					lines := fmt.Sprintf("\n  authoritative = true\n  accounts_file = %q", file)
					if connection != first {
						lines += "\n  depends_on    = [idmap_connection." + first + "]"
					}
					return lines
				}
				config := strings.Replace(connections, `"oracle_sales"`, `"oracle_sales"`+argument("sales", sales), 1)
				config = strings.Replace(config, `"microsoft365"`, `"microsoft365"`+argument("mail", mail), 1)
				old, known := config+mapping("jane", "", "JDOE"), config+mapping("jane", "", "JSMITH")
				wed := resource.TestStep{PreConfig: func() {
					s.write(mail, "id,email,aliases", "m-jane,jsmith@example.com,jdoe@example.com")
					s.write(sales, "id,username", "u-jane,JSMITH")
				}, Config: old, ExpectError: refusal(renamedUser, idmap.CodeUnknownUserID, `from "JDOE" to "JSMITH"`, `set user_id = "JSMITH"`)}
				if knows {
					wed.Config, wed.ExpectError, wed.Check = known, nil, is("JSMITH@example.com", "JSMITH")
				}
				s.run(
					resource.TestStep{Config: old, Check: is("JDOE@example.com", "JDOE")},
					wed,
					resource.TestStep{Config: known, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()), Check: is("JSMITH@example.com", "JSMITH")},
				)
			})
		}
	}
}
