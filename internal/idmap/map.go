package idmap

import "time"

// MapKind says whether a map is about accounts or about groups.
type MapKind string

// The kinds of maps. Their values are the types of the wire form.
const (
	AccountMap MapKind = "account_map"
	GroupMap   MapKind = "group_map"
)

// Entry returns what the map is about: "account" or "group".
func (k MapKind) Entry() string {
	if k == GroupMap {
		return "group"
	}
	return "account"
}

// Label returns what a person calls a map of the kind: "account map" or "group map".
func (k MapKind) Label() string { return k.Entry() + " map" }

// WithArticle returns the label with its article: "an account map" or "a group map".
func (k MapKind) WithArticle() string {
	if k == GroupMap {
		return "a " + k.Label()
	}
	return "an " + k.Label()
}

// MaxMapItems is the most exceptions, and the most exclusions, of one map.
const MaxMapItems = 250_000

// Map says how the accounts (groups) of a source connection become those of a destination connection when items are
// transferred: by rules, exceptions, exclusions and a default (S4). Its kind stands beside it, as it does on the wire.
type Map struct {
	ID             string         `json:"id,omitempty" doc:"Opaque. Read-only."`
	Name           string         `json:"name" doc:"Unique among the maps of a kind, compared without regard to case."`
	Source         MapEnd         `json:"source"`
	Destination    MapEnd         `json:"destination"`
	UnmappedPolicy UnmappedPolicy `json:"unmapped_policy,omitempty" enum:"skip,fail,passthrough" doc:"What becomes of those that nothing maps and that have no default. skip if left out."`
	MapBy          MapBy          `json:"map_by"`
	// Exceptions and Exclusions are nil where they were not asked for and, on a write, where they stay as they are. An
	// empty list is none.
	Exceptions *[]MapException `json:"exceptions,omitempty" doc:"Explicit pairs. Left out on a write: they stay as they are. In an answer only with include=items."`
	Exclusions *[]MapExclusion `json:"exclusions,omitempty" doc:"Those that the map leaves out. Left out on a write: they stay as they are. In an answer only with include=items."`
	Revision   int64           `json:"revision,omitempty" doc:"Read-only."`
	CreatedOn  *time.Time      `json:"created_on,omitempty" doc:"Read-only."`
	ModifiedOn *time.Time      `json:"modified_on,omitempty" doc:"Read-only."`
}

// Key returns the form under which names of maps are unique.
func (m Map) Key() string { return Fold(m.Name) }

// MapEnd is one side of a map.
type MapEnd struct {
	Connection ConnectionRef `json:"connection"`
	// Default takes what nothing else maps. That of a source is kept for two-way jobs of a platform; no rule reads it.
	Default *Principal `json:"default,omitempty"`
}

// ConnectionRef names a connection by its id. Clients of the published API send back the whole connection that they were
// given, so what else it says is overlooked.
type ConnectionRef struct {
	ID string `json:"id"`

	_ struct{} `additionalProperties:"true"`
}

// UnmappedPolicy says what becomes of an account that nothing maps.
type UnmappedPolicy string

// The policies: leave it out, fail the transfer, or hand its name over as it is.
const (
	UnmappedSkip        UnmappedPolicy = "skip"
	UnmappedFail        UnmappedPolicy = "fail"
	UnmappedPassthrough UnmappedPolicy = "passthrough"
)

// UnmappedPolicies returns all policies, the default first.
func UnmappedPolicies() []UnmappedPolicy {
	return []UnmappedPolicy{UnmappedSkip, UnmappedFail, UnmappedPassthrough}
}

