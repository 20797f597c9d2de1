package match_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// Everything is drawn from a few values, so that accounts have much in common, and all results come up.
var (
	drawnIDs       = []string{"1", "2", "3", "4", "5", "6"}
	drawnNames     = []string{"", "Ann Doe", "Ann Doe", "Doe, Ann", "Anne Doe", "Bobby Roe", "Boby Roe", "Roe, Bobby", "Bobby Row", "李小明"}
	drawnUsernames = []string{"", "", "ann", "anne", "bob01", "bob02", "ANN"}
	drawnEmails    = []string{"", "", "ann@x.com", "anne@y.com", "Ann@X.com", "bob@x.com", "no address"}
)

// scene is a map and both of its directories.
type scene struct {
	kind                  idmap.MapKind
	m                     idmap.Map
	sources, destinations []match.Entry
}

func (s scene) resolve() []idmap.Resolution {
	r := match.NewResolver(s.m, match.NewIndex(s.kind, s.destinations))
	var results []idmap.Resolution
	for _, source := range s.sources {
		results = append(results, r.Resolve(source))
	}
	return results
}

func drawScene(t *rapid.T) scene {
	s := scene{kind: rapid.SampledFrom([]idmap.MapKind{idmap.AccountMap, idmap.AccountMap, idmap.GroupMap}).Draw(t, "kind")}
	s.sources, s.destinations = drawEntries(t, s.kind), drawEntries(t, s.kind)
	s.m = idmap.Map{MapBy: drawMapBy(t, s.kind)}.WithItems(drawItems(t))
	s.m.UnmappedPolicy = rapid.SampledFrom(idmap.UnmappedPolicies()).Draw(t, "policy")
	if rapid.IntRange(0, 4).Draw(t, "default") == 0 {
		s.m.Destination.Default = &idmap.Principal{ID: rapid.SampledFrom(drawnIDs).Draw(t, "default id")}
	}
	return s
}

func drawEntries(t *rapid.T, kind idmap.MapKind) []match.Entry {
	var entries []match.Entry
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(drawnIDs), 3, 6, rapid.ID).Draw(t, "ids") {
		draw := func(label string, of []string) string { return rapid.SampledFrom(of).Draw(t, label) }
		if kind == idmap.GroupMap {
			entries = append(entries, match.GroupEntry(idmap.Group{
				ID: id, Name: draw("name", drawnNames), Caption: draw("caption", drawnNames), Addresses: []string{draw("email", drawnEmails)},
			}))
		} else {
			entries = append(entries, match.AccountEntry(idmap.Account{
				ID: id, Name: draw("name", drawnNames), Username: draw("username", drawnUsernames),
				Email: draw("email", drawnEmails), Aliases: []string{draw("alias", drawnEmails)},
				External: rapid.IntRange(0, 3).Draw(t, "guest") == 0,
			}))
		}
		last := &entries[len(entries)-1]
		state := rapid.IntRange(0, 9).Draw(t, "state")
		last.Disabled, last.Deleted = state == 8, state == 9
	}
	return entries
}

func drawMapBy(t *rapid.T, kind idmap.MapKind) idmap.MapBy {
	on := func(label string) bool { return rapid.Bool().Draw(t, label) }
	by := idmap.MapBy{ID: rapid.IntRange(0, 3).Draw(t, "id") == 0, Name: on("name")}
	if kind == idmap.GroupMap {
		by.Caption = on("caption")
		return by
	}
	by.Username, by.Email = rapid.IntRange(0, 3).Draw(t, "username") == 0, rapid.IntRange(0, 3).Draw(t, "email") == 0
	by.Fuzzy = rapid.IntRange(0, 3).Draw(t, "fuzzy") > 0
	by.FuzzyThreshold = rapid.SampledFrom([]*float64{nil, new(0.5), new(0.8), new(0.95)}).Draw(t, "threshold")
	by.ExternalPassthrough = on("external")
	by.ExternalResolve = rapid.SampledFrom([]idmap.ExternalResolve{"", idmap.ExternalResolveFirst, idmap.ExternalResolveNever}).Draw(t, "resolve")
	return by
}

