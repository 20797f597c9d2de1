package client

import (
	"context"
	"reflect"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxDirectories is how many directories the server lets one validation propose.
const maxDirectories = 100

// shareable reports whether the check can be one group among others. What is refused whatever is beside it is asked alone.
func (k check) shareable() bool {
	if len(k.intents) > idmap.MaxBatch || len(k.directories) > maxDirectories {
		return false
	}
	for _, in := range k.intents {
		if in.Group != 0 {
			return false
		}
	}
	connections := map[string]bool{"": true}
	for _, d := range k.directories {
		if connections[d.Connection.ID] || !distinct(d.Accounts, accountID) || !distinct(d.Groups, groupID) {
			return false
		}
		connections[d.Connection.ID] = true
	}
	return true
}

func accountID(a idmap.Account) string { return a.ID }
func groupID(g idmap.Group) string     { return g.ID }

// distinct reports whether each entry has an id of its own.
func distinct[T any](entries *[]T, id func(T) string) bool {
	seen := map[string]bool{"": true}
	for _, e := range listOf(entries) {
		if seen[id(e)] {
			return false
		}
		seen[id(e)] = true
	}
	return true
}

func listOf[T any](entries *[]T) []T {
	if entries == nil {
		return nil
	}
	return *entries
}

// union is what a request proposes for all of its checks.
type union struct {
	intents  int
	about    map[string]bool // connections of the mappings
	proposed map[string]*proposed
	order    []*proposed
}

// proposed is a directory as all the checks together know it: each names the entries that it could touch.
type proposed struct {
	idmap.ProposedDirectory
	accounts map[string]idmap.Account
	groups   map[string]idmap.Group
}

func newUnion() *union { return &union{about: map[string]bool{}, proposed: map[string]*proposed{}} }

// fittingChecks admits checks that may be judged beside each other.
func fittingChecks() func(check) bool {
	all := newUnion()
	return func(k check) bool {
		if !all.fits(k) {
			return false
		}
		all.add(k)
		return true
	}
}

// fits reports whether a check gets the verdicts that it would get alone, and the others do, too: what it proposes, all
// propose alike who are about that connection.
func (u *union) fits(k check) bool {
	if u.intents+len(k.intents) > idmap.MaxBatch {
		return false
	}
	its, added := map[string]bool{}, 0
	for _, d := range k.directories {
		its[d.Connection.ID] = true
		known := u.proposed[d.Connection.ID]
		if known == nil {
			added++
		}
		if known == nil && u.about[d.Connection.ID] || known != nil && !known.agrees(d) {
			return false
		}
	}
	for _, id := range k.connections() {
		if u.proposed[id] != nil && !its[id] {
			return false
		}
	}
	return len(u.order)+added <= maxDirectories
}

// connections returns the connections of the mappings that are wanted. A deletion is not judged by any.
func (k check) connections() (ids []string) {
	for _, in := range k.intents {
		if in.UserMapping != nil {
			ids = append(ids, in.UserMapping.Source.Connection.ID, in.UserMapping.Destination.Connection.ID)
		}
	}
	return ids
}

func (p *proposed) agrees(d idmap.ProposedDirectory) bool {
	return reflect.DeepEqual(p.Connection, d.Connection) &&
		(p.Accounts == nil) == (d.Accounts == nil) && agree(p.accounts, listOf(d.Accounts), accountID) &&
		(p.Groups == nil) == (d.Groups == nil) && agree(p.groups, listOf(d.Groups), groupID)
}

// agree reports whether nothing is known of an entry but what the entries say, too.
func agree[T any](known map[string]T, entries []T, id func(T) string) bool {
	for _, e := range entries {
		if k, is := known[id(e)]; is && !reflect.DeepEqual(k, e) {
			return false
		}
	}
	return true
}

// add takes a check in that fits.
func (u *union) add(k check) {
	u.intents += len(k.intents)
	for _, id := range k.connections() {
		u.about[id] = true
	}
	for _, d := range k.directories {
		p := u.proposed[d.Connection.ID]
		if p == nil {
			p = &proposed{accounts: map[string]idmap.Account{}, groups: map[string]idmap.Group{}}
			p.Connection = d.Connection
			u.proposed[d.Connection.ID], u.order = p, append(u.order, p)
		}
		p.Accounts = unite(p.accounts, p.Accounts, d.Accounts, accountID)
		p.Groups = unite(p.groups, p.Groups, d.Groups, groupID)
	}
}

// unite adds to a list the entries that it lacks. A list that is not there stays so: what is stored counts.
func unite[T any](known map[string]T, list, entries *[]T, id func(T) string) *[]T {
	if entries == nil {
		return list
	}
	united := append([]T{}, listOf(list)...)
	for _, e := range *entries {
		if _, is := known[id(e)]; !is {
			known[id(e)], united = e, append(united, e)
		}
	}
	return &united
}

// validateTogether asks for the verdicts on all the checks, each a group of its own, and deals them out.
func (c *Client) validateTogether(ctx context.Context, checks []check) ([]outcome[[]idmap.UserMappingVerdict], error) {
	var joined check
	all := newUnion()
	for i, k := range checks {
		all.add(k)
		for _, in := range k.intents {
			in.Group = i + 1
			joined.intents = append(joined.intents, in)
		}
	}
	for _, p := range all.order {
		joined.directories = append(joined.directories, p.ProposedDirectory)
	}
	verdicts, err := c.validate(ctx, joined)
	if err != nil {
		return nil, err
	}
	answers := make([]outcome[[]idmap.UserMappingVerdict], len(checks))
	for i, k := range checks {
		n := len(k.intents)
		answers[i].out, verdicts = verdicts[:n:n], verdicts[n:]
	}
	return answers, nil
}
