package provider

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const mailAddress = "idmap_connection.mail"

// connection is one idmap_connection. Lines are further arguments.
func connection(resourceName, name, platform string, lines ...string) string {
	text := fmt.Sprintf("resource \"idmap_connection\" %q {\n  name     = %q\n  platform = %q\n", resourceName, name, platform)
	for _, line := range lines {
		text += "  " + line + "\n"
	}
	return text + "}\n"
}

func (s scenario) theConnection() idmap.Connection {
	s.Helper()
	all, err := collect(s.server.Client.Connections(s.ctx(), client.ConnectionFilter{}))
	s.must(err)
	if len(all) != 1 {
		s.Fatalf("the backend has %d connections", len(all))
	}
	return all[0]
}

func TestAccConnectionLife(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{
			Config:           connection("mail", "Mail", "generic"),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionCreate)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(mailAddress, "name", "Mail"),
				resource.TestCheckResourceAttr(mailAddress, "authoritative", "false"),
				resource.TestCheckNoResourceAttr(mailAddress, "mail_domain"),
				resource.TestCheckNoResourceAttr(mailAddress, "accounts_sha256"),
			),
		},
		resource.TestStep{ResourceName: mailAddress, ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: mailAddress, ImportState: true, ImportStateVerify: true, ImportStateId: "MAIL"},
		resource.TestStep{ResourceName: mailAddress, ImportState: true, ImportStateId: "Nothing", ExpectError: refusal("Object Not Found", "", "Nothing")},
		resource.TestStep{ResourceName: mailAddress, ImportState: true, ImportStateId: " ", ExpectError: refusal("Invalid Import ID", "", "blank")},
		resource.TestStep{
			Config:           connection("mail", "Contoso Mail", "generic", `mail_domain = "Contoso.com"`, `authoritative = true`),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckResourceAttr(mailAddress, "mail_domain", "Contoso.com"),
		},
		resource.TestStep{
			PreConfig: func() {
				c := s.theConnection()
				c.Authoritative, c.Revision = false, 0
				_, err := s.server.Client.UpdateConnection(s.ctx(), c)
				s.must(err)
			},
			Config:           connection("mail", "Contoso Mail", "generic", `authoritative = true`),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionUpdate)),
			Check:            resource.TestCheckNoResourceAttr(mailAddress, "mail_domain"),
		},
		resource.TestStep{
			PreConfig:        func() { s.must(s.server.Client.DeleteConnection(s.ctx(), s.theConnection().ID, 0)) },
			Config:           connection("mail", "Contoso Mail", "generic"),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionCreate)),
		},
		resource.TestStep{
			Config:           connection("mail", "Contoso Mail", "box"),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionReplace)),
		},
		resource.TestStep{
			Taint: []string{mailAddress}, Config: connection("mail", "Contoso Mail", "box"),
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionReplace)),
		},
		resource.TestStep{Config: connection("mail", "New Mail", "box")},
		resource.TestStep{
			// The name that another connection had once: its id, or the key of its create, must not bring that one back.
			Config: connection("mail", "New Mail", "box") + connection("next", "Contoso Mail", "box"),
			Check:  resource.TestCheckResourceAttr("idmap_connection.next", "name", "Contoso Mail"),
		},
	)
}

// TestAccConnectionNameOfAnother: a renamed connection keeps the id that was made from its first name.
func TestAccConnectionNameOfAnother(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connection("mail", "Mail", "generic")},
		resource.TestStep{Config: connection("mail", "Old Mail", "generic")},
		resource.TestStep{
			Config:           connection("mail", "Old Mail", "generic") + connection("next", "Mail", "generic"),
			ConfigPlanChecks: planned(plancheck.ExpectUnknownValue("idmap_connection.next", idPath)),
		},
	)
}

// TestAccConnectionIsReplacedWithItsMappings: they refer to it, so they go before it and come after it.
func TestAccConnectionIsReplacedWithItsMappings(t *testing.T) {
	s := newScenario(t)
	config := func(platform string) string {
		return connection("mail", "Mail", "generic") + connection("sales", "Sales", platform) + mapping("jane", "jane@example.com", "JDOE")
	}
	s.run(
		resource.TestStep{Config: config("generic")},
		resource.TestStep{
			Config: config("oracle_sales"),
			ConfigPlanChecks: planned(
				action("idmap_connection.sales", plancheck.ResourceActionReplace),
				action(janeAddress, plancheck.ResourceActionReplace)),
			Check: s.count(1),
		},
	)
}