func drawItems(t *rapid.T) []idmap.MapItem {
	roles := []idmap.ItemRole{idmap.RoleException, idmap.RoleSourceExclusion, idmap.RoleDestinationExclusion}
	item := rapid.Custom(func(t *rapid.T) idmap.MapItem {
		return idmap.MapItem{
			Role:    rapid.SampledFrom(roles).Draw(t, "role"),
			Subject: idmap.Principal{ID: rapid.SampledFrom(drawnIDs).Draw(t, "subject")},
			Target:  idmap.Principal{ID: rapid.SampledFrom(drawnIDs).Draw(t, "target")},
		}
	})
	// A map has each subject once in a role.
	return rapid.SliceOfNDistinct(item, 0, 3, func(i idmap.MapItem) string { return string(i.Role) + i.Subject.ID }).Draw(t, "items")
}

// matched reports whether the map says which destination the source is: not for a default, nor for what is handed over.
func matched(r idmap.Resolution) bool {
	return r.Destination != nil && r.Resolution != idmap.ResolvedDefault
}

func TestOrderNeverMatters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		before := s.resolve()
		index := match.NewIndex(s.kind, s.destinations)
		p := idmap.Principal{
			ID:       rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "p id"),
			Name:     rapid.SampledFrom(slices.Concat(drawnNames, drawnUsernames, drawnEmails, drawnIDs)).Draw(t, "p name"),
			Username: rapid.SampledFrom(drawnUsernames).Draw(t, "p username"),
			Email:    rapid.SampledFrom(drawnEmails).Draw(t, "p email"),
		}
		found, suggested := index.Find(p), index.Suggest(p.Text(), 3)

		s.destinations = rapid.Permutation(s.destinations).Draw(t, "order")
		s.m = s.m.WithItems(rapid.Permutation(s.m.Items()).Draw(t, "order of items"))
		index = match.NewIndex(s.kind, s.destinations)
		if after := s.resolve(); !reflect.DeepEqual(before, after) {
			t.Fatalf("resolutions differ:\n%+v\n%+v", before, after)
		}
		if again := index.Find(p); !reflect.DeepEqual(found, again) {
			t.Fatalf("%+v names\n%+v\n%+v", p, found, again)
		}
		if again := index.Suggest(p.Text(), 3); !reflect.DeepEqual(suggested, again) {
			t.Fatalf("%q suggests\n%+v\n%+v", p.Text(), suggested, again)
		}
	})
}

func TestAnExclusionNeverAddsAMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		before := s.resolve()
		s.m = s.m.WithItems(append(s.m.Items(), idmap.MapItem{
			Role:    rapid.SampledFrom([]idmap.Location{idmap.LocationSource, idmap.LocationDestination}).Draw(t, "side").Exclusion(),
			Subject: idmap.Principal{ID: rapid.SampledFrom(drawnIDs).Draw(t, "excluded")},
		}))
		for i, after := range s.resolve() {
			if matched(after) && (!matched(before[i]) || before[i].Destination.ID != after.Destination.ID) {
				t.Fatalf("%s: was %s, is %s", after.ID, brief(before[i]), brief(after))
			}
		}
	})
}

// TestWhoIsDisabledIsNotReplaced: an account that is disabled makes nobody the match of another than before.
func TestWhoIsDisabledIsNotReplaced(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		before := s.resolve()
		s.destinations = slices.Clone(s.destinations)
		s.destinations[rapid.IntRange(0, len(s.destinations)-1).Draw(t, "who")].Disabled = true
		for i, after := range s.resolve() {
			if matched(after) && !match.SameResult(before[i], after) {
				t.Fatalf("%+v\nbecame\n%+v", before[i], after)
			}
		}
	})
}

func TestAnExceptionAlwaysDecides(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		source := rapid.SampledFrom(s.sources).Draw(t, "source").Principal.ID
		target := rapid.SampledFrom(drawnIDs).Draw(t, "target of the exception")
		items := slices.DeleteFunc(s.m.Items(), func(i idmap.MapItem) bool {
			return i.Subject.ID == source && i.Role != idmap.RoleDestinationExclusion
		})
		s.m = s.m.WithItems(append(items, idmap.MapItem{
			Role: idmap.RoleException, Subject: idmap.Principal{ID: source}, Target: idmap.Principal{ID: target},
		}))
		there := slices.ContainsFunc(s.destinations, func(e match.Entry) bool { return e.Principal.ID == target && !e.Deleted })
		for _, r := range s.resolve() {
			if r.ID != source {
				continue
			}
			if there && (r.Resolution != idmap.ResolvedException || r.Destination.ID != target) {
				t.Fatalf("got %s, want the exception to %s", brief(r), target)
			}
			if !there && (r.Resolution != idmap.Unresolved || r.Reason != idmap.ReasonDestinationDeleted) {
				t.Fatalf("got %s, want none, since %s is not there", brief(r), target)
			}
		}
	})
}

