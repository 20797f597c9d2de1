package match

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Resolver answers what a map makes of the entries of its source connection. It is safe for concurrent use.
type Resolver struct {
	m           idmap.Map
	destination *Index
	rules       []rule

	exceptions      map[string]idmap.Principal // by the id of the source
	sourcesOut      map[string]bool
	destinationsOut map[string]bool
}

// NewResolver returns the resolver of a map whose items and defaults are bound: their principals have the ids of
// entries. The index is that of the destination connection; its kind is the map's.
func NewResolver(m idmap.Map, destination *Index) *Resolver {
	r := &Resolver{
		m: m, destination: destination, rules: rulesOf(m.MapBy, destination),
		exceptions: map[string]idmap.Principal{}, sourcesOut: map[string]bool{}, destinationsOut: map[string]bool{},
	}
	for _, item := range m.Items() {
		switch item.Role {
		case idmap.RoleException:
			r.exceptions[item.Subject.ID] = item.Target
		case idmap.RoleSourceExclusion:
			r.sourcesOut[item.Subject.ID] = true
		case idmap.RoleDestinationExclusion:
			r.destinationsOut[item.Subject.ID] = true
		}
	}
	return r
}

// Resolve returns what the map makes of a source entry, and why.
func (r *Resolver) Resolve(source Entry) idmap.Resolution {
	result := idmap.Resolution{ID: source.Principal.ID, Source: source.Principal}
	by := r.m.MapBy
	target, excepted := r.exceptions[source.Principal.ID]
	guest := r.destination.kind == idmap.AccountMap && source.External && by.ExternalPassthrough
	switch {
	case r.sourcesOut[source.Principal.ID]:
		result.Resolution, result.Message = idmap.ResolvedExcluded, "The map excludes it."
	case excepted:
		r.settle(&result, idmap.ResolvedException, target, "An exception maps it to")
	case guest && by.ExternalResolve != idmap.ExternalResolveFirst:
		result.Resolution, result.Message = idmap.ResolvedExternal, "It is a guest and is kept as it is."
	default:
		r.decide(&result, r.search(&source), guest)
	}
	return result
}

// search asks one rule after the other. What names nobody, or several, leaves it to the next; the first of several is
// the reason where none finds one. Somebody who is found and is excluded, disabled or gone ends the search: looking on
// would let that make a match, with somebody else. Several of one key are not told apart letter by letter.
func (r *Resolver) search(source *Entry) outcome {
	end := outcome{reason: idmap.ReasonNoCandidate, why: fmt.Sprintf("No %s matches", r.destination.kind.Entry())}
	for _, rule := range r.rules {
		if rule.partial && end.reason == idmap.ReasonAmbiguous {
			continue
		}
		found := rule.find(source)
		switch {
		case found.reason == idmap.ReasonDestinationDisabled, found.reason == idmap.ReasonDestinationDeleted:
			return found
		case found.reason == "" && r.destinationsOut[r.destination.entries[found.at].Principal.ID]:
			found.reason = idmap.ReasonDestinationExcluded
			found.why = fmt.Sprintf("It would be %s (%s), which the map excludes",
				label(r.destination.entries[found.at].Principal), found.by)
			return found
		case found.reason == "":
			return found
		case end.reason == idmap.ReasonNoCandidate && found.reason != idmap.ReasonNoCandidate:
			end = found
		}
	}
	return end
}

// decide says what becomes of an entry that is no exception: what the rules found, and else what the map has for those
// for whom they find nothing.
func (r *Resolver) decide(result *idmap.Resolution, found outcome, guest bool) {
	if found.reason == "" {
		r.take(result, found.by, found.at)
		result.Score, result.Message = found.score, found.why+"."
		return
	}
	result.Reason = found.reason
	switch {
	case guest:
		result.Resolution, result.Message = idmap.ResolvedExternal, found.why+"; it is a guest and is kept as it is."
	case r.m.Destination.Default != nil:
		r.settle(result, idmap.ResolvedDefault, *r.m.Destination.Default, found.why+"; the default takes its place:")
	case r.m.UnmappedPolicy == idmap.UnmappedPassthrough || r.m.MapBy.Passthrough:
		result.Resolution, result.Message = idmap.ResolvedPassthrough, found.why+"; its name is handed over as it is."
	default:
		r.leave(result, found.why)
	}
}

// settle gives a source the destination that the map names; why is a sentence that ends with it. One that has left the
// directory since is not replaced by another.
func (r *Resolver) settle(result *idmap.Resolution, by idmap.Resolved, target idmap.Principal, why string) {
	at, ok := r.destination.ids[target.ID]
	if !ok || at >= r.destination.live {
		result.Reason = idmap.ReasonDestinationDeleted
		r.leave(result, fmt.Sprintf("%s %s, which has left the directory", why, label(target)))
		return
	}
	r.take(result, by, at)
	result.Message = fmt.Sprintf("%s %s.", why, label(r.destination.entries[at].Principal))
}

func (r *Resolver) take(result *idmap.Resolution, by idmap.Resolved, at int32) {
	entry := r.destination.entries[at] // a copy: what is handed out must not lead back into the index
	result.Resolution, result.Destination = by, &entry.Principal
	result.Stub, result.Disabled = entry.Stub, entry.Disabled
}

func (r *Resolver) leave(result *idmap.Resolution, why string) {
	result.Resolution = idmap.Unresolved
	if r.m.UnmappedPolicy == idmap.UnmappedFail {
		result.Message = why + "; the transfer of what it owns fails."
		return
	}
	result.Message = why + "; it is left out."
}

// SameResult reports whether two resolutions of one source account have the same result, however they came by it.
func SameResult(a, b idmap.Resolution) bool {
	return destinationID(a) == destinationID(b) && passed(a) == passed(b)
}

func destinationID(r idmap.Resolution) string {
	if r.Destination == nil {
		return ""
	}
	return r.Destination.ID
}

// passed reports whether a name is handed over as it is.
func passed(r idmap.Resolution) bool {
	return r.Resolution == idmap.ResolvedExternal || r.Resolution == idmap.ResolvedPassthrough
}
