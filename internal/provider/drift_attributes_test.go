package provider

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// connectionNamed returns a connection by its name.
func (s scenario) connectionNamed(name string) idmap.Connection {
	s.Helper()
	found, err := connectionByIDOrName(s.ctx(), s.server.Client, name)
	s.must(err)
	return found
}

// imports brings a directory behind Terraform's back.
func (s scenario) imports(connection, accounts string) {
	s.Helper()
	_, err := s.server.Client.ImportAccounts(s.ctx(), s.connectionNamed(connection).ID, 0, "text/csv", []byte(accounts))
	s.must(err)
}

// connectionBecomes changes a connection behind Terraform's back.
func connectionBecomes(name string, change func(*idmap.Connection)) func(*story) {
	return func(s *story) {
		s.Helper()
		c := s.connectionNamed(name)
		change(&c)
		_, err := s.server.Client.UpdateConnection(s.ctx(), c)
		s.must(err)
	}
}

// TestAccConnectionAttributesDrift: a connection with all arguments, one with none, and one whose directory comes from
// elsewhere.
func TestAccConnectionAttributesDrift(t *testing.T) {
	base := newScenario(t)
	accounts := base.file("accounts.csv", "id,username,email", "1,jane,jane@example.com", "2,john,john@example.com")
	groups := base.file("groups.csv", "id,name", "g,staff")
	s := newStory(base, connection("full", "Full", "microsoft365", "authoritative = true", `mail_domain = "example.com"`,
		fmt.Sprintf("accounts_file = %q", accounts), fmt.Sprintf("groups_file = %q", groups),
		"sign_in_disabled = true", `sign_in_mapping = "require"`, `on_sign_out = "remove"`, "sign_in_history_days = 30")+
		connection("bare", "Bare", "generic"))
	account := func(s *story, of string, a idmap.Account) {
		s.Helper()
		_, _, err := s.server.Client.PutAccount(s.ctx(), s.connectionNamed(of).ID, a)
		s.must(err)
	}
	checkDrifts(&s, "idmap_connection", []drift{
		{attribute: "id", never: "another id is another connection"},
		{attribute: "name", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.Name = "Other" })},
		{attribute: "name", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.Name = "BARE" })}, // people see it
		{
			attribute: "platform", never: "the backend refuses it", code: idmap.CodeImmutable,
			refused: func(s *story) error {
				c := s.connectionNamed("Bare")
				c.Platform.ID = "box"
				_, err := s.server.Client.UpdateConnection(s.ctx(), c)
				return err
			},
		},
		{attribute: "authoritative", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.Authoritative = false })},
		{attribute: "authoritative", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.Authoritative = true })},
		{attribute: "mail_domain", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.MailDomain = "example.org" })},
		{attribute: "mail_domain", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.MailDomain = "" })},
		{attribute: "mail_domain", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.MailDomain = "example.org" })},
		{attribute: "sign_in_disabled", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.SignInDisabled = false })},
		{attribute: "sign_in_disabled", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.SignInDisabled = true })},
		{attribute: "sign_in_mapping", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.SignInMapping = "" })},
		{attribute: "sign_in_mapping", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.SignInMapping = idmap.SignInRequires })},
		{attribute: "on_sign_out", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.OnSignOut = idmap.OnSignOutKeep })},
		{attribute: "on_sign_out", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.OnSignOut = idmap.OnSignOutRemove })},
		{attribute: "sign_in_history_days", of: "full", behind: connectionBecomes("Full", func(c *idmap.Connection) { c.SignInHistoryDays = 0 })},
		{attribute: "sign_in_history_days", of: "bare", behind: connectionBecomes("Bare", func(c *idmap.Connection) { c.SignInHistoryDays = 7 })},
		{attribute: "accounts_file", never: "it is a path of the user's, which the backend is not told"},
		{attribute: "groups_file", never: "it is a path of the user's, which the backend is not told"},
		{attribute: "accounts_sha256", of: "full", behind: func(s *story) { account(s, "Full", idmap.Account{ID: "1", Username: "mallory"}) }},
		{attribute: "accounts_sha256", of: "full", behind: func(s *story) { account(s, "Full", idmap.Account{ID: "3", Username: "new"}) }},
		{attribute: "accounts_sha256", of: "full", behind: func(s *story) {
			s.must(s.server.Client.DeleteAccount(s.ctx(), s.connectionNamed("Full").ID, "2", 0))
		}},
		{attribute: "accounts_sha256", of: "full", behind: func(s *story) {
			s.imports("Full", "id,username\n1,mallory\n")
		}},
		{attribute: "groups_sha256", of: "full", behind: func(s *story) {
			_, err := s.server.Client.PutGroup(s.ctx(), s.connectionNamed("Full").ID, idmap.Group{ID: "g", Name: "all"})
			s.must(err)
		}},
		{attribute: "groups_sha256", of: "full", behind: func(s *story) {
			s.must(s.server.Client.DeleteGroup(s.ctx(), s.connectionNamed("Full").ID, "g", 0))
		}},
		{attribute: "groups_sha256", of: "full", behind: func(s *story) {
			_, err := s.server.Client.ImportGroups(s.ctx(), s.connectionNamed("Full").ID, 0, "text/csv", []byte("id,name\nh,others\n"))
			s.must(err)
		}},
	})
	all, err := collect(s.server.Client.Accounts(s.ctx(), s.connectionNamed("Full").ID, client.DirectoryFilter{}))
	s.must(err)
	if len(all) < 2 || all[0].Username != "jane" || all[0].Email != "jane@example.com" {
		s.Errorf("after the last upload the directory has %+v", all)
	}
	// A directory that no file of the configuration brings is not Terraform's.
	account(&s, "Bare", idmap.Account{ID: "1", Username: "jane"})
	_, err = s.server.Client.ImportGroups(s.ctx(), s.connectionNamed("Bare").ID, 0, "text/csv", []byte("id,name\nh,others\n"))
	s.must(err)
	s.nothing()
}

