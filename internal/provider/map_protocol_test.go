package provider

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestMapSpecification holds the plan against the specification of maps: the same cases as the rules, the backend and the
// API, and the same codes at the same attributes. Cases that no configuration can express are left to those.
func TestMapSpecification(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	expressed := 0
	for _, c := range rulestest.MapCases() {
		kind := kindOf(c.Kind)
		config, ok := mapFields(kind, c.Want)
		if !ok || slices.Contains(c.Refused, idmap.CodeImmutable) { // which Terraform replaces
			continue
		}
		if c.Before != nil {
			if before, _ := mapFields(kind, *c.Before); reflect.DeepEqual(before, config) {
				continue // a plan that changes nothing asks nothing
			}
		}
		expressed++
		if c.Before == nil && c.Other == nil && len(c.Then) == 0 {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				checkMapCase(t, c, newProtocol(t, server).planMap(kind, config, nil, config))
			})
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			own := acctest.NewServer(t)
			stageMapWorld(t, own)
			prior, proposed := stageMapCase(t, own, c, config)
			checkMapCase(t, c, newProtocol(t, own).planMap(kind, config, prior, proposed))
		})
	}
	if expressed < 60 {
		t.Errorf("only %d of %d cases were tried", expressed, len(rulestest.MapCases()))
	}
}

func kindOf(kind idmap.MapKind) mapKind {
	if kind == idmap.GroupMap {
		return groupMaps
	}
	return accountMaps
}

// stageMapWorld stores the connections and the directories of the world in which the cases of maps play.
func stageMapWorld(t *testing.T, server *acctest.Server) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range rulestest.MapConnections() {
		_, err := server.Backend.CreateConnection(t.Context(), backend.Call{}, c)
		must(err)
		_, err = server.Backend.ImportAccounts(t.Context(), backend.Call{}, c.ID, backend.Import[idmap.Account]{Rows: rulestest.MapAccounts()[c.ID], SHA256: "accounts"})
		must(err)
		_, err = server.Backend.ImportGroups(t.Context(), backend.Call{}, c.ID, backend.Import[idmap.Group]{Rows: rulestest.MapGroups()[c.ID], SHA256: "groups"})
		must(err)
		for _, id := range rulestest.MapDeleted()[c.ID] {
			must(server.Client.DeleteAccount(t.Context(), c.ID, id, 0))
		}
		for _, id := range rulestest.MapDeletedGroups()[c.ID] {
			must(server.Client.DeleteGroup(t.Context(), c.ID, id, 0))
		}
	}
}

