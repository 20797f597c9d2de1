package provider

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// spelled draws one of the spellings of a name.
func spelled(rt *rapid.T, label, name string) string {
	ways := map[string]func(string) string{
		"typed": func(s string) string { return s }, "upper": cases.Upper(language.Und).String, "title": cases.Title(language.Und).String,
		"decomposed": norm.NFD.String, "wide": width.Widen.String, "blanks": func(s string) string { return " " + s + "\t" },
	}
	for _, way := range rapid.SliceOfN(rapid.SampledFrom(slices.Sorted(maps.Keys(ways))), 0, 3).Draw(rt, label) {
		name = ways[way](name)
	}
	return name
}

// spelledEmail draws one of the spellings of an address.
func spelledEmail(rt *rapid.T, label, local string, domains ...string) string {
	scheme := rapid.SampledFrom([]string{"", "SMTP:", "smtp: "}).Draw(rt, label+" scheme")
	domain := rapid.SampledFrom(domains).Draw(rt, label+" domain")
	return scheme + strings.TrimSpace(spelled(rt, label, local)) + "@" + domain
}

// refusals returns the summaries of errors.
func refusals(diagnostics []*tfprotov6.Diagnostic) []string {
	var found []string
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			found = append(found, d.Summary+": "+d.Detail)
		}
	}
	return found
}

// refreshed reads an object of which the state has these values.
func (p protocol) refreshed(resource string, state fields) *tfprotov6.ReadResourceResponse {
	p.Helper()
	read, err := p.provider.ReadResource(p.Context(), &tfprotov6.ReadResourceRequest{TypeName: resource, CurrentState: p.value(p.objects[resource], state)})
	if err != nil {
		p.Fatal(err)
	}
	p.fine(nil, read.Diagnostics)
	return read
}

// isNoChange expects of the backend's object, the state and the configuration, which spell the same, that a refresh
// leaves the state and a plan has nothing to do or to say; and that a replacement, and the plan of a tainted object, are
// in the way of nothing.
func isNoChange(rt *rapid.T, begin func() protocol, resource string, config, state fields) {
	p := begin()
	read := p.refreshed(resource, state)
	want := tftypes.NewValue(p.objects[resource], nil)
	if value, err := p.value(p.objects[resource], state).Unmarshal(p.objects[resource]); err == nil {
		want = value
	}
	if now, err := read.NewState.Unmarshal(p.objects[resource]); err != nil || !now.Equal(want) {
		rt.Fatalf("a refresh makes %s of %s (%v)", now, want, err)
	}
	proposed := maps.Clone(state)
	for name, value := range config {
		if value != nil {
			proposed[name] = value
		}
	}
	valid, err := p.provider.ValidateResourceConfig(p.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: p.value(p.objects[resource], config)})
	if err != nil || len(valid.Diagnostics) > 0 {
		rt.Fatalf("the configuration is not valid: %v, %v", refusals(valid.Diagnostics), err)
	}
	plan := p.planResource(resource, config, state, proposed, read.Private)
	if now, err := plan.PlannedState.Unmarshal(p.objects[resource]); err != nil || !now.Equal(want) || len(plan.Diagnostics) > 0 {
		rt.Fatalf("planned is %s, the state is %s; %v, %v", now, want, refusals(plan.Diagnostics), err)
	}
	if found := refusals(p.planResource(resource, config, nil, config, plan.PlannedPrivate).Diagnostics); len(found) > 0 {
		rt.Fatalf("a replacement is refused: %v", found)
	}
	p = begin()
	p.refreshed(resource, state)
	if found := refusals(p.planResource(resource, config, nil, config, nil).Diagnostics); len(found) > 0 {
		rt.Fatalf("what is tainted is refused: %v", found)
	}
}

// TestSpellingsOfAMapping: the backend, the state and the configuration may each spell the email and the user id in a
// way of its own. That is no change, and in the way of nothing; but of another resource it is the same.
func TestSpellingsOfAMapping(t *testing.T) {
	s := newScenario(t)
	mail, sales := s.stageConnection("Mail", "", ""), s.stageConnection("Sales", "", "")
	m, _, err := s.server.Client.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: sales}},
		Email: "jörg.strauß@bücher.example", UserID: "jörg.strauß",
	})
	s.must(err)
	rapid.Check(t, func(rt *rapid.T) {
		email := func(where string) string {
			return spelledEmail(rt, where, "jörg.strauß", "bücher.example", "xn--bcher-kva.example", "BÜCHER.Example")
		}
		m.Email, m.UserID, m.Revision = email("email of the backend"), spelled(rt, "user of the backend", "jörg.strauß"), 0
		_, _, err := s.server.Client.UpdateUserMapping(s.ctx(), m)
		s.must(err)
		state := mappingFields(m)
		state["id"], state["email_source"], state["origin"] = m.ID, "explicit", "api"
		state["email"], state["user_id"] = email("email of the state"), spelled(rt, "user of the state", "jörg.strauß")
		config := mappingFields(m)
		config["email"], config["user_id"] = email("email"), spelled(rt, "user", "jörg.strauß")
		isNoChange(rt, func() protocol { return newProtocol(t, s.server) }, "idmap_user_mapping", config, state)

		p := newProtocol(t, s.server)
		p.refreshed("idmap_user_mapping", state)
		p.fine(nil, p.change(config, state, state))
		twin := maps.Clone(config)
		twin["email"] = email("email of a twin")
		if found := refusals(p.change(twin, nil, twin)); len(found) == 0 {
			rt.Fatal("a second resource may have the same email")
		}
	})
}

