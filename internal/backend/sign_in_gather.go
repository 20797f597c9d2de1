package backend

import (
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// gatherSignIns reads all that the rules can look up for attempts to sign in, in a number of queries that does not
// depend on how many attempts there are.
func gatherSignIns(ctx context.Context, r store.Reader, attempts []idmap.UserMapping) (*rules.World, error) {
	changes := make([]rules.Change, len(attempts))
	for i := range attempts {
		changes[i].After = &attempts[i]
	}
	g := newGatherer(r, changes, nil)
	// What the users' mappings are bound to is read as well, so they must be known before.
	err := g.run(ctx, g.connections, g.applicationAccounts, g.mappingsOfUsers, g.swappedAccounts, g.mailAccounts)
	if err != nil {
		return nil, err
	}
	g.setAside()
	err = g.run(ctx, g.assignments, g.lateOwners, g.mappings, g.refuseTwoTimes)
	return g.world, err
}

// swappedAccounts reads who has the email as user id, and the user id as address, where there is no mapping: then the two
// may be swapped.
func (g *gatherer) swappedAccounts(ctx context.Context) error {
	users, addresses := keySet{}, keySet{}
	for _, c := range g.changes {
		address, err := idmap.CanonicalEmail(c.After.UserID)
		if err == nil && c.Before == nil {
			users.add(c.After.Destination.Connection.ID, idmap.Fold(c.After.Email))
			addresses.add(c.After.Source.Connection.ID, address)
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	return g.directories(ctx, keySet{}, users, addresses)
}

// lateOwners reads the mail accounts that the ledger names, where the directory does not show them by their addresses any
// more.
func (g *gatherer) lateOwners(ctx context.Context) error {
	ids := keySet{}
	for _, e := range g.world.Assignments {
		for _, holder := range e.Holders {
			known := slices.ContainsFunc(g.accounts[e.Connection.ID], func(a idmap.Account) bool { return a.ID == holder.AccountID() })
			if holder.Connection == e.Connection && !known {
				ids.add(e.Connection.ID, holder.AccountID())
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return g.directories(ctx, ids, keySet{}, keySet{})
}

// setAside spares the attempts that come as they are mapped what the rules do not look at: most attempts are so.
func (g *gatherer) setAside() {
	g.changes = slices.DeleteFunc(g.changes, func(c rules.Change) bool {
		asMapped := rules.AsMapped(g.world, c.Before, *c.After)
		if asMapped {
			g.aside = append(g.aside, *c.Before)
		}
		return asMapped
	})
}

// refuseTwoTimes fails where mappings were read that were never there at the same time: one was deleted, and another
// came, while we read. Somebody would be denied for what is between the two.
func (g *gatherer) refuseTwoTimes(context.Context) error {
	seen := map[string]bool{}
	for _, m := range g.world.Mappings {
		for _, key := range uniqueKeys(store.UserMapping{UserMapping: m, EmailScope: rules.EmailScope(g.world.Connections[m.Destination.Connection.ID])}) {
			if seen[key] {
				return fmt.Errorf("two mappings have %s: %w", key, store.ErrConflict)
			}
			seen[key] = true
		}
	}
	return nil
}

// uniqueKeys returns what no other mapping has.
func uniqueKeys(m store.UserMapping) []string {
	keys := []string{
		"email|" + m.EmailScope + "|" + m.EmailCanonical,
		"user id|" + m.Source.Connection.ID + "|" + m.Destination.Connection.ID + "|" + m.UserKey(),
	}
	if m.Source.Account != nil {
		keys = append(keys, mailboxOf(m))
	}
	if m.Destination.Account != nil {
		keys = append(keys, userOf(m))
	}
	return keys
}

// mappingsOfUsers finds the mappings that the attempts go through, and makes each attempt a change of one. Most are found
// by the user id; only of the others it asks by the account that has the user id.
func (g *gatherer) mappingsOfUsers(ctx context.Context) error {
	attempts := make([]idmap.UserMapping, len(g.changes))
	g.known = knownMappings{ids: keySet{}, users: keySet{}}
	for i, c := range g.changes {
		attempts[i] = *c.After
		g.known.users.add(c.After.Destination.Connection.ID, c.After.UserKey())
	}
	for connectionID := range g.known.users {
		if err := g.readKnown(ctx, connectionID, store.DirectoryKeys{UserKeys: g.known.users.of(connectionID)}); err != nil {
			return err
		}
	}
	for i, before := range rules.MappingsOfUsers(g.knownWorld(), attempts) {
		destination := attempts[i].Destination.Connection.ID
		if a := g.world.UserAccount(destination, "", attempts[i].UserID); a != nil && before == nil {
			g.known.ids.add(destination, a.ID)
		}
	}
	for connectionID := range g.known.ids {
		if err := g.readKnown(ctx, connectionID, store.DirectoryKeys{IDs: g.known.ids.of(connectionID)}); err != nil {
			return err
		}
	}
	for i, before := range rules.MappingsOfUsers(g.knownWorld(), attempts) {
		g.changes[i].Before = before
	}
	return g.boundUsers(ctx)
}

func (g *gatherer) readKnown(ctx context.Context, connectionID string, keys store.DirectoryKeys) error {
	found, err := g.r.UserMappingsOf(ctx, connectionID, keys)
	g.known.found = append(g.known.found, found...)
	return err
}

// knownWorld is the world with the mappings that were read so far.
func (g *gatherer) knownWorld() *rules.World {
	w := &rules.World{Connections: g.world.Connections, Directories: g.world.Directories}
	for _, m := range g.known.found {
		w.Mappings = append(w.Mappings, m.UserMapping)
	}
	return w
}

// boundUsers reads the application accounts that the mappings are bound to, where one is not the account that has the
// user id now.
func (g *gatherer) boundUsers(ctx context.Context) error {
	for _, c := range g.changes {
		if c.Before == nil || c.Before.Destination.Account == nil {
			continue
		}
		if g.world.UserAccount(c.Before.Destination.Connection.ID, c.Before.Destination.AccountID(), "") == nil {
			return g.applicationAccounts(ctx)
		}
	}
	return nil
}
