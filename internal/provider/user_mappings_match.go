package provider

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

// none is no place in a list.
const none = -1

// mappingMatch finds which prior entry each wanted one is. Keys are names, and a name passes from one user to another, so an
// email that stays is followed to its new key also where the old key is taken or the new one was another's: but only
// where something besides the entries tells that this is the user's name now. Else the key tells.
type mappingMatch struct {
	prior, wanted []mappingEntry
	owned         ownedMappings
	calls         func(mappingEntry, ownedMapping) string
	had, stays    map[string]int // places by user: of the prior entries that are mappings, and of the wanted ones
	byMail        map[string]int // places of the prior ones that the first pass has left
	from, to      []int          // of each wanted entry its prior one, and of each prior entry its wanted one
}

func matchEntries(prior, wanted []mappingEntry, owned ownedMappings, calls func(mappingEntry, ownedMapping) string) *mappingMatch {
	m := &mappingMatch{
		prior: prior, wanted: wanted, owned: owned, calls: calls,
		had: make(map[string]int, len(prior)), stays: make(map[string]int, len(wanted)),
		byMail: map[string]int{}, from: make([]int, len(wanted)), to: make([]int, len(prior)),
	}
	for p, e := range prior {
		m.to[p] = none
		if owned[e.user].ID != "" {
			m.had[e.user] = p
		}
	}
	for w, e := range wanted {
		m.from[w], m.stays[e.user] = none, w
	}
	m.each(func(w int) int {
		if p := m.at(w); p != none && (wanted[w].unknown || prior[p].same(wanted[w])) {
			return p
		}
		return none
	})
	for p, e := range prior {
		if _, is := m.had[e.user]; is && m.to[p] == none && e.mail != "" {
			m.byMail[e.mail] = p
		}
	}
	m.each(m.renamed)
	m.followNames()
	m.each(m.at)
	m.each(m.withMail)
	return m
}

// each pairs the wanted entries that are new so far with those that find returns, unless others have these.
func (m *mappingMatch) each(find func(w int) int) {
	for w := range m.wanted {
		if m.from[w] == none {
			if p := find(w); p != none && m.to[p] == none {
				m.pair(w, p)
			}
		}
	}
}

func (m *mappingMatch) pair(w, p int) { m.from[w], m.to[p] = p, w }

// at returns the prior entry at the key of a wanted one.
func (m *mappingMatch) at(w int) int {
	if p, is := m.had[m.wanted[w].user]; is {
		return p
	}
	return none
}

// withMail returns the prior entry that had the email of a wanted one.
func (m *mappingMatch) withMail(w int) int {
	if p, is := m.byMail[m.wanted[w].mail]; is {
		return p
	}
	return none
}

// renamed returns the prior entry that had the email under a key that is gone now, or whose user is called so.
func (m *mappingMatch) renamed(w int) int {
	p := m.withMail(w)
	if p == none {
		return none
	}
	_, stays := m.stays[m.prior[p].user]
	if !stays && m.at(w) == none || m.called(p) == m.wanted[w].user {
		return p
	}
	return none
}

// called is the canonical name of a prior entry's user; "" where nothing tells it.
func (m *mappingMatch) called(p int) string {
	e := m.prior[p]
	return idmap.Fold(m.calls(e, m.owned[e.user]))
}

// followNames pairs added entries by the names of users alone. A user may have the name that was another's, who has a
// new one as well, and so on. The last of them leaves a key that is gone, so that nobody is left without an entry.
func (m *mappingMatch) followNames() {
	var added, gone bool
	for w := range m.wanted {
		added = added || m.isAdded(w)
	}
	for p, e := range m.prior {
		_, is := m.had[e.user]
		gone = gone || is && m.to[p] == none && m.isFree(p)
	}
	if !added || !gone {
		return
	}
	named := map[string]int{}
	for p, e := range m.prior {
		if _, is := m.had[e.user]; is && (m.to[p] == none || e.follows && m.wanted[m.to[p]].user == e.user) {
			if name := m.called(p); name != "" && name != e.user {
				named[name] = p
			}
		}
	}
	for w := range m.wanted {
		if m.isAdded(w) {
			m.followName(w, named)
		}
	}
}

// isAdded reports whether a wanted entry is new, and no prior one is left at its key.
func (m *mappingMatch) isAdded(w int) bool {
	p := m.at(w)
	return m.from[w] == none && (p == none || m.to[p] != none)
}

// isFree reports whether the key of a prior entry is gone, or is another one's now.
func (m *mappingMatch) isFree(p int) bool {
	w, stays := m.stays[m.prior[p].user]
	return !stays || m.from[w] != none && m.from[w] != p
}

func (m *mappingMatch) followName(w int, named map[string]int) {
	var renamed [][2]int
	for {
		p, is := named[m.wanted[w].user]
		if !is {
			return // the key that the last one leaves would be nobody's
		}
		renamed = append(renamed, [2]int{w, p})
		if m.isFree(p) {
			break
		}
		w = m.stays[m.prior[p].user]
	}
	for _, r := range renamed {
		m.pair(r[0], r[1])
	}
}
