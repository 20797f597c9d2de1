package rules

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

// ItemCounts counts the items of a map.
type ItemCounts struct{ Exceptions, Exclusions int }

// Plus returns both together.
func (c ItemCounts) Plus(o ItemCounts) ItemCounts {
	return ItemCounts{c.Exceptions + o.Exceptions, c.Exclusions + o.Exclusions}
}

// Minus returns what is left without the others.
func (c ItemCounts) Minus(o ItemCounts) ItemCounts {
	return ItemCounts{c.Exceptions - o.Exceptions, c.Exclusions - o.Exclusions}
}

// itemList are the exceptions, or the exclusions, that a map is to have.
type itemList struct {
	field      string
	sent, kept []idmap.MapItem
	count      int
}

func (l itemList) tooMany() bool { return len(l.sent) > 0 && l.count > idmap.MaxMapItems }

// lists returns what the map is to have: what was sent, and what stays.
func (c MapChange) lists() (exceptions, exclusions itemList) {
	stored := idmap.Map{}
	if c.Before != nil {
		stored = *c.Before
	}
	list := func(field string, sent, before idmap.Map, stays bool, rest int) itemList {
		l := itemList{field: field, sent: sent.Items()}
		for _, i := range before.Items() {
			if stays || c.Kept[i.ID] {
				l.kept = append(l.kept, i)
			}
		}
		l.count = len(l.sent) + len(l.kept) + rest
		return l
	}
	exceptions = list(fieldExceptions, idmap.Map{Exceptions: c.After.Exceptions}, idmap.Map{Exceptions: stored.Exceptions},
		c.After.Exceptions == nil, c.Rest.Exceptions)
	exclusions = list(fieldExclusions, idmap.Map{Exclusions: c.After.Exclusions}, idmap.Map{Exclusions: stored.Exclusions},
		c.After.Exclusions == nil, c.Rest.Exclusions)
	return exceptions, exclusions
}

func (c MapChange) stored() StoredItems {
	if c.Before == nil {
		return StoredItems{}
	}
	return NewStoredItems(c.Before.Items())
}

// LookUps returns whom Sources and Destinations have to find: those who are called otherwise than what is stored, and
// the others by what they are bound to and by what they are called. Nobody is looked up for lists that are too long,
// since that is what is refused.
func (c MapChange) LookUps() (sources, destinations []idmap.Principal) {
	exceptions, exclusions := c.lists()
	if exceptions.tooMany() || exclusions.tooMany() {
		return nil, nil
	}
	if c.Before != nil {
		sources, destinations = withDefault(sources, c.Before.Source), withDefault(destinations, c.Before.Destination)
	}
	sources, destinations = withDefault(sources, c.After.Source), withDefault(destinations, c.After.Destination)
	stored := c.stored()
	for _, list := range []itemList{exceptions, exclusions} {
		for _, i := range list.sent {
			subjects, targets := stored.lookUp(i)
			if i.Role == idmap.RoleDestinationExclusion {
				destinations = append(destinations, subjects...)
			} else {
				sources, destinations = append(sources, subjects...), append(destinations, targets...)
			}
		}
	}
	return sources, destinations
}

// lookUp returns the principals of an item as they are to be looked up.
func (s StoredItems) lookUp(i idmap.MapItem) (subjects, targets []idmap.Principal) {
	was := s.Like(i)
	if was == nil {
		was = &idmap.MapItem{}
	}
	both := func(sent, stored idmap.Principal) []idmap.Principal {
		if stored.ID == "" || !keeps(sent, stored) {
			return []idmap.Principal{sent}
		}
		return []idmap.Principal{{ID: stored.ID}, sent.Named()}
	}
	if i.Role == idmap.RoleException {
		targets = both(i.Target, was.Target)
	}
	return both(i.Subject, was.Subject), targets
}

func withDefault(principals []idmap.Principal, end idmap.MapEnd) []idmap.Principal {
	if end.Default == nil {
		return principals
	}
	return append(principals, *end.Default)
}
