package provider

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// front is what stands before the backend: it remembers the requests for checks and for accounts, and answers those that
// begin like failing instead of the backend.
type front struct {
	failing string // such as "POST /v1/user_mappings/validate"
	status  int

	mu   sync.Mutex
	sent []string // the bodies
}

// asked are the bodies of the requests for checks and for accounts so far.
func (f *front) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

func (f *front) before(w http.ResponseWriter, r *http.Request) bool {
	if strings.HasSuffix(r.URL.Path, "/validate") || strings.Contains(r.URL.Path, "/accounts/") {
		body, _ := io.ReadAll(r.Body) // what is cut off, the backend refuses
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.mu.Lock()
		f.sent = append(f.sent, string(body))
		f.mu.Unlock()
	}
	if f.failing == "" || !strings.HasPrefix(r.Method+" "+r.URL.Path, f.failing) {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	code := map[int]string{http.StatusForbidden: "forbidden", http.StatusInternalServerError: "internal"}[f.status]
	_, _ = w.Write([]byte(`{"type":"error","errors":[{"code":"` + code + `","description":"It does not work today."}]}`))
	return true
}

// newProtocolBehind is a provider whose requests pass the front. It has no second try.
func newProtocolBehind(t *testing.T, server *acctest.Server, f *front, arguments fields) protocol {
	t.Helper()
	all := fields{"endpoint": scenario{T: t, server: server}.behind(f.before), "token": server.Token, "max_retries": 0}
	maps.Copy(all, arguments)
	return newProtocolWith(t, all)
}

// firstPlan is the one of a replacement that has prior state, and whose warnings Terraform shows.
func (p protocol) firstPlan(resource string, config, prior fields) string {
	p.Helper()
	first, _ := p.planTwice(resource, config, prior)
	return told(first)
}

// apply creates an object that is configured so, or deletes what is stored so.
func (p protocol) apply(resource string, config, prior fields) []*tfprotov6.Diagnostic {
	p.Helper()
	object := p.objects[resource]
	planned := maps.Clone(config)
	if planned != nil {
		planned["id"] = tftypes.UnknownValue
	}
	applied, err := p.provider.ApplyResourceChange(p.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, Config: p.value(object, config), PriorState: p.value(object, prior), PlannedState: p.value(object, planned),
	})
	if err != nil {
		p.Fatal(err)
	}
	return applied.Diagnostics
}

// replacedMapping is a stored mapping and its configuration between other connections, of which the backend warns. Only
// beside the deletion of the stored one it is right, since all pods of Oracle Sales share a mailbox's one user.
func replacedMapping(t *testing.T, server *acctest.Server) (config, prior fields) {
	t.Helper()
	acctest.Stage(t, server.Backend, backend.Call{})
	stored, _, err := server.Client.CreateUserMapping(t.Context(), "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	if err != nil {
		t.Fatal(err)
	}
	stored.Source.Account, stored.Destination.Account = nil, nil // which Terraform does not pin
	prior = mappingFields(stored)
	prior["id"], prior["email_source"], prior["origin"] = stored.ID, string(stored.EmailSource), string(stored.Origin)
	return mappingFields(rulestest.Between(rulestest.Mail, rulestest.Stage, "jdoe@contoso.com", "JDOE")), prior
}

// asksTheSame expects that the first plan of a replacement asks the backend what the second one asks: about both objects.
func asksTheSame(t *testing.T, server *acctest.Server, resource string, config, prior fields) {
	t.Helper()
	f := &front{}
	newProtocolBehind(t, server, f, nil).planTwice(resource, config, prior)
	asked := f.asked()
	if len(asked) != 2 || asked[0] != asked[1] || !strings.Contains(asked[0], `"create"`) || !strings.Contains(asked[0], `"delete"`) {
		t.Errorf("the plans of a replacement ask %q", asked)
	}
}

// storedMap is a stored map, as a create of this configuration has made it.
func storedMap(t *testing.T, server *acctest.Server) (config, prior fields, stored idmap.Map) {
	t.Helper()
	wanted := rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles)
	wanted.UnmappedPolicy = idmap.UnmappedSkip // as the provider sends it
	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, newWalk(nil, true).mapKey(accountMaps, mapWire{Map: wanted}), wanted)
	if err != nil {
		t.Fatal(err)
	}
	config, _ = mapFields(accountMaps, wanted)
	prior = maps.Clone(config)
	prior["id"] = stored.ID
	return config, prior, stored
}