// TestSpellingsOfAMap: the names of its items, in any order, and that of its default.
func TestSpellingsOfAMap(t *testing.T) {
	s := newScenario(t)
	from := s.stageConnection("Old", "id,username,email,name\n1,jörg,jörg@bücher.example,Jörg Strauß\n2,bot,,Robot\n3,lost,,Lost\n", "")
	to := s.stageConnection("New", "id,username,email,name\n1,JSTRAUSS,,Jörg\n2,andré,,André\n3,rest,,The Rest\n", "")
	id := s.stageMap(idmap.AccountMap, from, to, idmap.Map{Name: "Move", MapBy: idmap.MapBy{ID: true}})
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(where string) (exceptions map[string]string, exclusions []string, rest string) {
			name := func(of string) string { return spelled(rt, of+" "+where, of) }
			exceptions = map[string]string{
				spelledEmail(rt, "source "+where, "jörg", "bücher.example", "xn--bcher-kva.example"): name("jstrauss"), name("bot"): name("andré"),
			}
			return exceptions, rapid.Permutation([]string{name("lost"), name("jörg")}).Draw(rt, "order "+where), name("rest")
		}
		exceptions, exclusions, rest := draw("of the backend")
		m, err := s.server.Client.Map(s.ctx(), idmap.AccountMap, id)
		s.must(err)
		m.Exceptions, m.Exclusions, m.Destination.Default = &[]idmap.MapException{}, &[]idmap.MapExclusion{}, &idmap.Principal{Name: rest}
		for source, destination := range exceptions {
			*m.Exceptions = append(*m.Exceptions, (*pairs(source, destination))[0])
		}
		for _, name := range exclusions {
			*m.Exclusions = append(*m.Exclusions, idmap.MapExclusion{Location: idmap.LocationSource, SID: idmap.Principal{Name: name}})
		}
		_, _, err = s.server.Client.UpdateMap(s.ctx(), idmap.AccountMap, m)
		s.must(err)

		base := fields{
			"name": "Move", "source_connection_id": from, "destination_connection_id": to, "unmapped_policy": "skip",
			"match": map[string]tftypes.Value{
				"ids": tftypes.NewValue(tftypes.Bool, true), "names": tftypes.NewValue(tftypes.Bool, false),
				"usernames": tftypes.NewValue(tftypes.Bool, false), "emails": tftypes.NewValue(tftypes.Bool, false),
			},
		}
		with := func(where string) fields {
			exceptions, exclusions, rest := draw(where)
			f, items, list := maps.Clone(base), map[string]tftypes.Value{}, []tftypes.Value{}
			for source, destination := range exceptions {
				items[source] = tftypes.NewValue(tftypes.String, destination)
			}
			for _, name := range exclusions {
				list = append(list, tftypes.NewValue(tftypes.String, name))
			}
			f["exceptions"], f["source_exclusions"], f["default_account"] = items, list, rest
			return f
		}
		state := with("of the state")
		state["id"] = id
		isNoChange(rt, func() protocol { return newProtocol(t, s.server) }, "idmap_account_map", with(""), state)
	})
}

// TestAnotherCaseOfANameIsItsOwn: people see the name of a connection and of a map, so another case is a change; but it
// is in the way of nothing, its own name least of all.
func TestAnotherCaseOfANameIsItsOwn(t *testing.T) {
	s := newScenario(t)
	from, to := s.stageConnection("Straße", "", ""), s.stageConnection("New", "", "")
	id := s.stageMap(idmap.AccountMap, from, to, idmap.Map{Name: "Straße", MapBy: idmap.MapBy{ID: true}})
	for resource, of := range map[string]string{"idmap_connection": from, "idmap_account_map": id} {
		for _, name := range []string{"STRASSE", "straße", "Straße"} {
			p := newProtocol(t, s.server)
			read := p.read(resource, of)
			var prior map[string]tftypes.Value
			state, err := read.NewState.Unmarshal(p.objects[resource])
			s.must(err)
			s.must(state.As(&prior))
			dynamic := func(change map[string]tftypes.Value) *tfprotov6.DynamicValue {
				values := maps.Clone(prior)
				maps.Copy(values, change)
				value, err := tfprotov6.NewDynamicValue(p.objects[resource], tftypes.NewValue(p.objects[resource], values))
				s.must(err)
				return &value
			}
			renamed := map[string]tftypes.Value{"name": tftypes.NewValue(tftypes.String, name)}
			proposed := dynamic(renamed)
			renamed["id"] = tftypes.NewValue(tftypes.String, nil)
			plan, err := p.provider.PlanResourceChange(s.ctx(), &tfprotov6.PlanResourceChangeRequest{
				TypeName: resource, Config: dynamic(renamed), PriorState: dynamic(nil), ProposedNewState: proposed, PriorPrivate: read.Private,
			})
			s.must(err)
			if found := refusals(plan.Diagnostics); len(found) > 0 {
				t.Errorf("%s becomes %q: %v", resource, name, found)
			}
			planned, err := plan.PlannedState.Unmarshal(p.objects[resource])
			if err != nil || !strings.Contains(planned.String(), name) {
				t.Errorf("%s becomes %q: planned is %s (%v)", resource, name, planned, err)
			}
		}
	}
}