// mappingOf returns the one mapping that is found by these letters.
func (s scenario) mappingOf(letters string) idmap.UserMapping {
	s.Helper()
	all, err := collect(s.server.Client.UserMappings(s.ctx(), idmap.UserMappingFilter{Query: letters}))
	s.must(err)
	if len(all) != 1 {
		s.Fatalf("%d mappings are found by %q", len(all), letters)
	}
	return all[0]
}

// putMapping changes a mapping.
func (s scenario) putMapping(letters string, change func(*idmap.UserMapping)) error {
	s.Helper()
	m := s.mappingOf(letters)
	change(&m)
	_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
	return err
}

// mappingBecomes changes a mapping behind Terraform's back.
func mappingBecomes(letters string, change func(*idmap.UserMapping)) func(*story) {
	return func(s *story) {
		s.Helper()
		s.must(s.putMapping(letters, change))
	}
}

// TestAccUserMappingAttributesDrift: a mapping with all arguments, and one whose email follows its username.
func TestAccUserMappingAttributesDrift(t *testing.T) {
	s := newStory(newScenario(t), connections)
	s.Must(s, "apply", "-auto-approve")
	s.imports("Mail", "id,username,email,aliases\nm-jane,jane,jane@example.com,jane.doe@example.com\nm-john,john,john@example.com,\n")
	s.imports("Sales", "id,username\nu-jane,JDOE\nu-john,JROE\n")
	s.configure(connections +
		mapping("jane", "jane@example.com", "JDOE", `source_account_id = "m-jane"`, `destination_account_id = "u-jane"`) + mapping("john", "", "JROE"))
	other := func(change func(*idmap.UserMapping)) func(*story) error {
		return func(s *story) error { return s.putMapping("jdoe", change) }
	}
	elsewhere := s.stageConnection("Elsewhere", "", "")
	checkDrifts(&s, "idmap_user_mapping", []drift{
		{attribute: "id", never: "another id is another mapping"},
		{
			attribute: "source_connection_id", never: "the backend refuses it", code: idmap.CodeAccountRepointed,
			refused: other(func(m *idmap.UserMapping) { m.Source = idmap.MappingEnd{Connection: idmap.Ref{ID: elsewhere}} }),
		},
		{
			attribute: "destination_connection_id", never: "the backend refuses it", code: idmap.CodeAccountRepointed,
			refused: other(func(m *idmap.UserMapping) { m.Destination = idmap.MappingEnd{Connection: idmap.Ref{ID: elsewhere}} }),
		},
		{attribute: "email", of: "jane", behind: mappingBecomes("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" })},
		{attribute: "email_source", of: "john", behind: mappingBecomes("jroe", func(m *idmap.UserMapping) { m.EmailSource = idmap.EmailExplicit })},
		{
			attribute: "email_source", of: "john", also: []string{"email"},
			behind: mappingBecomes("jroe", func(m *idmap.UserMapping) { m.EmailSource, m.Email = idmap.EmailExplicit, "john.roe@example.com" }),
		},
		{
			attribute: "user_id", of: "jane",
			behind: mappingBecomes("jdoe", func(m *idmap.UserMapping) { m.UserID = "JSMITH" }),
		},
		{
			attribute: "source_account_id", never: "the backend refuses it", code: idmap.CodeAccountRepointed,
			refused: other(func(m *idmap.UserMapping) { m.Source.Account = idmap.RefTo("m-john") }),
		},
		{
			attribute: "destination_account_id", never: "the backend refuses it", code: idmap.CodeAccountRepointed,
			refused: other(func(m *idmap.UserMapping) { m.Destination.Account = idmap.RefTo("u-john") }),
		},
		{attribute: "origin", never: "it says what made the mapping, which is past"},
	})
}

