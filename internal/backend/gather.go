package backend

import (
	"context"
	"maps"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// keySet gathers keys by connection, each once.
type keySet map[string]map[string]struct{}

func (s keySet) add(connectionID string, keys ...string) {
	for _, key := range keys {
		if key == "" {
			continue
		}
		if s[connectionID] == nil {
			s[connectionID] = map[string]struct{}{}
		}
		s[connectionID][key] = struct{}{}
	}
}

func (s keySet) of(connectionID string) []string { return slices.Sorted(maps.Keys(s[connectionID])) }

// besides returns the keys that others lacks.
func (s keySet) besides(others keySet) keySet {
	rest := keySet{}
	for connectionID := range s {
		for key := range s[connectionID] {
			if _, has := others[connectionID][key]; !has {
				rest.add(connectionID, key)
			}
		}
	}
	return rest
}

// gatherer reads from one transaction all that the rules can look up for a set of changes, in a number of queries that
// does not depend on how many changes there are.
type gatherer struct {
	r        store.Reader
	changes  []rules.Change
	proposed map[string]idmap.ProposedDirectory
	world    *rules.World
	accounts map[string][]idmap.Account
	groups   map[string][]idmap.Group
	known    knownMappings
	aside    []idmap.UserMapping // of which only the entries of their own emails are read
}

// knownMappings are mappings that were read already, and the accounts and users by which.
type knownMappings struct {
	found      []store.UserMapping
	ids, users keySet
}

func gather(ctx context.Context, r store.Reader, changes []rules.Change, proposed []idmap.ProposedDirectory) (*rules.World, error) {
	g := newGatherer(r, changes, proposed)
	// The order matters: an email that follows the username is only known when the application accounts are.
	err := g.run(ctx, g.connections, g.applicationAccounts, g.mailAccounts, g.assignments, g.mappings)
	return g.world, err
}

func newGatherer(r store.Reader, changes []rules.Change, proposed []idmap.ProposedDirectory) *gatherer {
	g := &gatherer{
		r: r, changes: changes, proposed: map[string]idmap.ProposedDirectory{},
		accounts: map[string][]idmap.Account{}, groups: map[string][]idmap.Group{},
		world: &rules.World{
			Connections: map[string]idmap.Connection{}, Directories: map[string]*rules.Directory{},
			Assignments: map[rules.AddressKey]idmap.EmailAssignment{},
		},
	}
	for _, p := range proposed {
		g.proposed[p.Connection.ID] = p
	}
	return g
}

func (g *gatherer) run(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// each calls fn for every stored and every wanted mapping, the wanted ones with the email that they are going to have.
func (g *gatherer) each(fn func(idmap.UserMapping)) {
	for _, c := range g.changes {
		if c.Before != nil {
			fn(*c.Before)
		}
		if c.After != nil {
			fn(rules.CompleteEmail(g.world, *c.After))
		}
	}
}

func (g *gatherer) connections(ctx context.Context) error {
	ids := keySet{}
	g.each(func(m idmap.UserMapping) { ids.add("", m.Source.Connection.ID, m.Destination.Connection.ID) })
	found, err := g.r.Connections(ctx, ids.of(""))
	for _, c := range found {
		g.world.Connections[c.ID] = c
	}
	for id, p := range g.proposed {
		g.world.Connections[id] = p.Connection
	}
	return err
}

func (g *gatherer) applicationAccounts(ctx context.Context) error {
	ids, users := keySet{}, keySet{}
	g.each(func(m idmap.UserMapping) {
		ids.add(m.Destination.Connection.ID, m.Destination.AccountID())
		users.add(m.Destination.Connection.ID, m.UserKey())
	})
	return g.directories(ctx, ids, users, keySet{})
}

func (g *gatherer) mailAccounts(ctx context.Context) error {
	ids, addresses := keySet{}, keySet{}
	g.each(func(m idmap.UserMapping) {
		ids.add(m.Source.Connection.ID, m.Source.AccountID())
		addresses.add(m.Source.Connection.ID, m.EmailCanonical)
	})
	return g.directories(ctx, ids, keySet{}, addresses)
}

// directories reads accounts and groups by these keys and adds them to the world.
func (g *gatherer) directories(ctx context.Context, ids, users, addresses keySet) error {
	for connectionID := range g.world.Connections {
		keys := store.DirectoryKeys{IDs: ids.of(connectionID), UserKeys: users.of(connectionID), AddressKeys: addresses.of(connectionID)}
		if len(keys.IDs)+len(keys.UserKeys)+len(keys.AddressKeys) == 0 && g.world.Directories[connectionID] != nil {
			continue // there is nothing to add
		}
		if err := g.directory(ctx, connectionID, keys); err != nil {
			return err
		}
		g.world.Directories[connectionID] = rules.NewDirectory(g.accounts[connectionID], g.groups[connectionID])
	}
	return nil
}

func (g *gatherer) directory(ctx context.Context, connectionID string, keys store.DirectoryKeys) error {
	proposal := g.proposed[connectionID]
	if proposal.Accounts != nil {
		g.accounts[connectionID] = completed(proposal.Connection, *proposal.Accounts)
	} else if len(keys.IDs)+len(keys.UserKeys)+len(keys.AddressKeys) > 0 {
		found, err := g.r.Accounts(ctx, connectionID, keys)
		if err != nil {
			return err
		}
		g.accounts[connectionID] = merge(g.accounts[connectionID], found)
	}
	if proposal.Groups != nil {
		g.groups[connectionID] = *proposal.Groups
	} else if len(keys.AddressKeys) > 0 {
		found, err := g.r.Groups(ctx, connectionID, store.DirectoryKeys{AddressKeys: keys.AddressKeys})
		if err != nil {
			return err
		}
		g.groups[connectionID] = found
	}
	return nil
}

func completed(c idmap.Connection, accounts []idmap.Account) []idmap.Account {
	result := make([]idmap.Account, len(accounts))
	for i, a := range accounts {
		result[i] = rules.CompleteAccount(c, a)
	}
	return result
}

func merge(have, found []idmap.Account) []idmap.Account {
	if len(have) == 0 {
		return found
	}
	ids := make(map[string]bool, len(have))
	for i := range have {
		ids[have[i].ID] = true
	}
	for i := range found {
		if !ids[found[i].ID] {
			have = append(have, found[i])
		}
	}
	return have
}

func (g *gatherer) assignments(ctx context.Context) error {
	addresses, mailboxes := keySet{}, keySet{}
	g.each(func(m idmap.UserMapping) {
		addresses.add(m.Source.Connection.ID, m.EmailCanonical)
		for _, a := range g.world.MailAccounts(m) {
			mailboxes.add(m.Source.Connection.ID, a.ID)
		}
	})
	for _, m := range g.aside {
		addresses.add(m.Source.Connection.ID, m.EmailCanonical)
	}
	for connectionID := range addresses {
		keys := store.DirectoryKeys{IDs: mailboxes.of(connectionID), AddressKeys: addresses.of(connectionID)}
		found, err := g.r.EmailAssignments(ctx, connectionID, keys)
		if err != nil {
			return err
		}
		for _, e := range found {
			g.world.Assignments[rules.AddressKey{ConnectionID: connectionID, Address: e.AddressCanonical}] = e
		}
	}
	return nil
}

// mappings reads the live mappings that a wanted one could clash with: by email, by mailbox and by user.
func (g *gatherer) mappings(ctx context.Context) error {
	var emails []store.EmailKey
	ids, users, mailboxes := keySet{}, keySet{}, keySet{}
	g.each(func(m idmap.UserMapping) {
		destination, known := g.world.Connections[m.Destination.Connection.ID]
		if !known {
			return
		}
		emails = append(emails, store.EmailKey{EmailScope: rules.EmailScope(destination), EmailKey: m.EmailCanonical})
		users.add(destination.ID, m.UserKey())
		ids.add(destination.ID, m.Destination.AccountID())
		for _, a := range g.world.MailAccounts(m) {
			mailboxes.add(m.Source.Connection.ID, a.ID)
		}
		if a := g.world.UserAccount(destination.ID, m.Destination.AccountID(), m.UserID); a != nil {
			ids.add(destination.ID, a.ID)
		}
	})
	found, err := g.r.UserMappings(ctx, store.UserMappingKeys{Emails: emails})
	if err != nil {
		return err
	}
	ids, users = ids.besides(g.known.ids), users.besides(g.known.users)
	for connectionID := range g.world.Connections {
		keys := store.DirectoryKeys{IDs: append(ids.of(connectionID), mailboxes.of(connectionID)...), UserKeys: users.of(connectionID)}
		more, err := g.r.UserMappingsOf(ctx, connectionID, keys)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	found = append(found, g.known.found...)
	return g.addMappings(ctx, found)
}

func (g *gatherer) addMappings(ctx context.Context, found []store.UserMapping) error {
	seen, missing := map[string]bool{}, keySet{}
	for _, m := range found {
		if seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		g.world.Mappings = append(g.world.Mappings, g.followed(m.UserMapping))
		if _, known := g.world.Connections[m.Destination.Connection.ID]; !known {
			missing.add("", m.Destination.Connection.ID)
		}
	}
	// A mapping that clashes in the scope of a platform may belong to a connection that no change names.
	others, err := g.r.Connections(ctx, missing.of(""))
	for _, c := range others {
		g.world.Connections[c.ID] = c
	}
	return err
}

// followed returns a stored mapping as it will be when a proposed directory is there: it follows its user's new name,
// as [directoryWrite.followRenames] will let it.
func (g *gatherer) followed(m idmap.UserMapping) idmap.UserMapping {
	if g.proposed[m.Destination.Connection.ID].Accounts == nil || m.Destination.Account == nil {
		return m
	}
	user := g.world.UserAccount(m.Destination.Connection.ID, m.Destination.AccountID(), "")
	if user == nil || user.UserKey() == m.UserKey() {
		return m
	}
	m.UserID = user.UserID()
	return rules.CompleteEmail(g.world, m)
}