// stageMapCase stores the maps of a case, lets happen what happens then, and returns the state before and what Terraform
// makes of it and the configuration.
func stageMapCase(t *testing.T, server *acctest.Server, c rulestest.MapCase, config fields) (prior, proposed fields) {
	t.Helper()
	proposed = maps.Clone(config)
	for _, m := range []*idmap.Map{c.Other, c.Before} {
		if m == nil {
			continue
		}
		made, _, err := server.Client.CreateMap(t.Context(), c.Kind, "", *m)
		if err != nil {
			t.Fatal(err)
		}
		if m == c.Before {
			prior, _ = mapFields(kindOf(c.Kind), *m)
			prior["id"], prior["unmapped_policy"] = made.ID, cmp.Or(string(m.UnmappedPolicy), "skip")
			proposed["id"] = made.ID
		}
	}
	for _, e := range c.Then {
		var err error
		switch {
		case e.Account != nil && e.Leaves:
			err = server.Client.DeleteAccount(t.Context(), e.Connection, e.Account.ID, 0)
		case e.Account != nil:
			_, _, err = server.Client.PutAccount(t.Context(), e.Connection, *e.Account)
		case e.Leaves:
			err = server.Client.DeleteGroup(t.Context(), e.Connection, e.Group.ID, 0)
		default:
			_, err = server.Client.PutGroup(t.Context(), e.Connection, *e.Group)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return prior, proposed
}

// mapFields is a map as the configuration has it. It is false where a configuration cannot say it.
func mapFields(k mapKind, m idmap.Map) (fields, bool) {
	optional := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	f := fields{
		"name": m.Name, "unmapped_policy": optional(string(m.UnmappedPolicy)),
		"source_connection_id": m.Source.Connection.ID, "destination_connection_id": m.Destination.Connection.ID,
	}
	ok := m.Source.Default == nil && m.Exceptions != nil && m.Exclusions != nil && optionFields(k, m.MapBy, f)
	if of := m.Destination.Default; of != nil {
		ok = ok && *of == (idmap.Principal{Name: of.Name})
		f[k.defaultName] = of.Name
	}
	exceptions, source, destination := map[string]tftypes.Value{}, []tftypes.Value{}, []tftypes.Value{}
	for _, i := range m.Items() {
		ok = ok && i.Subject == (idmap.Principal{Name: i.Subject.Name}) && i.Target == (idmap.Principal{Name: i.Target.Name})
		switch name := tftypes.NewValue(tftypes.String, i.Subject.Name); i.Role {
		case idmap.RoleException:
			_, twice := exceptions[i.Subject.Name]
			ok = ok && !twice
			exceptions[i.Subject.Name] = tftypes.NewValue(tftypes.String, i.Target.Name)
		case idmap.RoleSourceExclusion:
			source = append(source, name)
		case idmap.RoleDestinationExclusion:
			destination = append(destination, name)
		}
	}
	for _, e := range *cmp.Or(m.Exclusions, new([]idmap.MapExclusion)) {
		ok = ok && (e.Location == idmap.LocationSource || e.Location == idmap.LocationDestination)
	}
	f["exceptions"], f["source_exclusions"], f["destination_exclusions"] = exceptions, source, destination
	return f, ok
}

// optionFields adds the options of a map. It is false for those that a configuration does not have.
func optionFields(k mapKind, by idmap.MapBy, f fields) bool {
	match := map[string]tftypes.Value{}
	rest := by
	for _, option := range k.match {
		match[option.name] = tftypes.NewValue(tftypes.Bool, *option.of(&by))
		*option.of(&rest) = false
	}
	f["match"] = match
	if k.accounts && by.Fuzzy {
		threshold := any(nil)
		if by.FuzzyThreshold != nil {
			threshold = *by.FuzzyThreshold
		}
		f["fuzzy"] = map[string]tftypes.Value{"threshold": tftypes.NewValue(tftypes.Number, threshold)}
		rest.Fuzzy, rest.FuzzyThreshold = false, nil
	}
	if k.accounts && (by.ExternalPassthrough || by.ExternalResolve == idmap.ExternalResolveFirst) {
		f["external_users"] = map[string]tftypes.Value{
			"retain":        tftypes.NewValue(tftypes.Bool, by.ExternalPassthrough),
			"resolve_first": tftypes.NewValue(tftypes.Bool, by.ExternalResolve == idmap.ExternalResolveFirst),
		}
		rest.ExternalPassthrough = false
		if rest.ExternalResolve == idmap.ExternalResolveFirst {
			rest.ExternalResolve = ""
		}
	}
	return rest == idmap.MapBy{}
}

// planMap plans a map and returns what the provider says to it.
func (p protocol) planMap(k mapKind, config, prior, proposed fields) []*tfprotov6.Diagnostic {
	p.Helper()
	object := p.objects[k.resource()]
	valid, err := p.provider.ValidateResourceConfig(p.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: k.resource(), Config: p.value(object, config)})
	if err != nil {
		p.Fatal(err)
	}
	if len(valid.Diagnostics) > 0 {
		return valid.Diagnostics
	}
	plan, err := p.provider.PlanResourceChange(p.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: k.resource(), Config: p.value(object, config), PriorState: p.value(object, prior), ProposedNewState: p.value(object, proposed),
	})
	if err != nil {
		p.Fatal(err)
	}
	return plan.Diagnostics
}

// planDelete plans the deletion of a map, and answers what is said about it.
func (p protocol) planDelete(k mapKind, prior fields) []*tfprotov6.Diagnostic {
	p.Helper()
	return p.planResource(k.resource(), nil, prior, nil, nil).Diagnostics
}

