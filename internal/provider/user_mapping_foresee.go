package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// followUser is the write that the backend makes where a mapping follows its user. It pins nothing: the accounts stay
// those to which the mapping is bound.
func followUser(stored idmap.UserMapping, called string) idmap.UserMappingIntent {
	wanted := stored
	wanted.UserID, wanted.Source.Account, wanted.Destination.Account = called, nil, nil
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: stored.ID, UserMapping: &wanted}
}

// foresee warns of what a new directory does in this very apply to a mapping whose configuration stays as it is.
func (p *userMappingPlan) foresee(ctx context.Context) {
	if stored, seen := p.walk.seenMapping(p.prior.ID.ValueString()); seen && p.walk.checks() {
		p.foreseeRename(ctx, stored)
		p.foreseeLoss(ctx, stored)
	}
}

// foreseeRename warns of a rename: the mapping follows, and the next plan would find it changed.
func (p *userMappingPlan) foreseeRename(ctx context.Context, stored idmap.UserMapping) {
	called, told := p.foreseenName(ctx, stored)
	if called == "" {
		return
	}
	verdict, err := p.validate(ctx, followUser(stored, called), "")
	if err != nil {
		p.report(err)
		return
	}
	p.diags.AddAttributeWarning(path.Root("user_id"), "User Is Renamed", told+" "+p.whatFollows(stored, verdict))
}

// foreseenName returns the name that the mapping is to follow when the new directories are uploaded, and what tells it;
// "" where there is none. A mapping that could not follow is judged again with the directory of either side.
func (p *userMappingPlan) foreseenName(ctx context.Context, stored idmap.UserMapping) (called, told string) {
	if mail := stored.Source.Connection.ID; !p.walk.bringsAccounts(stored.Destination.Connection.ID) {
		if stored.RenamedTo == "" || !p.walk.bringsAccounts(mail) {
			return "", ""
		}
		return stored.RenamedTo, fmt.Sprintf("The directory calls the user %q, whom the mapping could not follow so far, and the plan brings a new accounts file of the mail connection.", stored.RenamedTo)
	}
	after, in := p.walk.pendingAccount(stored.Destination)
	if after == nil || idmap.SameUserID(after.UserID(), stored.UserID) || !in.Authoritative && !p.isCalled(ctx, stored) {
		return "", ""
	}
	return after.UserID(), fmt.Sprintf("The new accounts file of connection %q calls the user %q.", in.Name, after.UserID())
}

// isCalled reports whether the directory calls the user what the mapping does. If not, the mapping is ahead of it, and
// does not follow one that may lack somebody.
func (p *userMappingPlan) isCalled(ctx context.Context, stored idmap.UserMapping) bool {
	now, err := p.accountNow(ctx, stored.Destination)
	if err != nil && !idmap.IsNotFound(err) {
		p.report(err)
	}
	return err == nil && idmap.SameUserID(now.UserID(), stored.UserID)
}

// whatFollows says what becomes of a mapping when its user is renamed.
func (p *userMappingPlan) whatFollows(stored idmap.UserMapping, verdict idmap.UserMappingVerdict) string {
	after := verdict.UserMapping
	if len(verdict.Violations) > 0 || after == nil {
		return fmt.Sprintf("The mapping of %s cannot follow, and stays as it is after the upload. %s\n\nCode: %s",
			stored.Label(), idmap.Sentences(verdict.Violations), codesOf(verdict.Violations))
	}
	email := fmt.Sprintf("the email stays %q", after.Email)
	if !idmap.SameEmail(stored.Email, after.Email) {
		email = fmt.Sprintf("the email becomes %q", after.Email)
	}
	if after.EmailSource == idmap.EmailExplicit {
		email += ", since it was given explicitly"
	}
	return fmt.Sprintf("With the upload the mapping follows: the user id %q becomes %q, and %s.\n\n%s",
		stored.UserID, after.UserID, email, p.wayToFollow(after.UserID))
}

// wayToFollow says what to write in the configuration for the new name.
func (p *userMappingPlan) wayToFollow(called string) string {
	if p.entry != "" {
		return fmt.Sprintf("Write the key %q in place of %q, else the next plan finds the entry changed.", called, p.entry)
	}
	return fmt.Sprintf("Set user_id = %q in the configuration, else the next plan finds the mapping changed. %s", called, movedKey)
}

// accountNow returns the account of a mapping as the directory has it before the upload.
func (p *userMappingPlan) accountNow(ctx context.Context, end idmap.MappingEnd) (idmap.Account, error) {
	if known, has := p.accounts[accountOf(end)]; has {
		return known, nil
	}
	return p.walk.client.Account(ctx, end.Connection.ID, end.AccountID())
}

// bringsAccounts reports whether this walk plans a new accounts file for the connection.
func (w *walk) bringsAccounts(connectionID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.pending[connectionID]
	return d != nil && d.accounts != nil
}

// pendingAccount returns an account of a mapping as the new file of its connection has it, nil where that does not, and the
// connection as this walk plans it. The connection is empty where there is no new file, or the mapping knows no account.
func (w *walk) pendingAccount(end idmap.MappingEnd) (*idmap.Account, idmap.Connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.pending[end.Connection.ID]
	if d == nil || d.accounts == nil || end.AccountID() == "" {
		return nil, idmap.Connection{}
	}
	for _, a := range d.accounts[idKey(end.AccountID())] {
		return a, d.connection
	}
	return nil, d.connection
}
