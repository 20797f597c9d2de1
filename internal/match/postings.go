package match

// postings say which entries have a key, by their positions in an index, ascending. All lists lie in one slice, since
// there are hundreds of thousands, most of them of one.
type postings[K comparable] struct {
	spans map[K]span
	flat  []int32
}

// span is a list's place in the slice.
type span struct{ from, to int32 }

// newPostings reads the keys of every entry twice: to count them, and to fill the lists. A key that an entry has twice
// counts once.
func newPostings[K comparable](entries []Entry, keys func(e *Entry, add func(K))) postings[K] {
	p := postings[K]{spans: map[K]span{}}
	for i := range entries {
		keys(&entries[i], func(key K) {
			s := p.spans[key]
			s.to++
			p.spans[key] = s
		})
	}
	p.flat = make([]int32, p.reserve())
	for i := range entries {
		keys(&entries[i], func(key K) { p.add(key, int32(i)) }) //nolint:gosec // G115: no directory has 2^31 entries
	}
	return p
}

// reserve gives every list its place, still empty, and returns the length of all.
func (p *postings[K]) reserve() int32 {
	var next int32
	for key, s := range p.spans {
		p.spans[key] = span{next, next}
		next += s.to
	}
	return next
}

func (p *postings[K]) add(key K, at int32) {
	s := p.spans[key]
	if s.to > s.from && p.flat[s.to-1] == at {
		return
	}
	p.flat[s.to] = at
	s.to++
	p.spans[key] = s
}

// at returns the positions of the entries that have the key. It belongs to the postings.
func (p *postings[K]) at(key K) []int32 {
	s := p.spans[key]
	return p.flat[s.from:s.to:s.to]
}

// below returns those of the ascending positions that lie before the end.
func below(positions []int32, end int32) []int32 {
	low, high := 0, len(positions)
	for low < high {
		if middle := (low + high) / 2; positions[middle] < end {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return positions[:low]
}