// TestAccUserMappingsAttributesDrift: one attribute has all that the backend knows.
func TestAccUserMappingsAttributesDrift(t *testing.T) {
	s := newStory(newScenario(t), connections+bulk("all", `JDOE = "jane@example.com", JROE = null`))
	never := func(attribute, why string) drift { return drift{attribute: attribute, never: why} }
	checkDrifts(&s, "idmap_user_mappings", []drift{
		never("id", "it is made from the ids of the connections"),
		never("source_connection_id", "the backend refuses it for each mapping, as the table of a single one shows"),
		never("destination_connection_id", "the backend refuses it for each mapping, as the table of a single one shows"),
		never("adopt_existing", "it is a wish of the user's, which the backend is not told"),
		never("keep_removed", "it is a wish of the user's, which the backend is not told"),
		{attribute: "mappings", of: "all", behind: mappingBecomes("jdoe", func(m *idmap.UserMapping) { m.Email = "jane.doe@example.com" })},
		{attribute: "mappings", of: "all", behind: mappingBecomes("jroe", func(m *idmap.UserMapping) { m.EmailSource = idmap.EmailExplicit })},
		{attribute: "mappings", of: "all", behind: mappingBecomes("jdoe", func(m *idmap.UserMapping) { m.UserID = "JSMITH" })},
		{attribute: "mappings", of: "all", behind: func(s *story) { s.must(s.server.Client.DeleteUserMapping(s.ctx(), s.mappingOf("jroe").ID, 0)) }},
	})
}

// mapNamed returns a map by its name, with its items.
func (s scenario) mapNamed(kind idmap.MapKind, name string) idmap.Map {
	s.Helper()
	all, err := collect(s.server.Client.Maps(s.ctx(), kind, client.MapFilter{Name: name}))
	s.must(err)
	if len(all) != 1 {
		s.Fatalf("%d maps are called %q", len(all), name)
	}
	found, err := s.server.Client.Map(s.ctx(), kind, all[0].ID)
	s.must(err)
	return found
}

// mapDrifts makes the lines of a table about maps of one kind.
type mapDrifts struct {
	kind idmap.MapKind
	name map[string]string // by the name of the resource
}

