package provider

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestKeepExceptions(t *testing.T) {
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
		req := planmodifier.MapRequest{ConfigValue: test.config, PlanValue: test.config, StateValue: state}
		resp := planmodifier.MapResponse{PlanValue: test.config}
		keepExceptions{}.PlanModifyMap(t.Context(), req, &resp)
		if want := test.config; test.kept && !resp.PlanValue.Equal(state) || !test.kept && !resp.PlanValue.Equal(want) {
			t.Errorf("%s: planned %s", name, resp.PlanValue)
		}
	}
}

func TestKeepExclusions(t *testing.T) {
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
		req := planmodifier.ListRequest{ConfigValue: test.config, PlanValue: test.config, StateValue: state}
		resp := planmodifier.ListResponse{PlanValue: test.config}
		keepExclusions{}.PlanModifyList(t.Context(), req, &resp)
		if want := test.config; test.kept && !resp.PlanValue.Equal(state) || !test.kept && !resp.PlanValue.Equal(want) {
			t.Errorf("%s: planned %s", name, resp.PlanValue)
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
	if got := takeExceptions(state, items); !got.Equal(state) {
		t.Errorf("%s became %s", state, got)
	}
	if got := takeExceptions(stringMap("AB1", "y"), items); !got.Equal(state) {
		t.Errorf("one of two: %s", got)
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
		if got := takeExclusions(test.state, test.items); !got.Equal(test.want) {
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
		if got := takeExceptions(of, exceptions); !got.Equal(of) || !sameExceptions(of, got) {
			t.Error("the exceptions changed")
		}
		if got := takeExclusions(list, exclusions); !got.Equal(list) || !sameExclusions(list, got) {
			t.Error("the exclusions changed")
		}
		return time.Since(start)
	}
	took(1000) // warm
	if few, many := took(2_000), took(20_000); many > 60*few+time.Second {
		t.Errorf("2,000 items take %s, 20,000 take %s", few, many)
	}
}
