package provider

import (
	"regexp"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var pastedImport = regexp.MustCompile(`import \{[^}]*\}`)

// TestAccImportOfARefusal: the import block in the words about an object that is in the way is right as it stands, but
// for the name of the resource, which Terraform shows above it: with it there is nothing to create and to change.
func TestAccImportOfARefusal(t *testing.T) {
	base := newScenario(t)
	from, to := base.stageConnection("Old", oldAccounts, oldGroups), base.stageConnection("New", newAccounts, newGroups)
	for kind, name := range map[idmap.MapKind]string{idmap.AccountMap: "MOVE", idmap.GroupMap: "TEAMS"} {
		base.stageMap(kind, from, to, idmap.Map{Name: name, MapBy: idmap.MapBy{Name: true}})
	}
	_, _, err := base.server.Client.CreateUserMapping(base.ctx(), "", idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: from}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: to}},
		Email: "jane@example.com", UserID: "JDOE",
	})
	base.must(err)
	_, err = base.server.Client.CreateConnection(base.ctx(), "", idmap.Connection{Name: "LONE", Platform: idmap.PlatformRef{ID: "generic"}})
	base.must(err)
	ids := strings.NewReplacer("idmap_connection.old.id", `"`+from+`"`, "idmap_connection.new.id", `"`+to+`"`,
		"idmap_connection.mail.id", `"`+from+`"`, "idmap_connection.sales.id", `"`+to+`"`)
	s := newStory(base, "")
	config := ""
	for _, c := range []struct{ address, block string }{
		{moveAddress, accountMap("MOVE", byNames)},
		{teamsAddress, groupMap("TEAMS", byNames)},
		{janeAddress, mapping("jane", "JANE@example.com", "jdoe")},
		{"idmap_connection.lone", connection("lone", "LONE", "generic")},
	} {
		block := ids.Replace(c.block)
		s.configure(config + block)
		refused := s.Run(s, "plan")
		found := pastedImport.FindString(refused.Stderr)
		if resource, _, _ := strings.Cut(c.address, "."); refused.Code != 1 || !strings.Contains(refused.Stderr, c.address) || !strings.Contains(found, "to = "+resource+".<name>") {
			t.Errorf("%s: %v", c.address, refused)
			continue
		}
		_, name, _ := strings.Cut(c.address, ".")
		s.configure(config + block + strings.ReplaceAll(found, "<name>", name))
		if o := s.Must(s, "apply", "-auto-approve"); !strings.Contains(o.Stdout, "1 imported, 0 added, 0 changed, 0 destroyed") {
			t.Errorf("%s, imported: %v", c.address, o)
		}
		config += block
	}
	s.configure(config)
	s.nothing()
}

// TestAccNameMadeAnew: somebody deleted a connection and a map, and made others of the same names. The words say that
// Terraform has to forget the old ones before the import that they contain can do anything; and it then does.
func TestAccNameMadeAnew(t *testing.T) {
	base := newScenario(t)
	from, to := base.stageConnection("Old", oldAccounts, oldGroups), base.stageConnection("New", newAccounts, newGroups)
	ids := strings.NewReplacer("idmap_connection.old.id", `"`+from+`"`, "idmap_connection.new.id", `"`+to+`"`)
	config := ids.Replace(accountMap("Move", byNames)) + connection("lone", "Lone", "generic")
	s := newStory(base, config)
	s.Must(s, "apply", "-auto-approve")
	gone := []string{s.connectionNamed("Lone").ID, s.theMap().ID}
	s.must(s.server.Client.DeleteConnection(s.ctx(), gone[0], 0))
	_, err := s.server.Client.CreateConnection(s.ctx(), "", idmap.Connection{Name: "Lone", Platform: idmap.PlatformRef{ID: "box"}})
	s.must(err)
	s.must(s.server.Client.DeleteMap(s.ctx(), idmap.AccountMap, gone[1], 0))
	s.stageMap(idmap.AccountMap, from, to, idmap.Map{Name: "Move", MapBy: idmap.MapBy{ID: true}})

	refused := s.Run(s, "plan")
	for _, words := range append(gone, "It was made anew", "terraform apply -refresh-only", "to = idmap_connection.<name>", "to = idmap_account_map.<name>") {
		if !strings.Contains(refused.Stderr, words) || !strings.Contains(refused.Stderr, "Code: name_in_use") {
			t.Errorf("the words lack %q: %v", words, refused)
		}
	}
	for _, block := range pastedImport.FindAllString(refused.Stderr, -1) {
		config += strings.NewReplacer("idmap_connection.<name>", "idmap_connection.lone", "idmap_account_map.<name>", moveAddress).Replace(block) + "\n"
	}
	s.configure(strings.Replace(config, `"generic"`, `"box"`, 1))
	if o := s.Run(s, "plan"); o.Code != 1 || !strings.Contains(o.Stderr, "It was made anew") {
		t.Errorf("the import was not skipped: %v", o)
	}
	s.Must(s, "apply", "-refresh-only", "-auto-approve")
	if o := s.Must(s, "apply", "-auto-approve"); !strings.Contains(o.Stdout, "2 imported, 0 added, 1 changed, 0 destroyed") {
		t.Errorf("after that the imports do %v", o)
	}
	s.nothing()
}