// MapBy are the options of a map: what is compared, and what becomes of guests.
type MapBy struct {
	ID       bool `json:"id,omitempty" doc:"Same id on both sides."`
	Name     bool `json:"name,omitempty"`
	Username bool `json:"username,omitempty" doc:"Account maps only."`
	Email    bool `json:"email,omitempty" doc:"Account maps only."`
	Caption  bool `json:"caption,omitempty" doc:"Display name. Group maps only."`
	Default  bool `json:"default,omitempty" doc:"All of the above that the kind of map has."`
	Fuzzy    bool `json:"fuzzy,omitempty" doc:"Also partial matches. Account maps only, where both platforms support it."`
	// ExternalPassthrough keeps guests as they are: "retain external users".
	ExternalPassthrough bool `json:"external_passthrough,omitempty" doc:"Guests keep their permissions and authorship. Account maps only, where the destination supports it."`
	Passthrough         bool `json:"passthrough,omitempty" doc:"Whatever nothing maps is handed over as it is, like unmapped_policy passthrough."`
	BuiltIn             bool `json:"built_in,omitempty" doc:"Not supported."`
	LDAP                bool `json:"ldap,omitempty" doc:"Not supported."`

	ExternalResolve ExternalResolve `json:"external_resolve,omitempty" enum:"first,never" doc:"Whether guests are looked for by the rules first. Only with external_passthrough; never if left out."`
	FuzzyThreshold  *float64        `json:"fuzzy_threshold,omitempty" doc:"Least score of a partial match. Only with fuzzy."`
}

// ExternalResolve says whether a guest that is kept as it is may be matched before.
type ExternalResolve string

// A guest is looked for by the rules first, or never.
const (
	ExternalResolveFirst ExternalResolve = "first"
	ExternalResolveNever ExternalResolve = "never"
)

// Principal names an account or a group. In what a client sends each field that is set is a way of naming it: ID its id,
// Username and Email what they say, Name any of these or the display name, Caption the display name. They must name one
// account. In an answer ID is always set, and the rest is what was sent.
type Principal struct {
	Type     string `json:"type,omitempty" enum:"account,group"`
	ID       string `json:"id,omitempty" maxLength:"1024"`
	Name     string `json:"name,omitempty" maxLength:"1024"`
	Username string `json:"username,omitempty" maxLength:"1024"`
	Email    string `json:"email,omitempty" maxLength:"1024"`
	Caption  string `json:"caption,omitempty" maxLength:"1024"`
}

// Text returns what the principal is called in what was sent: the first of name, email, username, id and caption.
func (p Principal) Text() string {
	for _, text := range []string{p.Name, p.Email, p.Username, p.ID, p.Caption} {
		if text != "" {
			return text
		}
	}
	return ""
}

// Named returns the principal without its id and type: only what it was called by.
func (p Principal) Named() Principal {
	p.ID, p.Type = "", ""
	return p
}

// MapException is an explicit pair of a map. It wins over all rules.
type MapException struct {
	ID          string    `json:"id,omitempty" doc:"Opaque. Read-only."`
	Source      Principal `json:"source"`
	Destination Principal `json:"destination"`
}

// Location is a side of a map.
type Location string

// The sides.
const (
	LocationSource      Location = "source"
	LocationDestination Location = "destination"
)

// MapExclusion leaves an account out of a map: one of the source is not mapped, one of the destination is nobody's
// match.
type MapExclusion struct {
	ID       string    `json:"id,omitempty" doc:"Opaque. Read-only."`
	Location Location  `json:"location,omitempty" enum:"source,destination"`
	SID      Principal `json:"sid"`
}

// ItemRole says what an item is to its map.
type ItemRole string

// The roles.
const (
	RoleException            ItemRole = "exception"
	RoleSourceExclusion      ItemRole = "source_exclusion"
	RoleDestinationExclusion ItemRole = "destination_exclusion"
)

// Exclusion returns the role of an exclusion on that side.
func (l Location) Exclusion() ItemRole {
	if l == LocationDestination {
		return RoleDestinationExclusion
	}
	return RoleSourceExclusion
}

// MapItem is an exception or an exclusion: what both have in common. A map has each subject once in a role.
type MapItem struct {
	ID      string
	Role    ItemRole
	Subject Principal // the source of an exception, or who is excluded
	Target  Principal // the destination of an exception; else zero
}

// Item returns the exception as an item.
func (e MapException) Item() MapItem {
	return MapItem{ID: e.ID, Role: RoleException, Subject: e.Source, Target: e.Destination}
}

// Item returns the exclusion as an item.
func (e MapExclusion) Item() MapItem {
	return MapItem{ID: e.ID, Role: e.Location.Exclusion(), Subject: e.SID}
}