func TestAccConnectionNames(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{
			Config:      connection("mail", "Straße", "generic") + connection("twin", "STRASSE", "generic"),
			PlanOnly:    true,
			ExpectError: refusal("Claimed Twice", idmap.CodeNameInUse, "Straße"),
		},
		resource.TestStep{
			PreConfig: func() {
				_, err := s.server.Client.CreateConnection(s.ctx(), "", idmap.Connection{Name: "Taken", Platform: idmap.PlatformRef{ID: "generic"}})
				s.must(err)
			},
			Config:      connection("mail", "TAKEN", "generic"),
			PlanOnly:    true,
			ExpectError: refusal("Name Already in Use", idmap.CodeNameInUse, "import {", "to = idmap_connection.<name>"),
		},
	)
}

func TestAccConnectionRenameToATakenName(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connection("mail", "Mail", "generic")},
		resource.TestStep{
			PreConfig: func() {
				_, err := s.server.Client.CreateConnection(s.ctx(), "", idmap.Connection{Name: "Taken", Platform: idmap.PlatformRef{ID: "generic"}})
				s.must(err)
			},
			Config:      connection("mail", "TAKEN", "generic"),
			PlanOnly:    true,
			ExpectError: refusal("Name Already in Use", idmap.CodeNameInUse),
		},
		resource.TestStep{Config: connection("mail", "MAIL", "generic")},
	)
}

// TestAccConnectionContentOfBefore: see TestAccUserMappingContentOfBefore. Without plan checks the backend chooses ids.
func TestAccConnectionContentOfBefore(t *testing.T) {
	s := newScenario(t)
	s.runOn(s.server.URL, "  plan_checks = false",
		resource.TestStep{
			Config:           connection("mail", "Mail", "generic"),
			ConfigPlanChecks: planned(plancheck.ExpectUnknownValue(mailAddress, idPath)),
		},
		resource.TestStep{Config: connection("mail", "Old Mail", "generic")},
		resource.TestStep{
			PreConfig: func() { time.Sleep(time.Second) },
			Config:    connection("mail", "Old Mail", "generic") + connection("next", "Mail", "generic"),
			Check:     resource.TestCheckResourceAttr("idmap_connection.next", "name", "Mail"),
		},
	)
}

// TestAccConnectionUploadFails: the connection is there and its directory is not. The next apply takes it up.
func TestAccConnectionUploadFails(t *testing.T) {
	s := newScenario(t)
	accounts := s.file("accounts.csv", "id,username", "1,jane")
	config := connection("mail", "Mail", "generic", fmt.Sprintf("accounts_file = %q", accounts))
	var down atomic.Bool
	down.Store(true)
	endpoint := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/import") || !down.Load() {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, ExpectError: refusal("Mapping Backend Unreachable", "")},
		resource.TestStep{
			PreConfig:        func() { s.theConnection(); down.Store(false) },
			Config:           config,
			ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionCreate)),
			Check:            resource.TestCheckResourceAttrSet(mailAddress, "accounts_sha256"),
		},
	)
}

// TestAccConnectionLostAnswer: a create whose answer was lost is taken up by the next apply.
func TestAccConnectionLostAnswer(t *testing.T) {
	s := newScenario(t)
	var cut atomic.Bool
	cut.Store(true)
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !cut.Load() {
			return false
		}
		s.server.Handler.ServeHTTP(&lostWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
	config := connection("mail", "Mail", "generic")
	s.runOn(endpoint, "",
		resource.TestStep{Config: config, ExpectError: refusal("Mapping Backend Unreachable", "")},
		resource.TestStep{
			PreConfig: func() { s.theConnection(); cut.Store(false) },
			Config:    config, ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionCreate)),
		},
	)
}

