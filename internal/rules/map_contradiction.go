package rules

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// checkContradictions refuses an exception, or a default, that leads to whom the map leaves out. Where only the
// exclusion was sent, that is at fault.
func (c *mapCheck) checkContradictions() {
	sent, kept := excluded(c.exclusions.sent), excluded(c.exclusions.kept)
	if len(sent)+len(kept) == 0 {
		return
	}
	c.checkDefaultTakes(sent, kept)
	for i := range c.exceptions.sent {
		e := &c.exceptions.sent[i]
		if has(sent, e.Target.ID) || has(kept, e.Target.ID) {
			c.refuseExcluded(spot{list: fieldExceptions, index: i, part: "destination", role: "Exception", item: &e.Subject}, e.Target.ID)
		}
	}
	for _, e := range c.exceptions.kept {
		if x, out := sent[e.Target.ID]; out {
			c.refuseExclusion(x, fmt.Sprintf("exception %q leads", clip(e.Subject.Text())))
			delete(sent, e.Target.ID) // one exception is enough to say
		}
	}
}

// checkDefaultTakes refuses a default that is excluded. One that stays as it is was not necessarily sent.
func (c *mapCheck) checkDefaultTakes(sent, kept map[string]int) {
	p := c.m.Destination.Default
	if p == nil {
		return
	}
	stays := c.Before != nil && c.Before.Destination.Default != nil && c.Before.Destination.Default.ID == p.ID
	x, out := sent[p.ID]
	switch {
	case out && stays:
		c.refuseExclusion(x, "the map's default leads")
	case out || has(kept, p.ID):
		c.refuseExcluded(spot{part: fieldDestinationDefault, role: "Default", item: p}, p.ID)
	}
}

func (c *mapCheck) refuseExcluded(at spot, id string) {
	c.refuseItem(at, idmap.CodeInvalid, "it leads to %s, whom an exclusion takes out of the destination. Remove the exclusion, or name another.",
		c.destination.describe(id))
}

// refuseExclusion refuses the n-th exclusion that was sent; what leads to whom it excludes.
func (c *mapCheck) refuseExclusion(n int, what string) {
	p := &c.exclusions.sent[n].Subject
	c.refuseItem(spot{list: fieldExclusions, index: n, part: "sid", role: "Exclusion", item: p}, idmap.CodeInvalid,
		"%s to %s, so it cannot be taken out of the destination. Change that first, or leave the exclusion out.", what, c.destination.describe(p.ID))
}

// excluded returns whom exclusions take out of the destination, and which of them does.
func excluded(exclusions []idmap.MapItem) map[string]int {
	out := map[string]int{}
	for i, e := range exclusions {
		if e.Role == idmap.RoleDestinationExclusion && e.Subject.ID != "" {
			out[e.Subject.ID] = i
		}
	}
	return out
}

func has(excluded map[string]int, id string) bool {
	_, out := excluded[id]
	return out
}
