package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// connectionNamespace is the namespace of the ids that are made from names. It must never change: ids are planned with
// one release and created with another.
var connectionNamespace = uuid.MustParse("6b0f5d1e-2c51-4a0e-9d3a-6f6d1c0a7e42")

// resumable is how long the backend remembers the answer to a create, which is how long a create can be resumed.
const resumable = 24 * time.Hour

// connectionPlan is one plan of an idmap_connection.
type connectionPlan struct {
	walk      *walk
	plan      connectionModel
	prior     *connectionModel // nil for a create
	replacing string           // the connection that a create replaces, if any
	diags     *diag.Diagnostics
}

// make completes the plan: the digests of the files, the id, and what mappings of the same plan will find.
func (p *connectionPlan) make(ctx context.Context) {
	pending := &pendingDirectory{}
	planFile(p, fileAttribute{
		name: "accounts_file", file: p.plan.AccountsFile, digest: &p.plan.AccountsSHA256,
		prior: p.priorFile(func(m connectionModel) (types.String, types.String) { return m.AccountsFile, m.AccountsSHA256 }),
	}, (*directoryFile).accounts, accountKeys, &pending.accounts)
	planFile(p, fileAttribute{
		name: "groups_file", file: p.plan.GroupsFile, digest: &p.plan.GroupsSHA256,
		prior: p.priorFile(func(m connectionModel) (types.String, types.String) { return m.GroupsFile, m.GroupsSHA256 }),
	}, (*directoryFile).groups, groupKeys, &pending.groups)
	p.claimName()
	if p.prior == nil {
		p.chooseID(ctx)
	} else {
		p.checkRename(ctx)
	}
	if p.plan.ID.IsUnknown() || p.plan.Name.IsUnknown() || p.diags.HasError() || p.unchanged() {
		return
	}
	pending.connection = p.plan.toAPI()
	p.walk.expect(pending)
}

// unchanged reports whether the backend has all that the plan wants.
func (p *connectionPlan) unchanged() bool { return p.prior != nil && *p.prior == p.plan }

// claimName refuses two connections of one name in one configuration.
func (p *connectionPlan) claimName() {
	if p.plan.Name.IsUnknown() {
		return
	}
	token := uuid.NewString()
	switch {
	case p.prior != nil:
		token = "id:" + p.prior.ID.ValueString()
	case p.replacing != "":
		token = "id:" + p.replacing
	}
	name := p.plan.Name.ValueString()
	if other, taken := p.walk.claim(token, claimant{what: fmt.Sprintf("%q", name)}, "connection:"+idmap.Fold(name)); taken {
		p.diags.AddAttributeError(path.Root("name"), "Claimed Twice", fmt.Sprintf(
			"Two connections of this configuration are called %q and %s, which is the same name: names are compared without regard to case.\n\n"+
				"If both are the same connection, remove one of the two resources. If they are two connections, give one of them another name.\n\nCode: %s",
			name, other.what, idmap.CodeNameInUse))
	}
}

// chooseID plans the id of a new connection. It is made from the name, so that it is known at plan and the same in
// every plan, and mappings that refer to it can be checked before anything exists.
func (p *connectionPlan) chooseID(ctx context.Context) {
	if p.plan.Name.IsUnknown() || p.replacing != "" || !p.walk.configured() || !p.walk.planChecks {
		// The id of a connection that is replaced is in use until it is deleted, and must change for its mappings to be
		// replaced with it. Without plan checks nobody would know whether the id is free.
		return
	}
	id := uuid.NewSHA1(connectionNamespace, []byte(idmap.Fold(p.plan.Name.ValueString()))).String()
	if p.walk.checks() && !p.free(ctx, id) {
		return
	}
	p.plan.ID = types.StringValue(id)
}

// free asks whether a connection of that id can be created under the name. Where it cannot, and the reason is not that
// the name is taken, the backend chooses the id.
func (p *connectionPlan) free(ctx context.Context, id string) bool {
	for holder, err := range p.walk.client.Connections(ctx, client.ConnectionFilter{Name: p.plan.Name.ValueString()}) {
		if err != nil {
			return p.couldNotAsk(err)
		}
		return p.freeBeside(holder, id)
	}
	switch _, err := p.walk.client.Connection(ctx, id); {
	case idmap.IsNotFound(err):
		return true
	case err != nil:
		return p.couldNotAsk(err)
	}
	return false // a connection that had the name once has the id
}

// couldNotAsk reports why the backend did not answer. Out of its reach, the id is planned as if nobody had it.
func (p *connectionPlan) couldNotAsk(err error) bool {
	if p.walk.excuse(err, p.diags) {
		return true
	}
	connectionNoun.addError(err, p.diags)
	return false
}