func TestAccConnectionFiles(t *testing.T) {
	s := newScenario(t)
	accounts := s.file("accounts.csv", "id,username,email", "1,jane,jane@example.com")
	groups := s.file("groups.jsonl", `{"id":"g","name":"staff","addresses":["staff@example.com"]}`)
	config := connection("mail", "Mail", "generic", fmt.Sprintf("accounts_file = %q", accounts), fmt.Sprintf("groups_file = %q", groups))
	update := planned(action(mailAddress, plancheck.ResourceActionUpdate))
	s.run(
		resource.TestStep{
			Config: config,
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttrSet(mailAddress, "accounts_sha256"),
				resource.TestCheckResourceAttrSet(mailAddress, "groups_sha256"),
			),
		},
		resource.TestStep{
			PreConfig:        func() { s.write(accounts, "id,username,email", "1,jane,jane@example.com", "2,john,john@example.com") },
			Config:           config,
			ConfigPlanChecks: update,
		},
		resource.TestStep{
			// Edited behind Terraform's back: the file comes again.
			PreConfig: func() {
				_, _, err := s.server.Client.PutAccount(s.ctx(), s.theConnection().ID, idmap.Account{ID: "2", Username: "mallory"})
				s.must(err)
			},
			Config:           config,
			ConfigPlanChecks: update,
		},
		resource.TestStep{
			PreConfig: func() {
				account, err := s.server.Client.Account(s.ctx(), s.theConnection().ID, "2")
				s.must(err)
				if account.Username != "john" {
					s.Errorf("the account is called %q", account.Username)
				}
				s.write(accounts, "id,username,email", "1,jane,jane@example.com", ",nobody,nobody@example.com", "3,x,not an address")
			},
			Config:      config,
			ExpectError: refusal("Invalid Directory File", "", "accounts.csv", "- Line 3", "- Line 4"),
		},
		resource.TestStep{
			// Back to the file that was uploaded first: the same content may come twice.
			PreConfig:        func() { s.write(accounts, "id,username,email", "1,jane,jane@example.com") },
			Config:           config,
			ConfigPlanChecks: update,
		},
		resource.TestStep{
			// The file is left out: the directory stays.
			Config: connection("mail", "Mail", "generic"),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckNoResourceAttr(mailAddress, "accounts_sha256"),
				resource.TestCheckNoResourceAttr(mailAddress, "groups_sha256"),
			),
		},
		resource.TestStep{
			PreConfig: func() {
				all, err := collect(s.server.Client.Accounts(s.ctx(), s.theConnection().ID, client.DirectoryFilter{}))
				s.must(err)
				if len(all) == 0 {
					s.Error("the directory is gone")
				}
			},
			Config: connection("mail", "Mail", "generic"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
	)
}

// TestAccConnectionMissingFile is an error, unless only the file went away: then nothing changes.
func TestAccConnectionMissingFile(t *testing.T) {
	s := newScenario(t)
	accounts := s.file("accounts.csv", "id,username", "1,jane")
	config := func(file string) string {
		return connection("mail", "Mail", "generic", fmt.Sprintf("accounts_file = %q", file))
	}
	s.run(
		resource.TestStep{Config: config("missing.csv"), ExpectError: refusal("Directory File Unreadable", "", "${path.module}")},
		resource.TestStep{Config: config("accounts.xlsx"), ExpectError: refusal("Unknown Directory Format", "")},
		resource.TestStep{Config: config(accounts)},
		resource.TestStep{
			PreConfig: func() { s.remove(accounts) },
			Config:    config(accounts), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
		resource.TestStep{Config: config("missing.csv"), ExpectError: refusal("Directory File Unreadable", "")},
	)
}

// TestAccConnectionFileChangedSincePlan: the plan was approved for another file, so nothing is uploaded.
func TestAccConnectionFileChangedSincePlan(t *testing.T) {
	s := newScenario(t)
	accounts := s.file("accounts.csv", "id,username", "1,jane")
	var armed atomic.Bool
	endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Path == "/v1/user_mappings" && armed.CompareAndSwap(true, false) {
			s.write(accounts, "id,username", "1,mallory")
		}
		return false
	})
	// The mapping is made before the connection is updated, so the file changes in the middle of the apply.
	config := func(lines ...string) string {
		return connection("other", "Other", "generic", lines...) + connections
	}
	last := fmt.Sprintf("accounts_file = %q\n  depends_on = [idmap_user_mapping.jane]", accounts)
	s.runOn(endpoint, "",
		resource.TestStep{Config: config()},
		resource.TestStep{
			PreConfig: func() { armed.Store(true) },
			Config:    config(last) + mapping("jane", "jane@example.com", "JDOE"),
			// Terraform plans again before it applies, and says this itself.
			ExpectError: refusal("inconsistent final plan", "", "accounts_sha256"),
		},
	)
}

