package plantruth

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// lane is the part of a lab that belongs to one row: two connections with their directories, and the resources between
// them. Lanes do not meet.
type lane struct {
	*lab
	*row
	key                 string // tells it from other lanes; part of the names in it
	source, destination string // connections
	broken              bool   // the rule of the row is brought about
	known               string // id of an object that is not in the state
	handsOver           bool   // one resource gives another what it has
	beside              string // the configuration of the other resource of the lane
	drifts              bool   // the next plan shows what others changed
	stepped             bool   // what happens before a step has happened
	told                []told
	planned             []string // what the last plan does with it
}

// told is a diagnostic about the lane, and when it came.
type told struct {
	severity, summary, detail string
	applying                  bool
}

func (t told) isError() bool { return t.severity == "error" }

// isAlarm is false of what a plan says of an object that another name of the resource has, in the order of which Terraform
// plans the two.
func (t told) isAlarm() bool { return !strings.HasSuffix(t.summary, " Exists Already") }

// codes returns the codes that the diagnostic has in its last line.
func (t told) codes() []string {
	_, codes, _ := strings.Cut(t.detail[strings.LastIndex(t.detail, "\n")+1:], "Code: ")
	return strings.Split(codes, ", ")
}

// block is a resource of the lane.
type block struct {
	lane   *lane
	values values
	suffix string   // of its name
	lines  []string // further ones
}

func (l *lane) block(v values, lines ...string) block { return block{lane: l, values: v, lines: lines} }

// other is a second resource of the lane.
func (l *lane) other(v values, lines ...string) block {
	b := block{l, v, "_other", lines}
	l.beside = b.String()
	return b
}

func (b block) String() string {
	l := b.lane
	all := values{"source_connection_id": quoted(l.source), "destination_connection_id": quoted(l.destination)}
	if !l.isMapping() {
		all["name"] = quoted("{lane}")
	}
	all = all.with(b.values)
	if l.noun == userMappings {
		all = all.asEntries()
	}
	lines := append(all.lines(), b.lines...)
	text := fmt.Sprintf("resource %q %q {\n  %s\n}\n", l.noun, l.name()+b.suffix, strings.Join(lines, "\n  "))
	return l.fill(text)
}

// fill puts in what is the lane's own.
func (l *lane) fill(text string) string { return strings.ReplaceAll(text, "{lane}", l.key) }

func (l *lane) address() string { return l.noun + "." + l.name() }

// isGood is the configuration with the good values.
func isGood(l *lane) string { return l.block(l.good).String() }

// isCreated is the configuration with values that break the rule by a create.
func isCreated(l *lane) string { return l.block(l.wants(l.create)).String() }

// isUpdated is the one with values that break it by an update.
func isUpdated(l *lane) string { return l.block(l.wants(l.update)).String() }

// wants returns the values of a step, after what happens in the world. Without a step the good values are wanted.
func (l *lane) wants(s *step) values {
	if s == nil {
		return l.good
	}
	if !l.stepped {
		l.stepped = true
		l.brings(s.world)
	}
	return l.good.with(s.to)
}

func (l *lane) brings(about func(*lane)) {
	if about != nil {
		about(l)
	}
	l.broken = l.breaks()
}

// turns lets the world turn under a resource that is there.
func (l *lane) turns() {
	if l.turn != nil {
		l.brings(l.turn)
	}
}

// id returns the id that Terraform has for the resource.
func (l *lane) id() string {
	l.t.Helper()
	id := cmp.Or(l.known, l.ids()[l.address()])
	if id == "" {
		l.t.Fatalf("%s is not in the state", l.address())
	}
	return id
}

// connection changes a connection of the lane.
func (l *lane) connection(id string, change func(*idmap.Connection)) {
	l.t.Helper()
	c, err := l.server.Backend.Connection(l.ctx, id)
	l.must(err)
	_, err = l.server.Backend.UpdateConnection(l.ctx, backend.Call{}, id, 0, func(idmap.Connection) (idmap.Connection, error) {
		change(&c)
		return c, nil
	})
	l.must(err)
}

// account writes an account of a connection.
func (l *lane) account(connection string, a idmap.Account) {
	l.t.Helper()
	_, _, err := l.server.Backend.PutAccount(l.ctx, backend.Call{}, connection, a, 0)
	l.must(err)
}

func (l *lane) group(connection string, g idmap.Group) {
	l.t.Helper()
	_, err := l.server.Backend.PutGroup(l.ctx, backend.Call{}, connection, g, 0)
	l.must(err)
}

// between returns a mapping of the lane's connections.
func (l *lane) between(email, user string) idmap.UserMapping {
	return idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: l.source}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: l.destination}},
		Email: email, UserID: user,
	}
}

// others makes a mapping that is somebody else's, all at once with the API's batch.
func (l *lane) others(email, user string) string {
	l.t.Helper()
	m := l.between(email, user)
	verdicts, err := l.server.Client.ApplyUserMappings(l.ctx, client.NewKey(), []idmap.UserMappingIntent{{Operation: idmap.OperationCreate, UserMapping: &m}})
	l.must(err)
	l.foreign(verdicts[0].UserMapping.ID)
	return verdicts[0].UserMapping.ID
}

// othersMap makes a map that is somebody else's.
func (l *lane) othersMap(name string) {
	l.t.Helper()
	m := idmap.Map{
		Name:   l.fill(name),
		Source: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: l.source}}, Destination: idmap.MapEnd{Connection: idmap.ConnectionRef{ID: l.destination}},
		MapBy: idmap.MapBy{ID: true},
	}
	verdict, err := l.server.Backend.CreateMap(l.ctx, backend.Call{}, l.kind(), m)
	l.must(err)
	l.foreign(verdict.Map.ID)
}

func (l *lane) kind() idmap.MapKind { return idmap.MapKind(strings.TrimPrefix(l.noun, "idmap_")) }

// job makes a job that uses the lane's map.
func (l *lane) job() {
	l.t.Helper()
	use, job := &idmap.MapUse{ID: l.id()}, idmap.Job{Name: l.key, Kind: idmap.JobKindTransfer}
	job.Transfer.Source.Connection.ID, job.Transfer.Destination.Connection.ID = l.source, l.destination
	if l.kind() == idmap.AccountMap {
		job.Transfer.AccountMap = use
	} else {
		job.Transfer.GroupMap = use
	}
	_, err := l.server.Backend.CreateJob(l.ctx, backend.Call{}, job)
	l.must(err)
}

// remove deletes the lane's object outside of Terraform.
func (l *lane) remove(id string) {
	l.t.Helper()
	if l.isMapping() {
		l.must(l.server.Client.DeleteUserMapping(l.ctx, id, 0))
	} else {
		l.must(l.server.Client.DeleteMap(l.ctx, l.kind(), id, 0))
	}
}