// planReplacement plans an object as Terraform does that replaces it, and answers what is said about its successor.
func (p protocol) planReplacement(resource string, config, prior fields) []*tfprotov6.Diagnostic {
	p.Helper()
	_, second := p.planTwice(resource, config, prior)
	return second
}

// showReplacement answers what Terraform shows of it: of the second plan nothing unless that is refused.
func (p protocol) showReplacement(resource string, config, prior fields) []*tfprotov6.Diagnostic {
	p.Helper()
	first, second := p.planTwice(resource, config, prior)
	if slices.ContainsFunc(second, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError }) {
		return append(first, second...)
	}
	return first
}

func (p protocol) planTwice(resource string, config, prior fields) (first, second []*tfprotov6.Diagnostic) {
	p.Helper()
	proposed := maps.Clone(config)
	proposed["id"] = prior["id"]
	plan := p.planResource(resource, config, prior, proposed, nil)
	return plan.Diagnostics, p.planResource(resource, config, nil, config, plan.PlannedPrivate).Diagnostics
}

// planResource plans an object that is valid.
func (p protocol) planResource(resource string, config, prior, proposed fields, private []byte) *tfprotov6.PlanResourceChangeResponse {
	p.Helper()
	object := p.objects[resource]
	plan, err := p.provider.PlanResourceChange(p.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: p.value(object, config), PriorState: p.value(object, prior), ProposedNewState: p.value(object, proposed), PriorPrivate: private,
	})
	if err != nil {
		p.Fatal(err)
	}
	return plan
}

// checkMapCase compares diagnostics with a case. Where a rule that needs nothing but the map refuses it, the backend is not
// asked, so its codes may be missing.
func checkMapCase(t *testing.T, c rulestest.MapCase, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	effect := []idmap.Code{idmap.CodeMapIncomplete, idmap.CodeMapChangesResults, idmap.CodeMapNotRetroactive}
	var refused, warned []idmap.Code
	first := ""
	for _, d := range diagnostics {
		_, text, _ := strings.Cut(d.Detail, "Code: ")
		switch code := idmap.Code(text); {
		case d.Severity == tfprotov6.DiagnosticSeverityError:
			refused = append(refused, code)
		case slices.Contains(effect, code):
			continue
		default:
			warned = append(warned, code)
		}
		if first == "" && d.Attribute != nil {
			first = d.Attribute.String()
		}
	}
	early := len(refused) > 0 && len(refused) < len(c.Refused) && slices.Equal(refused, c.Refused[:len(refused)])
	if !early && !slices.Equal(refused, c.Refused) || len(c.Refused) == 0 && !slices.Equal(warned, c.Warned) {
		t.Errorf("refused with %v and warned of %v, want %v and %v", refused, warned, c.Refused, c.Warned)
		for _, d := range diagnostics {
			t.Logf("%s: %s", d.Summary, d.Detail)
		}
	}
	if want := attributeOf(c); c.Field != "" && !strings.HasPrefix(first, want) {
		t.Errorf("reported at %q, want %q", first, want)
	}
}

// attributeOf returns how the attribute begins at which the first finding of a case is reported. The provider sends
// exceptions in the order of their keys, so their numbers are not those of the case.
func attributeOf(c rulestest.MapCase) string {
	switch {
	case strings.HasPrefix(c.Field, "exceptions["):
		return `AttributeName("exceptions").ElementKeyString(`
	case strings.HasPrefix(c.Field, "exclusions[") && (*c.Want.Exclusions)[0].Location == idmap.LocationSource:
		return `AttributeName("source_exclusions").ElementKeyInt(`
	case strings.HasPrefix(c.Field, "exclusions["):
		return `AttributeName("destination_exclusions").ElementKeyInt(`
	}
	at, _ := mapWire{}.noun(kindOf(c.Kind)).attribute(c.Field)
	return `AttributeName("` + strings.ReplaceAll(at.String(), ".", `").AttributeName("`) + `")`
}