// TestAccConnectionDirectoryChangedSincePlan: what somebody else wrote into the directory after the plan had seen it is not
// overwritten, whenever that was.
func TestAccConnectionDirectoryChangedSincePlan(t *testing.T) {
	t.Parallel()
	for name, moment := range map[string]struct{ method, path string }{
		"before the update":  {http.MethodPut, "/v1/connections/"},
		"before the uploads": {http.MethodPost, "/v1/connections/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			accounts, groups := s.file("accounts.csv", "id,username", "1,jane"), s.file("groups.csv", "id,name", "g,staff")
			config := connection("mail", "Mail", "generic", fmt.Sprintf("accounts_file = %q", accounts), fmt.Sprintf("groups_file = %q", groups))
			var armed atomic.Bool
			endpoint := s.behind(func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == moment.method && strings.HasPrefix(r.URL.Path, moment.path) && armed.CompareAndSwap(true, false) {
					_, _, err := s.server.Client.PutAccount(s.ctx(), s.theConnection().ID, idmap.Account{ID: "1", Username: "joan"})
					s.must(err)
				}
				return false
			})
			s.runOn(endpoint, "",
				resource.TestStep{Config: config},
				resource.TestStep{
					PreConfig: func() {
						s.write(accounts, "id,username", "1,jane", "2,john")
						s.write(groups, "id,name", "g,all staff")
						armed.Store(true)
					},
					Config: config, ExpectError: refusal("Object Changed Since Plan", idmap.CodeRevisionConflict),
				},
				resource.TestStep{
					PreConfig: func() {
						account, err := s.server.Client.Account(s.ctx(), s.theConnection().ID, "1")
						s.must(err)
						if account.Username != "joan" {
							s.Errorf("the account is called %q", account.Username)
						}
					},
					Config: config, ConfigPlanChecks: planned(action(mailAddress, plancheck.ResourceActionUpdate)),
				},
			)
		})
	}
}

// TestChangedSincePlan: an update of the connection's own fields makes a revision, and any other is somebody else's.
func TestChangedSincePlan(t *testing.T) {
	t.Parallel()
	state := connectionModel{Name: types.StringValue("Mail"), Platform: types.StringValue("generic")}
	renamed := state
	renamed.Name = types.StringValue("New Mail")
	for _, test := range []struct {
		plan      connectionModel
		seen, now int64
		refused   bool
	}{
		{state, 3, 3, false},
		{state, 3, 4, true},
		{state, 3, 2, true},
		{state, 0, 4, false},
		{renamed, 3, 4, false},
		{renamed, 3, 3, false},
		{renamed, 3, 5, true},
	} {
		err := changedSincePlan(test.plan, state, test.seen, idmap.Connection{Revision: test.now})
		if idmap.IsKind(err, idmap.KindRevision) != test.refused || (err != nil) != test.refused {
			t.Errorf("%q, revision %d of which %d was seen: %v", test.plan.Name.ValueString(), test.now, test.seen, err)
		}
	}
}

func TestAccConnectionInUse(t *testing.T) {
	s := newScenario(t)
	s.run(
		resource.TestStep{Config: connection("mail", "Mail", "generic")},
		resource.TestStep{
			PreConfig: func() {
				app, err := s.server.Client.CreateConnection(s.ctx(), "", idmap.Connection{Name: "App", Platform: idmap.PlatformRef{ID: "generic"}})
				s.must(err)
				all, err := collect(s.server.Client.Connections(s.ctx(), client.ConnectionFilter{Name: "Mail"}))
				s.must(err)
				_, _, err = s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
					Source:      idmap.MappingEnd{Connection: idmap.Ref{ID: all[0].ID}},
					Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: app.ID}}, Email: "jane@example.com", UserID: "JDOE",
				})
				s.must(err)
			},
			Config: connection("mail", "Mail", "generic"), Destroy: true,
			ExpectError: refusal("Connection Is in Use", idmap.CodeConnectionInUse),
		},
		resource.TestStep{
			PreConfig: func() { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.theMapping().ID, 0)) },
			Config:    connection("mail", "Mail", "generic"),
		},
	)
}

func TestAccConnectionBadInput(t *testing.T) {
	s := newScenario(t)
	var steps []resource.TestStep
	for _, test := range []struct {
		config  string
		summary string
		code    idmap.Code
	}{
		{connection("mail", "", "generic"), "Invalid Value", idmap.CodeInvalid},
		{connection("mail", "Mail", "lotus_notes"), "Invalid Attribute Value Match", ""},
		{connection("mail", "Mail", "generic", `mail_domain = "not a domain"`), "Invalid Value", idmap.CodeInvalid},
		{connection("mail", "Mail", "generic", `mail_domain = ""`), "Invalid Attribute Value Length", ""},
	} {
		steps = append(steps, resource.TestStep{Config: test.config, PlanOnly: true, ExpectError: refusal(test.summary, test.code)})
	}
	s.run(steps...)
}