// line is the drift of an attribute of a map.
func (d mapDrifts) line(attribute, of string, change func(*idmap.Map)) drift {
	return drift{attribute: attribute, of: of, behind: func(s *story) {
		s.Helper()
		s.must(d.put(s, of, change))
	}}
}

func (d mapDrifts) put(s *story, of string, change func(*idmap.Map)) error {
	s.Helper()
	m := s.mapNamed(d.kind, d.name[of])
	change(&m)
	_, _, err := s.server.Client.UpdateMap(s.ctx(), d.kind, m)
	return err
}

// common are the lines that both kinds have: of a map with all arguments, and of one with no more than it must have.
func (d mapDrifts) common(elsewhere *string) []drift {
	refused := func(change func(*idmap.Map)) func(*story) error {
		return func(s *story) error { return d.put(s, "full", change) }
	}
	exclude := func(m *idmap.Map, at idmap.Location, names ...string) {
		var all []idmap.MapExclusion
		for _, e := range *m.Exclusions {
			if e.Location != at {
				all = append(all, e)
			}
		}
		for _, name := range names {
			all = append(all, idmap.MapExclusion{Location: at, SID: idmap.Principal{Name: name}})
		}
		m.Exclusions = &all
	}
	subject, target := "john", "JROE"
	defaultName, other, left := "default_account", "T1", "T2"
	if d.kind == idmap.GroupMap {
		subject, target, defaultName, other, left = "sales", "sellers", "default_group", "ng-3", "ng-4"
	}
	return []drift{
		{attribute: "id", never: "another id is another map"},
		d.line("name", "bare", func(m *idmap.Map) { m.Name = "Other" }),
		{
			attribute: "source_connection_id", never: "the backend refuses it", code: idmap.CodeImmutable,
			refused: refused(func(m *idmap.Map) { m.Source.Connection.ID = *elsewhere }),
		},
		{
			attribute: "destination_connection_id", never: "the backend refuses it", code: idmap.CodeImmutable,
			refused: refused(func(m *idmap.Map) { m.Destination.Connection.ID = *elsewhere }),
		},
		d.line("match.ids", "full", func(m *idmap.Map) { m.MapBy.ID = true }),
		d.line("match.names", "full", func(m *idmap.Map) { m.MapBy.Name = false }),
		d.line("exceptions", "full", func(m *idmap.Map) { m.Exceptions = pairs(subject, other) }),
		d.line("exceptions", "full", func(m *idmap.Map) { *m.Exceptions = append(*m.Exceptions, (*pairs(subject, target))[0]) }),
		d.line("exceptions", "full", func(m *idmap.Map) { m.Exceptions = pairs() }),
		d.line("exceptions", "bare", func(m *idmap.Map) { m.Exceptions = pairs(subject, target) }),
		d.line("source_exclusions", "full", func(m *idmap.Map) { exclude(m, idmap.LocationSource) }),
		d.line("source_exclusions", "bare", func(m *idmap.Map) { exclude(m, idmap.LocationSource, subject) }),
		d.line("destination_exclusions", "full", func(m *idmap.Map) { exclude(m, idmap.LocationDestination, left) }),
		d.line("destination_exclusions", "bare", func(m *idmap.Map) { exclude(m, idmap.LocationDestination, left) }),
		d.line(defaultName, "full", func(m *idmap.Map) { m.Destination.Default = &idmap.Principal{Name: other} }),
		d.line(defaultName, "full", func(m *idmap.Map) { m.Destination.Default = nil }),
		d.line(defaultName, "bare", func(m *idmap.Map) { m.Destination.Default = &idmap.Principal{Name: other} }),
		d.line("unmapped_policy", "full", func(m *idmap.Map) { m.UnmappedPolicy = idmap.UnmappedSkip }),
		d.line("unmapped_policy", "bare", func(m *idmap.Map) { m.UnmappedPolicy = idmap.UnmappedFail }),
		d.line("unmapped_policy", "bare", func(m *idmap.Map) { m.MapBy.Passthrough, m.UnmappedPolicy = true, "" }),
	}
}

