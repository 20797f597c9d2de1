package idmap

// Resolved says what decided about a source account. Its values are those of the published API, and Caption and Excluded
// besides.
type Resolved string

// In the order in which they are tried (S4), but for External, which comes before ID where guests are never looked for.
const (
	ResolvedExcluded    Resolved = "Excluded"
	ResolvedException   Resolved = "Exception"
	ResolvedID          Resolved = "ID"
	ResolvedEmail       Resolved = "Email"
	ResolvedUsername    Resolved = "Username"
	ResolvedName        Resolved = "Name"
	ResolvedCaption     Resolved = "Caption"
	ResolvedFuzzy       Resolved = "Fuzzy"
	ResolvedExternal    Resolved = "External"
	ResolvedDefault     Resolved = "Default"
	ResolvedPassthrough Resolved = "Passthrough"
	Unresolved          Resolved = "Unresolved"
)

// AllResolved returns all values, in the order above.
func AllResolved() []Resolved {
	return []Resolved{
		ResolvedExcluded, ResolvedException, ResolvedID, ResolvedEmail, ResolvedUsername, ResolvedName, ResolvedCaption,
		ResolvedFuzzy, ResolvedExternal, ResolvedDefault, ResolvedPassthrough, Unresolved,
	}
}

// Reason says why no rule found a destination.
type Reason string

// The reasons. DestinationDisabled and DestinationDeleted: the one that a rule found, or for the latter that the exception
// or the default names, is disabled, or has left the directory. Nobody else takes the place of one of these.
const (
	ReasonNoCandidate         Reason = "no_candidate"
	ReasonAmbiguous           Reason = "ambiguous"
	ReasonBelowThreshold      Reason = "below_threshold"
	ReasonDestinationExcluded Reason = "destination_excluded"
	ReasonDestinationDisabled Reason = "destination_disabled"
	ReasonDestinationDeleted  Reason = "destination_deleted"
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{ReasonNoCandidate, ReasonAmbiguous, ReasonBelowThreshold, ReasonDestinationExcluded, ReasonDestinationDisabled, ReasonDestinationDeleted}
}

// Resolution is what a map makes of one source account (group), and why.
type Resolution struct {
	ID          string     `json:"id" doc:"Id of the source account or group."`
	Source      Principal  `json:"source"`
	Destination *Principal `json:"destination,omitempty" doc:"Nothing where nothing was found, and for a guest, or a name, that is handed over as it is."`
	Resolution  Resolved   `json:"resolution"`
	// Reason says why no rule matched. It stands with Default, Passthrough and Unresolved, and with External where guests
	// are looked for first.
	Reason   Reason  `json:"reason,omitempty"`
	Score    float64 `json:"score,omitempty" doc:"Of a Fuzzy resolution: from the threshold up to 1."`
	Message  string  `json:"message" doc:"The same in a sentence."`
	Stub     bool    `json:"stub,omitempty" doc:"The destination is a stub: it owns, and never signs in."`
	Disabled bool    `json:"disabled,omitempty" doc:"The destination is disabled."`
}

// MapTotals counts the resolutions of all accounts (groups) of a source connection. The counts of ByResolution add up to
// Sources.
type MapTotals struct {
	Sources      int              `json:"sources"`
	ByResolution map[Resolved]int `json:"by_resolution" nullable:"false"`
	ByReason     map[Reason]int   `json:"by_reason" nullable:"false" doc:"Why no rule matched, of those that none did."`
	Stubs        int              `json:"stubs" doc:"Destinations that are stubs."`
	Disabled     int              `json:"disabled" doc:"Destinations that are disabled."`
}

// NewMapTotals returns the totals of nobody.
func NewMapTotals() MapTotals {
	return MapTotals{ByResolution: map[Resolved]int{}, ByReason: map[Reason]int{}}
}

// Add counts a resolution.
func (t *MapTotals) Add(r Resolution) {
	if t.ByResolution == nil {
		*t = NewMapTotals()
	}
	t.Sources++
	t.ByResolution[r.Resolution]++
	if r.Reason != "" {
		t.ByReason[r.Reason]++
	}
	if r.Stub {
		t.Stubs++
	}
	if r.Disabled {
		t.Disabled++
	}
}

// ResolutionFilter selects rows of a report. Empty fields select all.
type ResolutionFilter struct {
	Resolved []Resolved
	Reason   Reason
	Query    string // folded text, in the names of source and destination
}