// Exception returns the item as an exception.
func (i MapItem) Exception() MapException {
	return MapException{ID: i.ID, Source: i.Subject, Destination: i.Target}
}

// Exclusion returns the item as an exclusion.
func (i MapItem) Exclusion() MapExclusion {
	location := LocationSource
	if i.Role == RoleDestinationExclusion {
		location = LocationDestination
	}
	return MapExclusion{ID: i.ID, Location: location, SID: i.Subject}
}

// Items returns exceptions and exclusions, in their order; nil ones are none.
func (m Map) Items() []MapItem {
	var exceptions []MapException
	var exclusions []MapExclusion
	if m.Exceptions != nil {
		exceptions = *m.Exceptions
	}
	if m.Exclusions != nil {
		exclusions = *m.Exclusions
	}
	items := make([]MapItem, 0, len(exceptions)+len(exclusions))
	for _, e := range exceptions {
		items = append(items, e.Item())
	}
	for _, e := range exclusions {
		items = append(items, e.Item())
	}
	return items
}

// WithItems returns the map with exactly these exceptions and exclusions.
func (m Map) WithItems(items []MapItem) Map {
	exceptions, exclusions := make([]MapException, 0, len(items)), []MapExclusion{}
	for _, i := range items {
		if i.Role == RoleException {
			exceptions = append(exceptions, i.Exception())
		} else {
			exclusions = append(exclusions, i.Exclusion())
		}
	}
	m.Exceptions, m.Exclusions = &exceptions, &exclusions
	return m
}

// MapFilter selects maps. Empty fields select all.
type MapFilter struct {
	Kind                    MapKind // always set
	Key                     string  // folded name
	ConnectionID            string  // either side
	SourceConnectionID      string
	DestinationConnectionID string
	Query                   string // folded text, in the name
}

// MapItemFilter selects items of one map. Empty fields select all. SubjectIDs, TargetIDs and CalledAs are alternatives:
// an item that has any of them is selected. Everything else narrows the choice.
type MapItemFilter struct {
	Roles      []ItemRole
	IDs        []string
	SubjectIDs []string
	TargetIDs  []string
	// CalledAs are principals of which one is Named exactly as the subject is. One that has an id only is called nothing,
	// and selects nothing.
	CalledAs []Principal
	Query    string // folded text, in what subject and target were called
}

// MapIntent is a write of a map that is to be judged.
type MapIntent struct {
	Operation      Operation `json:"operation" enum:"create,update,delete"`
	ID             string    `json:"id,omitempty" doc:"The map to update or delete."`
	Revision       int64     `json:"revision,omitempty" minimum:"0" doc:"If set, the stored revision must be this one."`
	IdempotencyKey string    `json:"idempotency_key,omitempty" maxLength:"255" doc:"For a create: the Idempotency-Key that it will carry."`
	Map            *Map      `json:"map,omitempty" doc:"The map as wanted; not for a delete."`
}

// MapVerdict is the answer to an intent.
type MapVerdict struct {
	// Map is the map as it would be stored (or was), without its items; nil for a delete and where violations forbid it.
	Map        *Map        `json:"map,omitempty"`
	Violations []Violation `json:"violations,omitempty" nullable:"false"`
	Warnings   []Violation `json:"warnings,omitempty" nullable:"false"`
	// Claims are opaque keys of what only one map may have. Two intents with one claim in common cannot both be.
	Claims []string `json:"claims,omitempty" nullable:"false" doc:"Opaque keys of what only one map may have."`
	// Effect is what the map would do; nil where nothing was resolved.
	Effect *MapEffect `json:"effect,omitempty"`
}

// MapEffect is what a map does, or would do, to the accounts of its source connection.
type MapEffect struct {
	Totals MapTotals `json:"totals"`
	// Changed and Jobs compare an update with what is stored.
	Changed int `json:"changed,omitempty" doc:"For an update: how many resolve otherwise than before."`
	Jobs    int `json:"jobs,omitempty" doc:"For an update: how many jobs used the map as it was, and keep that result."`
}
