package directory

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

var groupColumns = []column[idmap.Group]{
	{"id", func(g *idmap.Group) value { return text{&g.ID} }},
	{"name", func(g *idmap.Group) value { return text{&g.Name} }},
	{"caption", func(g *idmap.Group) value { return text{&g.Caption} }},
	{"addresses", func(g *idmap.Group) value { return list{&g.Addresses} }},
	{"disabled", func(g *idmap.Group) value { return flag{&g.Disabled} }},
	{"built_in", func(g *idmap.Group) value { return flag{&g.BuiltIn} }},
}

// newGroupChecks returns the checks of one file: an id is held by one row.
func newGroupChecks() checks[idmap.Group] {
	ids := firstLines{}
	return func(g *idmap.Group, at *place) {
		checkID(g.ID, "group", ids, at)
		g.Addresses = checkAddresses("addresses", g.Addresses, at)
		checkNames(at, "name", g.Name, "caption", g.Caption)
	}
}
