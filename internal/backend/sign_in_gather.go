package backend

import (
	"context"

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
	err := g.run(ctx, g.connections, g.applicationAccounts, g.mappingsOfUsers, g.mailAccounts, g.assignments, g.mappings)
	return g.world, err
}

// mappingsOfUsers finds the mappings that the attempts go through, and makes each attempt a change of one.
func (g *gatherer) mappingsOfUsers(ctx context.Context) error {
	ids, users, attempts := keySet{}, keySet{}, make([]idmap.UserMapping, len(g.changes))
	for i, c := range g.changes {
		attempts[i] = *c.After
		destination := c.After.Destination.Connection.ID
		users.add(destination, c.After.UserKey())
		if a := g.world.UserAccount(destination, "", c.After.UserID); a != nil {
			ids.add(destination, a.ID)
		}
	}
	known := &rules.World{Connections: g.world.Connections, Directories: g.world.Directories}
	for connectionID := range users {
		found, err := g.r.UserMappingsOf(ctx, connectionID, store.DirectoryKeys{IDs: ids.of(connectionID), UserKeys: users.of(connectionID)})
		if err != nil {
			return err
		}
		for _, m := range found {
			known.Mappings = append(known.Mappings, m.UserMapping)
		}
	}
	for i, before := range rules.MappingsOfUsers(known, attempts) {
		g.changes[i].Before = before
	}
	return g.boundUsers(ctx)
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