// freeBeside judges a connection that has the name already.
func (p *connectionPlan) freeBeside(holder idmap.Connection, id string) bool {
	switch {
	case p.walk.seenConnection(holder.ID):
		return false // tainted: it is deleted before its successor is created
	case holder.ID == id && p.interrupted(holder):
		p.diags.AddAttributeWarning(path.Root("name"), "Connection Exists Already", fmt.Sprintf(
			"A connection %q exists, and is as this configuration would make it. If an apply of this configuration was interrupted, this one takes up where it stopped. If another configuration made it, the apply will be refused; then import it:\n\n%s",
			holder.Name, importBlock(connectionNoun.resource, holder.ID)))
		return true
	}
	refused := p.walk.tellRemade(connectionNoun.resource, p.plan.Name.ValueString(), nameInUse(holder))
	connectionNoun.addViolations([]idmap.Violation{refused}, p.diags)
	return false
}

// checkRename refuses the name of another connection. One that is in this configuration is left to claimName: it may be
// about to give the name up.
func (p *connectionPlan) checkRename(ctx context.Context) {
	name := p.plan.Name.ValueString()
	if p.plan.Name.IsUnknown() || idmap.Fold(name) == idmap.Fold(p.prior.Name.ValueString()) || !p.walk.checks() {
		return
	}
	for holder, err := range p.walk.client.Connections(ctx, client.ConnectionFilter{Name: name}) {
		if err != nil {
			p.couldNotAsk(err)
		} else if holder.ID != p.prior.ID.ValueString() && !p.walk.seenConnection(holder.ID) {
			connectionNoun.stored().addViolations([]idmap.Violation{nameInUse(holder)}, p.diags)
		}
		return
	}
}

// nameInUse is what the backend says of a name that it has already.
func nameInUse(holder idmap.Connection) idmap.Violation {
	return idmap.Violation{
		Code: idmap.CodeNameInUse, Field: "name",
		Description: fmt.Sprintf("There is a connection %q already. Names are unique, compared without regard to case.", holder.Name),
		Conflict:    &idmap.Conflict{Kind: "connection", ID: holder.ID, Holder: holder.Name},
	}
}

// interrupted reports whether the connection can be what an interrupted apply of this configuration left.
func (p *connectionPlan) interrupted(holder idmap.Connection) bool {
	return p.plan.says(holder) && holder.CreatedOn != nil && time.Since(*holder.CreatedOn) < resumable
}

// connectionKey returns the Idempotency-Key of the create.
func (w *walk) connectionKey(m connectionModel) string {
	return w.requestKey("connection", m.toAPI())
}

// fileAttribute is accounts_file or groups_file in a plan.
type fileAttribute struct {
	name   string
	file   types.String
	digest *types.String
	prior  *priorFile // nil for a create
}

type priorFile struct{ file, digest types.String }

func (p *connectionPlan) priorFile(of func(connectionModel) (file, digest types.String)) *priorFile {
	if p.prior == nil {
		return nil
	}
	file, digest := of(*p.prior)
	return &priorFile{file, digest}
}

// planFile plans the digest of a file and, where it is new to the backend, parses it for the mappings of the same plan.
func planFile[T any](p *connectionPlan, a fileAttribute, parse func(*directoryFile, *diag.Diagnostics) []T, keys func(T) []string, index *directoryIndex[T]) {
	*a.digest = types.StringNull()
	switch {
	case a.file.IsNull():
		return
	case a.file.IsUnknown():
		*a.digest = types.StringUnknown()
		return
	}
	var problems diag.Diagnostics
	file := readDirectoryFile(a.name, a.file.ValueString(), &problems)
	if file == nil {
		a.missing(problems, p.diags)
		return
	}
	*a.digest = types.StringValue(file.sha256)
	if a.prior == nil || !a.prior.digest.Equal(*a.digest) {
		*index = indexDirectory(parse(file, p.diags), keys)
	}
}

// missing takes a file that cannot be read. Where nothing else says that the file changed it is only worth a warning,
// and the directory stays as it is: a configuration must be destroyable without its files.
func (a fileAttribute) missing(problems diag.Diagnostics, diags *diag.Diagnostics) {
	if a.prior == nil || !a.prior.file.Equal(a.file) {
		diags.Append(problems...)
		return
	}
	*a.digest = a.prior.digest
	for _, problem := range problems {
		diags.AddAttributeWarning(path.Root(a.name), problem.Summary(), problem.Detail()+" The directory stays as it is.")
	}
}