func TestAnOptionNeverChangesWhatAStrongerRuleDecided(t *testing.T) {
	t.Parallel()
	order := idmap.AllResolved()
	options := []struct {
		rule idmap.Resolved
		set  func(*idmap.MapBy)
	}{
		{idmap.ResolvedID, func(by *idmap.MapBy) { by.ID = true }},
		{idmap.ResolvedEmail, func(by *idmap.MapBy) { by.Email = true }},
		{idmap.ResolvedUsername, func(by *idmap.MapBy) { by.Username = true }},
		{idmap.ResolvedName, func(by *idmap.MapBy) { by.Name = true }},
		{idmap.ResolvedCaption, func(by *idmap.MapBy) { by.Caption = true }},
		{idmap.ResolvedFuzzy, func(by *idmap.MapBy) { by.Fuzzy = true }},
	}
	rapid.Check(t, func(t *rapid.T) {
		s := drawScene(t)
		before := s.resolve()
		option := options[rapid.IntRange(0, len(options)-1).Draw(t, "option")]
		option.set(&s.m.MapBy)
		for i, after := range s.resolve() {
			stronger := slices.Index(order, before[i].Resolution) < slices.Index(order, option.rule)
			if stronger && !reflect.DeepEqual(before[i], after) {
				t.Fatalf("with %s: was %+v, is %+v", option.rule, before[i], after)
			}
		}
	})
}

func TestNothingPanics(t *testing.T) {
	t.Parallel()
	odd := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"\u0301", "\u202e", "İ", "ß ǰ", "𝔘𝔫𝔦", "\x00", "@", "a@", "１２", "ﷺ"}))
	rapid.Check(t, func(t *rapid.T) {
		draw := func() match.Entry {
			text := odd.Draw(t, "text")
			return match.AccountEntry(idmap.Account{
				ID: odd.Draw(t, "id"), Name: odd.Draw(t, "name"), Username: text, Email: text + "@x.com",
			})
		}
		index := match.NewIndex(idmap.AccountMap, []match.Entry{draw(), draw()})
		by := idmap.MapBy{Default: true, Fuzzy: true, FuzzyThreshold: new(0.5)}
		r := match.NewResolver(idmap.Map{MapBy: by}, index).Resolve(draw())
		if !utf8.ValidString(r.Message) {
			t.Fatalf("the message is not text: %q", r.Message)
		}
		index.Find(draw().Principal)
		index.Suggest(odd.Draw(t, "suggest"), 3)
	})
	for _, empty := range []*match.Index{match.NewIndex(idmap.AccountMap, nil), match.NewIndex(idmap.AccountMap, []match.Entry{{}})} {
		empty.Find(idmap.Principal{Name: "x"})
		empty.Suggest("x", 3)
		by := idmap.MapBy{Default: true, Fuzzy: true}
		match.NewResolver(idmap.Map{MapBy: by}, empty).Resolve(match.Entry{NameKey: "x"})
	}
}

// TestScenesShowEverything keeps the properties from being about nothing.
func TestScenesShowEverything(t *testing.T) {
	t.Parallel()
	var seen idmap.MapTotals
	scenes := rapid.Custom(drawScene)
	for seed := range 500 {
		for _, r := range scenes.Example(seed).resolve() {
			seen.Add(r)
		}
	}
	for _, resolved := range idmap.AllResolved() {
		if seen.ByResolution[resolved] == 0 {
			t.Errorf("no scene has %s", resolved)
		}
	}
	for _, reason := range idmap.Reasons() {
		if seen.ByReason[reason] == 0 {
			t.Errorf("no scene has %s", reason)
		}
	}
	if seen.Disabled == 0 {
		t.Error("no scene has a disabled destination")
	}
	t.Log(seen.ByResolution, seen.ByReason)
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := match.NewResolver(idmap.Map{MapBy: idmap.MapBy{Name: true, Fuzzy: true}}, match.NewIndex(idmap.AccountMap, destinations()))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if got := r.Resolve(account(idmap.Account{ID: "x", Name: "Micheal Webb"})); brief(got) != "Fuzzy 4" {
					t.Errorf("got %s", brief(got))
				}
			}
		})
	}
	all.Wait()
}
