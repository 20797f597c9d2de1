package plantruth

import (
	"maps"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// The nouns of the matrix, which are resource types.
const (
	userMapping  = "idmap_user_mapping"
	userMappings = "idmap_user_mappings"
	accountMap   = "idmap_account_map"
	groupMap     = "idmap_group_map"
)

// values are the arguments of a resource, as HCL. "{lane}" stands for what is the lane's own, such as in names.
type values map[string]string

// with returns the values with others in their place; "" leaves one out.
func (v values) with(others values) values {
	all := maps.Clone(v)
	maps.Copy(all, others)
	maps.DeleteFunc(all, func(_, text string) bool { return text == "" })
	return all
}

func (v values) lines() []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		lines = append(lines, name+" = "+v[name])
	}
	return lines
}

// step is a change of the configuration that breaks the rule of a row, perhaps only after something happened in the world.
type step struct {
	world func(*lane)
	to    values // in the place of the good ones
}

// row is a rule that a resource can break: how that comes about, in each of the ways in which it can. What is nil cannot
// be, and never says why.
type row struct {
	noun, code string
	title      string // instead of the code, of a row in which no rule is broken; or what tells it from another row of the code
	warns      bool

	connections func(from, to *idmap.Connection) // settings of the lane's connections
	prepare     func(*lane)                      // what else is there before
	good        values

	create *step       // the resource is created with values that break the rule
	update *step       // what is there with good values is given others, which break it
	turn   func(*lane) // the world turns: what is there would break the rule if it were made anew
	take   func(*lane) // as long as it is not there, the world turns so that the good values break the rule
	late   *step       // an update that breaks the rule only after the plan of it was made
	pair   []values    // two resources that break the rule together
	gives  values      // of the first, so that the second takes what it had
	never  map[way]string

	mild  string // why the plan only warns of what the apply refuses
	still bool   // its update is none, since only the spelling differs
}

// way is how a rule comes about in a situation.
type way int

const (
	byCreate way = iota
	byUpdate
	byTurn
	byTake
	byLate
	byEither // a create or, where none can, an update
	byUnseen // an update of what others have changed, perhaps
	bySignIn // a sign-in, and an update of what it made
)

func (r *row) can(by way) bool {
	switch by {
	case byCreate:
		return r.create != nil
	case byUpdate:
		return r.update != nil
	case byTurn:
		return r.turn != nil
	case byTake:
		return r.take != nil
	case byEither:
		return r.create != nil || r.update != nil
	case byUnseen:
		return r.update != nil || r.code == "revision_conflict"
	case bySignIn:
		return r.isMapping() && (r.pair != nil || r.update != nil)
	default:
		return r.take != nil || r.late != nil
	}
}

// why says why the rule cannot come about in that way; "" where it can.
func (r *row) why(by way) string {
	switch {
	case r.can(by):
		return ""
	case by == bySignIn && !r.isMapping():
		return "sign-ins make no maps"
	case by == bySignIn, by == byUnseen:
		return r.never[byUpdate]
	case by == byEither:
		return r.never[byCreate]
	case by == byLate:
		return r.never[byTake]
	}
	return r.never[by]
}

// second is another resource of the lane, which is no trouble to the one with good values.
func (r *row) second() values {
	if r.isMapping() {
		return pairs("zoe", "ZOE")
	}
	return r.good.with(values{"name": quoted("{lane} second")})
}

// breaks reports whether the row is one of a rule.
func (r *row) breaks() bool { return r.code != "" }

// label is what the row is called.
func (r *row) label() string { return strings.TrimSpace(r.code + " " + r.title) }

// isMapping reports whether the row is one of mappings, be they one or many in a resource.
func (r *row) isMapping() bool { return r.noun == userMapping || r.noun == userMappings }

// name is what the resource of the row is called in the configuration.
func (r *row) name() string { return strings.ReplaceAll(r.label(), " ", "_") }

func quoted(text string) string { return `"` + text + `"` }
