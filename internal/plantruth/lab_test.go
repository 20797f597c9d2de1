package plantruth

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// lab is a backend with all lanes, and a folder in which Terraform runs.
type lab struct {
	t        *testing.T
	ctx      context.Context
	server   *acctest.Server
	url      string
	space    testenv.Workspace
	lanes    []*lane
	settings string // further arguments of the provider
	aliased  bool   // the provider has an alias, "other"
	world    *world
	stands   map[*lane]string // the configuration that was applied last
}

// world is what labs of one backend have in common.
type world struct {
	mu     sync.Mutex
	theirs map[string]bool // ids of objects that no configuration has
	labs   []*lab
	gate   sync.Mutex
	asked  int               // how often a plan asked the backend to judge it
	before map[string]func() // what happens before the next create ("") or "/validate" reaches the backend
}

// stage is a backend with all lanes at their beginning, from which each lab is copied.
type stage struct {
	rows     []*row
	database []byte
	theirs   map[string]bool
}

// newStage makes the connections, the directories and whatever else the rows need.
func newStage(t *testing.T, rows []*row) *stage {
	t.Helper()
	path := filepath.Join(t.TempDir(), "idmap.db")
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	l := labOn(t, s, rows)
	l.each((*lane).directories)
	l.must(s.Close())
	database, err := os.ReadFile(path)
	l.must(err)
	return &stage{rows, database, l.world.theirs}
}