// TestAccAccountMapAttributesDrift: a map with all arguments, one that compares nothing, and one with neither of the two
// blocks of options.
func TestAccAccountMapAttributesDrift(t *testing.T) {
	base := newScenario(t)
	block := func(label, name string, lines ...string) string { return mapBlock("account", label, name, lines...) }
	s := newStory(base, base.withShares()+
		block("full", "Full", `match = { names = true, emails = true }`, `fuzzy = {}`, `external_users = { retain = true }`,
			`exceptions = { boss = "BOSS2", "jane@example.com" = "JDOE" }`, `source_exclusions = ["bot", "lost"]`,
			`destination_exclusions = ["ROBOT"]`, `default_account = "DEFAULT"`, `unmapped_policy = "fail"`)+
		block("bare", "Bare", `external_users = { retain = true }`)+
		block("plain", "Plain", byNames))
	elsewhere := s.stageConnection("Elsewhere", "", "")
	d := mapDrifts{idmap.AccountMap, map[string]string{"full": "Full", "bare": "Bare", "plain": "Plain"}}
	checkDrifts(&s, "idmap_account_map", append(d.common(&elsewhere),
		d.line("match", "bare", func(m *idmap.Map) { m.MapBy.Name = true }),
		d.line("match.emails", "full", func(m *idmap.Map) { m.MapBy.Email = false }),
		d.line("match.usernames", "full", func(m *idmap.Map) { m.MapBy.Username = true }),
		d.line("fuzzy", "full", func(m *idmap.Map) { m.MapBy.Fuzzy, m.MapBy.FuzzyThreshold = false, nil }),
		d.line("fuzzy", "plain", func(m *idmap.Map) { m.MapBy.Fuzzy = true }),
		d.line("fuzzy.threshold", "full", func(m *idmap.Map) { m.MapBy.FuzzyThreshold = new(0.7) }),
		d.line("external_users", "plain", func(m *idmap.Map) { m.MapBy.ExternalPassthrough = true }),
		d.line("external_users.retain", "full", func(m *idmap.Map) { m.MapBy.ExternalPassthrough, m.MapBy.ExternalResolve = false, "" }),
		d.line("external_users.resolve_first", "full", func(m *idmap.Map) { m.MapBy.ExternalResolve = idmap.ExternalResolveFirst }),
	))
}

// TestAccGroupMapAttributesDrift: a map with all arguments, and one with no more than it must have.
func TestAccGroupMapAttributesDrift(t *testing.T) {
	base := newScenario(t)
	s := newStory(base, base.withShares()+
		mapBlock("group", "full", "Full", `match = { names = true, captions = true }`, `exceptions = { hidden = "ng-3" }`,
			`source_exclusions = ["team"]`, `destination_exclusions = ["TEAM"]`, `default_group = "sellers"`, `unmapped_policy = "fail"`)+
		mapBlock("group", "bare", "Bare", `match = { captions = true }`))
	elsewhere := s.stageConnection("Elsewhere", "", "")
	d := mapDrifts{idmap.GroupMap, map[string]string{"full": "Full", "bare": "Bare"}}
	checkDrifts(&s, "idmap_group_map", append(d.common(&elsewhere),
		drift{attribute: "match", never: "a group map that compares nothing is none, so the configuration has it, and then its options differ"},
		d.line("match.captions", "full", func(m *idmap.Map) { m.MapBy.Caption = false }),
	))
}

// TestEveryResourceHasATableOfDrift: a further resource needs a further test of its attributes.
func TestEveryResourceHasATableOfDrift(t *testing.T) {
	t.Parallel()
	tested := []string{"idmap_account_map", "idmap_connection", "idmap_group_map", "idmap_user_mapping", "idmap_user_mappings"}
	if all := slices.Sorted(maps.Keys(resourceAttributes())); !slices.Equal(all, tested) {
		t.Errorf("there are the resources %v, and tables of what drifts of %v", all, tested)
	}
}
