package provider

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestSameExceptions(t *testing.T) {
	t.Parallel()
	state := stringMap("Jane", "JDOE", "anna@example.com", "42")
	unknown := types.MapValueMust(types.StringType, map[string]attr.Value{"Jane": types.StringUnknown(), "anna@example.com": types.StringValue("42")})
	for name, test := range map[string]struct {
		config types.Map
		kept   bool
	}{
		"same":              {state, true},
		"other spelling":    {stringMap("jane", "jdoe", "SMTP:Anna@EXAMPLE.com", "42"), true},
		"other blanks":      {stringMap(" Jane ", "JDOE", "anna@example.com", "42"), true},
		"other destination": {stringMap("Jane", "JDOE", "anna@example.com", "43"), false},
		"other source":      {stringMap("John", "JDOE", "anna@example.com", "42"), false},
		"one more":          {stringMap("Jane", "JDOE", "anna@example.com", "42", "x", "y"), false},
		"one more spelling": {stringMap("Jane", "JDOE", "jane", "JDOE", "anna@example.com", "42"), false},
		"null":              {types.MapNull(types.StringType), false},
		"unknown":           {types.MapUnknown(types.StringType), false},
		"unknown inside":    {unknown, false},
	} {
		if got := textForm(nameKey).sameExceptions(test.config, state); got != test.kept {
			t.Errorf("%s: the same is %v", name, got)
		}
	}
}

func TestSameExclusions(t *testing.T) {
	t.Parallel()
	state := stringList("Jane", "anna@example.com")
	for name, test := range map[string]struct {
		config types.List
		kept   bool
	}{
		"same":           {state, true},
		"other order":    {stringList("anna@example.com", "Jane"), true},
		"other spelling": {stringList("ANNA@example.com", "jane"), true},
		"one more":       {stringList("Jane", "anna@example.com", "x"), false},
		"one twice":      {stringList("Jane", "anna@example.com", "jane"), false},
		"another":        {stringList("Jane", "john"), false},
		"empty":          {stringList(), false},
		"null":           {types.ListNull(types.StringType), false},
		"unknown":        {types.ListUnknown(types.StringType), false},
	} {
		if got := textForm(nameKey).sameExclusions(test.config, state); got != test.kept {
			t.Errorf("%s: the same is %v", name, got)
		}
	}
}

// TestIDsThatDifferInCase are two accounts, whatever a similar spelling means elsewhere.
func TestIDsThatDifferInCase(t *testing.T) {
	t.Parallel()
	state := stringMap("aB1", "x", "AB1", "y")
	items := []idmap.MapItem{
		{Role: idmap.RoleException, Subject: idmap.Principal{ID: "AB1", Name: "AB1"}, Target: idmap.Principal{ID: "y"}},
		{Role: idmap.RoleException, Subject: idmap.Principal{ID: "aB1", Name: "aB1"}, Target: idmap.Principal{ID: "x"}},
	}
	for _, form := range []textForm{nameKey, spellingOf(caseMatters(idmap.Map{}.WithItems(items)))} {
		if got := form.takeExceptions(state, items); !got.Equal(state) {
			t.Errorf("%s became %s", state, got)
		}
		if got := form.takeExceptions(stringMap("AB1", "y"), items); !got.Equal(state) {
			t.Errorf("one of two: %s", got)
		}
	}
}