// newLab returns a lab with a backend of its own.
func newLab(t *testing.T, from *stage) *lab {
	t.Helper()
	path := filepath.Join(t.TempDir(), "idmap.db")
	if err := os.WriteFile(path, from.database, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l := labOn(t, s, from.rows)
	l.world.theirs = maps.Clone(from.theirs)
	web := httptest.NewServer(http.HandlerFunc(l.serve))
	t.Cleanup(web.Close)
	l.url = web.URL
	l.open()
	return l
}

func labOn(t *testing.T, s store.Store, rows []*row) *lab {
	t.Helper()
	l := &lab{t: t, ctx: t.Context(), server: acctest.NewServerOn(t, s), world: &world{theirs: map[string]bool{}}, stands: map[*lane]string{}}
	for _, r := range rows {
		key := strings.TrimPrefix(r.noun, "idmap_") + "-" + r.name()
		l.lanes = append(l.lanes, &lane{lab: l, row: r, key: key, source: key + "-from", destination: key + "-to"})
	}
	return l
}

// open gives the lab a folder of its own.
func (l *lab) open() {
	l.t.Helper()
	cli, err := testenv.Terraform(l.ctx)
	l.must(err)
	l.space = testenv.NewWorkspace(l.t, cli, testenv.Provider(l.t))
	l.world.labs = append(l.world.labs, l)
}

// another returns a lab on the same backend: another configuration, with a state of its own.
func (l *lab) another() *lab {
	l.t.Helper()
	other := *l
	other.lanes, other.stands = nil, map[*lane]string{}
	for _, lane := range l.lanes {
		copied := *lane
		copied.lab, copied.told = &other, nil
		other.lanes = append(other.lanes, &copied)
	}
	other.open()
	return &other
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// foreign notes an object that no configuration has.
func (l *lab) foreign(id string) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.theirs[id] = true
}

// serve is the backend, before which something may happen: no create, or validation, passes until it has.
func (l *lab) serve(w http.ResponseWriter, req *http.Request) {
	if kind := ofWrite.FindStringSubmatch(req.URL.Path); req.Method == http.MethodPost && kind != nil {
		l.world.passes(kind[1])
	}
	l.server.Handler.ServeHTTP(w, req)
}

// passes lets a write, or a validation, pass. Before the first write has happened what was to happen before a validation: in
// an apply, a resource of many mappings asks for none.
func (w *world) passes(kind string) {
	w.gate.Lock()
	defer w.gate.Unlock()
	kinds := []string{"/validate", ""}
	if kind == "/validate" {
		w.asked++
		kinds = kinds[:1]
	}
	for _, kind := range kinds {
		if before := w.before[kind]; before != nil {
			delete(w.before, kind)
			before()
		}
	}
}

var ofWrite = regexp.MustCompile(`^/v1/(?:user_mappings|account_maps|group_maps)(/validate|/batch)?$`)

// each calls a function for every lane.
func (l *lab) each(do func(*lane)) {
	for _, lane := range l.lanes {
		do(lane)
	}
}

// write writes a configuration: what shape makes of each lane.
func (l *lab) write(shape func(*lane) string) {
	l.t.Helper()
	text := "terraform {\n  required_providers {\n    idmap = { source = \"idmap/idmap\" }\n  }\n}\n" + l.provider(l.settings)
	if l.aliased {
		text += l.provider(`alias = "other"`)
	}
	for _, lane := range l.lanes {
		text += shape(lane)
	}
	l.space.Write(l.t, "main.tf", text)
}

func (l *lab) provider(settings string) string {
	return fmt.Sprintf("provider \"idmap\" {\n  endpoint = %q\n  token = %q\n  max_retries = 0\n  %s\n}\n", l.url, l.server.Token, settings)
}

// trial is something that a configuration tries.
type trial struct {
	shape     func(*lane) string   // of the configuration
	otherwise func(*lane) string   // of a lane that is refused in the plan; nil: the good values
	options   []string             // of the plan
	option    func(*lane) []string // of the plan, for each lane that is not refused yet
	between   func()               // what happens between plan and apply
	apply     func()               // instead of applying the plan
	after     func(*lane) string   // what stands when all is applied; nil: the shape
}

// try plans, without the lanes that are refused until nothing is refused any more, and applies that plan.
func (l *lab) try(it trial) {
	l.t.Helper()
	if it.otherwise == nil {
		it.otherwise = isGood
	}
	for refused := map[*lane]bool{}; l.plan(it, refused); {
	}
	if it.between != nil {
		it.between()
	}
	if it.apply == nil {
		l.apply("plan")
	} else {
		it.apply()
	}
}

// plan plans without those that are refused already. It is true where more are.
func (l *lab) plan(it trial, refused map[*lane]bool) (again bool) {
	l.t.Helper()
	args := slices.Concat([]string{"plan", "-json", "-out=plan"}, it.options)
	l.each(func(lane *lane) { lane.planned = nil })
	l.write(func(lane *lane) string {
		if refused[lane] {
			l.stands[lane] = it.otherwise(lane)
			return l.stands[lane]
		}
		if it.option != nil {
			args = append(args, it.option(lane)...)
		}
		text := it.shape(lane)
		l.stands[lane] = text
		if it.after != nil {
			l.stands[lane] = it.after(lane)
		}
		return text
	})
	o := l.space.Run(l.t, args...)
	failed := l.listen(o, planning)
	for lane := range failed {
		if refused[lane] {
			l.t.Fatalf("%s is refused even so\n%v", lane.key, o)
		}
		refused[lane] = true
	}
	if o.Code != 0 && len(failed) == 0 {
		l.t.Fatal(o)
	}
	return o.Code != 0
}

// apply applies a plan, or the configuration.
func (l *lab) apply(args ...string) {
	l.t.Helper()
	l.applied(l.space.Run(l.t, slices.Concat([]string{"apply", "-json"}, args)...), applying)
}

// applied takes in what came of an apply. Of lanes that failed, what is in the state stands.
func (l *lab) applied(o testenv.Outcome, when phase) {
	l.t.Helper()
	failed := l.listen(o, when)
	if o.Code != 0 && len(failed) == 0 {
		l.t.Fatal(o)
	}
	for lane := range failed {
		ids := l.ids()
		l.stands[lane] = ""
		switch {
		case ids[lane.address()] == "":
		case lane.noun == userMappings:
			l.stands[lane] = lane.holds()
		default:
			l.stands[lane] = isGood(lane)
		}
		if ids[lane.address()+"_other"] != "" {
			l.stands[lane] += lane.beside
		}
	}
}

// phase is what a run does. One that does both says its warnings while it plans.
type phase int

const (
	planning phase = iota
	applying
	both
)

// listen sorts what a run said by lane, and returns the lanes with errors.
func (l *lab) listen(o testenv.Outcome, when phase) map[*lane]bool {
	l.t.Helper()
	failed := map[*lane]bool{}
	for line := range strings.Lines(o.Stdout) {
		var message struct {
			Diagnostic *testenv.Diagnostic `json:"diagnostic"`
			Change     struct {
				Action   string
				Resource struct{ Addr string }
			} `json:"change"`
			Type string
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			l.t.Fatalf("a line that is not JSON: %q\n%v", line, o)
		}
		if lane := l.at(message.Change.Resource.Addr); lane != nil && message.Type == "planned_change" && message.Change.Action != "move" && message.Change.Action != "import" {
			lane.planned = append(lane.planned, message.Change.Action)
		}
		d := message.Diagnostic
		if d == nil || d.Summary == "Provider development overrides are in effect" || harmless[d.Summary] {
			continue
		}
		lane := l.about(*d)
		if lane == nil {
			l.t.Fatalf("about no lane (%q): %s\n%s\n%v", d.Address, d.Summary, d.Detail, strings.Join(o.Args, " "))
		}
		if d.Severity == "error" {
			failed[lane] = true
		}
		lane.told = append(lane.told, told{d.Severity, d.Summary, d.Detail, when == applying || when == both && d.Severity == "error"})
	}
	if o.Stderr != "" {
		l.t.Fatal(o)
	}
	return failed
}

// harmless are warnings of Terraform's own about how it is run.
var harmless = map[string]bool{
	"Some objects will no longer be managed by Terraform": true,
	"Resource targeting is in effect":                     true, "Applied changes may be incomplete": true,
}

var ofLane = regexp.MustCompile(`^(idmap_\w+)\.(\w+?)(_other)?(\[.*\])?$`)

// about returns the lane that a diagnostic is about. Of what is deleted Terraform tells no address; then the words do.
func (l *lab) about(d testenv.Diagnostic) *lane {
	if d.Address != "" {
		return l.at(d.Address)
	}
	for _, lane := range l.lanes {
		for _, end := range []string{`"`, "-from", "-to"} {
			if strings.Contains(d.Detail, `"`+lane.key+end) {
				return lane
			}
		}
	}
	return nil
}

// at returns the lane of an address.
func (l *lab) at(address string) *lane {
	parts := ofLane.FindStringSubmatch(address)
	if parts == nil {
		return nil
	}
	for _, lane := range l.lanes {
		if lane.noun == parts[1] && lane.name() == parts[2] {
			return lane
		}
	}
	return nil
}

// begin makes what all lanes have with good values.
func (l *lab) begin(shape func(*lane) string) {
	l.t.Helper()
	l.write(func(lane *lane) string {
		l.stands[lane] = shape(lane)
		return l.stands[lane]
	})
	if o := l.space.Run(l.t, "apply", "-json", "-auto-approve"); o.Code != 0 {
		l.t.Fatal(o)
	}
}

// object is one object of a state file.
type object struct {
	address, id, status string
	user, email         string // of one entry of many mappings
	adopts              bool   // as its resource does
}

// state reads Terraform's state, as it is stored.
func (l *lab) state() []object {
	l.t.Helper()
	data, err := os.ReadFile(filepath.Join(l.space.Folder, "terraform.tfstate"))
	if os.IsNotExist(err) {
		return nil
	}
	l.must(err)
	var file struct {
		Resources []struct {
			Type, Name, Mode string
			Instances        []struct {
				Status     string
				Attributes struct {
					ID       string
					Mappings map[string]string
					Adopts   bool `json:"adopt_existing"`
				}
			}
		}
	}
	l.must(json.Unmarshal(data, &file))
	var all []object
	for _, r := range file.Resources {
		for _, i := range r.Instances {
			switch {
			case r.Type == userMappings:
				all = append(all, l.entries(object{address: r.Type + "." + r.Name, id: i.Attributes.ID, status: i.Status, adopts: i.Attributes.Adopts}, i.Attributes.Mappings)...)
			case strings.HasPrefix(r.Type, "idmap_"):
				all = append(all, object{address: r.Type + "." + r.Name, id: i.Attributes.ID, status: i.Status})
			}
		}
	}
	return all
}

// ids returns the ids of all objects of the state by address, without index: of many mappings that of the first key.
func (l *lab) ids() map[string]string {
	l.t.Helper()
	ids := map[string]string{}
	for _, o := range l.state() {
		ids[o.address] = cmp.Or(ids[o.address], o.id)
	}
	return ids
}

// settle holds the end of a situation against what must be: the states and the backend agree, nothing is tainted, and the
// next plan is empty.
func (l *lab) settle() {
	l.t.Helper()
	l.agree()
	for _, one := range l.world.labs {
		one.write(func(lane *lane) string { return one.stands[lane] })
		before := map[*lane]int{}
		one.each(func(lane *lane) { before[lane], lane.planned = len(lane.told), nil })
		one.listen(one.space.Run(l.t, "plan", "-json"), planning)
		one.each(func(lane *lane) {
			news := lane.told[before[lane]:]
			lane.told = lane.told[:before[lane]]
			if (len(lane.planned) > 0) != lane.drifts || slices.ContainsFunc(news, told.isError) {
				l.t.Errorf("the next plan of %s is not empty: %v, %+v", lane.address(), lane.planned, news)
			}
		})
	}
}

// agree holds the states against the backend: no duplicate, no orphan, nothing lost, nothing tainted.
func (l *lab) agree() {
	l.t.Helper()
	has := map[string]string{}
	for _, one := range l.world.labs {
		for _, o := range one.state() {
			if o.status != "" {
				l.t.Errorf("%s is %s", o.address, o.status)
			}
			if other, twice := has[o.id]; twice {
				l.t.Errorf("%s and %s have one object", o.address, other)
			}
			has[o.id] = o.address
		}
	}
	stored := l.stored()
	for id, what := range stored {
		if has[id] == "" && !l.world.theirs[id] {
			l.t.Errorf("no state has %s %s", what, id)
		}
	}
	for id, address := range has {
		if _, there := stored[id]; !there {
			l.t.Errorf("%s of the state is lost", address)
		}
	}
}

// stored returns all that the backend has, by id.
func (l *lab) stored() map[string]string {
	l.t.Helper()
	all := map[string]string{}
	for m, err := range l.server.Client.UserMappings(l.ctx, idmap.UserMappingFilter{}) {
		l.must(err)
		all[m.ID] = m.Destination.Connection.ID + " " + m.Label()
	}
	for _, kind := range []idmap.MapKind{idmap.AccountMap, idmap.GroupMap} {
		for m, err := range l.server.Client.Maps(l.ctx, kind, client.MapFilter{}) {
			l.must(err)
			all[m.ID] = m.Name
		}
	}
	return all
}

// directories makes the connections of the lane, and what is in them.
func (l *lane) directories() {
	l.t.Helper()
	from := idmap.Connection{ID: l.source, Name: l.source, Platform: idmap.PlatformRef{ID: "network_file_share"}}
	to := idmap.Connection{ID: l.destination, Name: l.destination, Platform: idmap.PlatformRef{ID: "sharepoint_online"}}
	accounts, groups := mapAccounts, mapGroups
	if l.isMapping() {
		from.Platform.ID, from.Authoritative, to.Platform.ID, to.Authoritative = "microsoft365", true, "generic", true
		accounts, groups = mappingAccounts, mappingGroups
	}
	if l.connections != nil {
		l.connections(&from, &to)
	}
	for side, c := range []idmap.Connection{from, to} {
		_, err := l.server.Backend.CreateConnection(l.ctx, backend.Call{}, c)
		l.must(err)
		_, err = l.server.Backend.ImportAccounts(l.ctx, backend.Call{}, c.ID, backend.Import[idmap.Account]{Rows: accounts(side), SHA256: "accounts"})
		l.must(err)
		if rows := groups(side); len(rows) > 0 {
			_, err = l.server.Backend.ImportGroups(l.ctx, backend.Call{}, c.ID, backend.Import[idmap.Group]{Rows: rows, SHA256: "groups"})
			l.must(err)
		}
	}
	if l.prepare != nil {
		l.prepare(l)
	}
}