// nightly is an unfinished job that uses the map.
func nightly(t *testing.T, server *acctest.Server, of idmap.Map) {
	t.Helper()
	_, err := server.Backend.CreateJob(t.Context(), backend.Call{}, idmap.Job{Name: "Night", Kind: idmap.JobKindTransfer, Transfer: idmap.JobTransfer{
		Source: idmap.JobEnd{Connection: of.Source.Connection}, Destination: idmap.JobEnd{Connection: of.Destination.Connection},
		AccountMap: &idmap.MapUse{ID: of.ID},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplacedMappingWarns: the first plan of a replacement gives the warnings of the mapping that it makes, and says
// where it could not ask for them. Without checks it asks nothing.
func TestReplacedMappingWarns(t *testing.T) {
	t.Parallel()
	const resource = "idmap_user_mapping"
	server := acctest.NewServer(t)
	config, prior := replacedMapping(t, server)
	wantTold(t, newProtocol(t, server).firstPlan(resource, config, prior), `WARNING: Email Is an Alias at AttributeName("email")`, idmap.CodeEmailIsAlias)

	asksTheSame(t, server, resource, config, prior)
	quiet := &front{}
	if said := newProtocolBehind(t, server, quiet, fields{"plan_checks": false}).firstPlan(resource, config, prior); said != "" || len(quiet.asked()) > 0 {
		t.Errorf("without checks: %q, after %q", said, quiet.asked())
	}
	broken := &front{failing: "POST /v1/user_mappings/validate", status: http.StatusInternalServerError}
	if said := newProtocolBehind(t, server, broken, nil).firstPlan(resource, config, prior); !strings.HasPrefix(said, "ERROR") || !strings.Contains(said, "It does not work today.") {
		t.Errorf("of a server that fails: %q", said)
	}
}

// TestReplacedMapWarns is that of a map. Against a DryvIQ platform the first plan asks nothing either.
func TestReplacedMapWarns(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	config, prior, _ := storedMap(t, server)
	successor := maps.Clone(config)
	successor["destination_connection_id"] = rulestest.BoxFiles
	resource := accountMaps.resource()
	wantTold(t, newProtocol(t, server).firstPlan(resource, successor, prior), "WARNING: Map Is Incomplete: Staff at", idmap.CodeMapIncomplete)

	asksTheSame(t, server, resource, successor, prior)
	quiet := &front{}
	if said := newProtocolBehind(t, server, quiet, fields{"plan_checks": false}).firstPlan(resource, successor, prior); said != "" || len(quiet.asked()) > 0 {
		t.Errorf("without checks: %q, after %q", said, quiet.asked())
	}
	broken := &front{failing: "POST /v1/account_maps/validate", status: http.StatusInternalServerError}
	if said := newProtocolBehind(t, server, broken, nil).firstPlan(resource, successor, prior); !strings.HasPrefix(said, "ERROR") || !strings.Contains(said, "It does not work today.") {
		t.Errorf("of a server that fails: %q", said)
	}

	platform := acctest.NewPlatform(t)
	var asked atomic.Int32
	platform.FailWhere(func(r *http.Request) int {
		if strings.HasSuffix(r.URL.Path, "/validate") {
			asked.Add(1)
		}
		return 0
	})
	said := newProtocolWith(t, fields{"endpoint": platform.URL, "token": platform.NewToken()}).firstPlan(resource, successor, prior)
	if strings.Count(said, "WARNING") != 1 || !strings.HasPrefix(said, "WARNING: Server Checks Nothing at Plan") || asked.Load() > 0 {
		t.Errorf("against a platform: %q, after %d requests", said, asked.Load())
	}
}

// TestRefusedDeleteKeepsItsObject: a create of the same content, which the backend answers with what is there, does not get
// what another resource could not delete.
func TestRefusedDeleteKeepsItsObject(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	stageMapWorld(t, server)
	wanted := rulestest.Mapping("jane.doe@contoso.com", "JDOE")
	wanted.EmailSource = idmap.EmailExplicit // as the provider sends it
	mapping, _, err := server.Client.CreateUserMapping(t.Context(), newWalk(nil, true).requestKey("user_mapping", wanted), wanted)
	if err != nil {
		t.Fatal(err)
	}
	ofMapping := mappingFields(wanted)
	ofMapping["email_source"] = string(idmap.EmailExplicit)
	priorMapping := maps.Clone(ofMapping)
	priorMapping["id"], priorMapping["origin"] = mapping.ID, string(mapping.Origin)
	ofMap, priorMap, stored := storedMap(t, server)
	nightly(t, server, stored)

	p := newProtocolBehind(t, server, &front{failing: "DELETE /v1/user_mappings/", status: http.StatusForbidden}, nil)
	for resource, c := range map[string]struct {
		config, prior fields
		refusal       string
		code          idmap.Code
	}{
		"idmap_user_mapping": {ofMapping, priorMapping, "ERROR: Token Lacks Scope", idmap.CodeUserAlreadyMapped},
		"idmap_account_map":  {ofMap, priorMap, "ERROR: Map Is in Use", idmap.CodeNameInUse},
	} {
		if said := told(p.apply(resource, nil, c.prior)); !strings.HasPrefix(said, c.refusal) {
			t.Errorf("the delete of an %s: %q", resource, said)
		}
		wantTold(t, told(p.apply(resource, c.config, nil)), "ERROR: Claimed Twice at", c.code, "could not delete it")
	}
}

// TestTakenOverMapIsClaimed: a create that takes a stored map for its own, tainted one is refused beside the resource that
// has the map and only renames it, whichever of the two Terraform plans first.
func TestTakenOverMapIsClaimed(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	config, prior, stored := storedMap(t, server)
	renamed := maps.Clone(prior)
	renamed["name"] = "People"
	rename := func(p protocol) []string {
		return refusals(p.planResource("idmap_account_map", renamed, prior, renamed, nil).Diagnostics)
	}
	create := func(p protocol) []string { return refusals(p.planMap(accountMaps, config, nil, config)) }
	for order, plans := range map[string][]func(protocol) []string{"the rename first": {rename, create}, "the create first": {create, rename}} {
		p := newProtocol(t, server)
		p.read("idmap_account_map", stored.ID)
		if found := plans[0](p); len(found) > 0 {
			t.Errorf("%s: %v", order, found)
		}
		if found := plans[1](p); len(found) != 1 || !strings.HasPrefix(found[0], "Claimed Twice: ") || !strings.Contains(found[0], "claim one account map") {
			t.Errorf("%s: the second plan is refused with %v", order, found)
		}
	}
}

// TestMapInUseUnderANewName cannot be deleted, so the create of its new resource is refused, in either order. Only if the
// map is in use is that so: else the create repeats the one that made it.
func TestMapInUseUnderANewName(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	stageMapWorld(t, server)
	config, prior, stored := storedMap(t, server)
	remove := func(p protocol) []string { return refusals(p.planDelete(accountMaps, prior)) }
	create := func(p protocol) []string { return refusals(p.planMap(accountMaps, config, nil, config)) }
	orders := map[string][]func(protocol) []string{"the delete first": {remove, create}, "the create first": {create, remove}}
	for _, used := range []bool{false, true} {
		if used {
			nightly(t, server, stored)
		}
		for order, plans := range orders {
			p := newProtocol(t, server)
			p.read("idmap_account_map", stored.ID)
			if found := plans[0](p); len(found) > 0 {
				t.Errorf("%s: %v", order, found)
			}
			found := plans[1](p)
			refused := len(found) == 1 && strings.HasPrefix(found[0], "Map Is in Use") && strings.Contains(found[0], "Night") && strings.Contains(found[0], "moved block")
			if used && !refused || !used && len(found) > 0 {
				t.Errorf("%s, in use is %v: the second plan is refused with %v", order, used, found)
			}
		}
	}
}

// TestMailboxClaimedTwice: two addresses of one mailbox in one configuration, for two users.
func TestMailboxClaimedTwice(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	p := newProtocol(t, server)
	jane, john := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "JDOE")), mappingFields(rulestest.Mapping("jdoe@contoso.com", "JROE"))
	p.fine(nil, p.change(jane, nil, jane))
	found := p.change(john, nil, john)
	i := slices.IndexFunc(found, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError })
	if i < 0 {
		t.Fatalf("the second one of the mailbox: %q", told(found))
	}
	wantTold(t, told(found[i:]), `ERROR: Claimed Twice at AttributeName("email")`, idmap.CodeEmailInUse,
		`claim the mailbox of "jdoe@contoso.com" and "jane.doe@contoso.com": `, "JROE", "JDOE")
}