// TestCaseMatters where somebody is named by an id that another spelling could be the id of another one.
func TestCaseMatters(t *testing.T) {
	t.Parallel()
	exception := func(source, destination idmap.Principal) idmap.Map {
		return idmap.Map{}.WithItems([]idmap.MapItem{{Role: idmap.RoleException, Subject: source, Target: destination}})
	}
	plain := idmap.Principal{ID: "o-jane", Name: "jane"}
	for name, test := range map[string]struct {
		m    idmap.Map
		want bool
	}{
		"nobody":               {idmap.Map{}, false},
		"by other names":       {exception(plain, idmap.Principal{ID: "n-jane", Email: "jane@example.com"}), false},
		"by an id":             {exception(idmap.Principal{ID: "001A", Name: "001A"}, plain), true},
		"by one in small":      {exception(plain, idmap.Principal{ID: "001a", Name: "001a"}), true},
		"by the field":         {exception(idmap.Principal{Type: "account", ID: "001A"}, plain), true},
		"by a number":          {exception(idmap.Principal{ID: "0012", Name: "0012"}, plain), false},
		"in another spelling":  {exception(idmap.Principal{ID: "001A", Name: "001a"}, plain), false},
		"an id, and otherwise": {exception(idmap.Principal{ID: "001A", Name: "jane"}, plain), false},
		"an exclusion":         {idmap.Map{}.WithItems([]idmap.MapItem{{Role: idmap.RoleSourceExclusion, Subject: idmap.Principal{ID: "x", Name: "x"}}}), true},
		"the default":          {idmap.Map{Destination: idmap.MapEnd{Default: &idmap.Principal{ID: "x", Name: "x"}}}, true},
	} {
		if got := caseMatters(test.m); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSpellingOfAnIDThatChanged outside: what the state has is somebody else's id.
func TestSpellingOfAnIDThatChanged(t *testing.T) {
	t.Parallel()
	of := func(id string) idmap.Map {
		p := idmap.Principal{ID: id, Name: id}
		m := idmap.Map{}.WithItems([]idmap.MapItem{
			{Role: idmap.RoleException, Subject: p, Target: p}, {Role: idmap.RoleSourceExclusion, Subject: p}, {Role: idmap.RoleDestinationExclusion, Subject: p},
		})
		m.Destination.Default = &p
		return m
	}
	var state mapModel
	state.fromAPI(groupMaps, of("001A"))
	before := state
	state.fromAPI(groupMaps, of("001a"))
	for i, part := range state.parts() {
		if name, isName := part.(types.String); isName && name.ValueString() == "001A" {
			t.Errorf("part %d is still %s", i, name)
		}
	}
	if state.Exceptions.Equal(before.Exceptions) || state.SourceExclusions.Equal(before.SourceExclusions) || state.DestinationExclusions.Equal(before.DestinationExclusions) {
		t.Errorf("still %+v", state)
	}
}

func TestTakeExclusions(t *testing.T) {
	t.Parallel()
	items := func(names ...string) (all []idmap.MapItem) {
		for i, name := range names {
			all = append(all, idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: idmap.Principal{ID: fmt.Sprint(i), Name: name}})
		}
		return all
	}
	for name, test := range map[string]struct {
		state types.List
		items []idmap.MapItem
		want  types.List
	}{
		"imported":              {types.List{}, items("b", "a"), stringList("b", "a")},
		"order of the state":    {stringList("B", "A"), items("a", "b"), stringList("B", "A")},
		"one added and removed": {stringList("c", "B", "A"), items("a", "x", "b"), stringList("B", "A", "x")},
		"all removed":           {stringList("a"), nil, stringList()},
		"none, null":            {types.ListNull(types.StringType), nil, types.ListNull(types.StringType)},
		"none, empty":           {stringList(), nil, stringList()},
		"same name twice":       {types.List{}, items("a", "a"), stringList("0", "1")},
	} {
		if got := textForm(nameKey).takeExclusions(test.state, test.items); !got.Equal(test.want) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestItemsTakeLinearTime: ten times the items may not take a hundred times the time.
func TestItemsTakeLinearTime(t *testing.T) {
	t.Parallel()
	took := func(n int) time.Duration {
		var pairs, names []string
		var exceptions, exclusions []idmap.MapItem
		for i := range n {
			from, to := fmt.Sprintf("Person%06d@old.example", i), fmt.Sprintf("person%06d", i)
			pairs, names = append(pairs, from, to), append(names, from)
			subject := idmap.Principal{ID: fmt.Sprint(i), Name: fmt.Sprintf("person%06d@old.example", i)}
			exceptions = append(exceptions, idmap.MapItem{Role: idmap.RoleException, Subject: subject, Target: idmap.Principal{Name: to}})
			exclusions = append(exclusions, idmap.MapItem{Role: idmap.RoleSourceExclusion, Subject: subject})
		}
		slices.Reverse(exclusions)
		of, list := stringMap(pairs...), stringList(names...)
		start := time.Now()
		if got := textForm(nameKey).takeExceptions(of, exceptions); !got.Equal(of) || !textForm(nameKey).sameExceptions(of, got) {
			t.Error("the exceptions changed")
		}
		if got := textForm(nameKey).takeExclusions(list, exclusions); !got.Equal(list) || !textForm(nameKey).sameExclusions(list, got) {
			t.Error("the exclusions changed")
		}
		return time.Since(start)
	}
	took(1000) // warm
	if few, many := took(2_000), took(20_000); many > 60*few+time.Second {
		t.Errorf("2,000 items take %s, 20,000 take %s", few, many)
	}
}
