package backend

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// follower is a mapping whose user has another name than the mapping says.
type follower struct {
	before idmap.UserMapping
	called string // what the directory calls the user now
}

// intent is to take the user id over, and with it the email where that follows the username (S1). It pins nothing: the
// accounts stay those to which the mapping is bound.
func (f follower) intent() idmap.UserMappingIntent {
	wanted := f.before
	wanted.UserID, wanted.Source.Account, wanted.Destination.Account = f.called, nil, nil
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: f.before.ID, UserMapping: &wanted}
}

// followRenames lets mappings follow their application accounts whose username changed: the user id always, the email
// where it follows the username (S1). What the rules refuse stays as it was, and the report and the audit say why. What
// was refused before is judged again, since the directory of either side may have removed the reason. accountIDs are the
// accounts whose mappings are judged, nil are all.
func (d *directoryWrite) followRenames(ctx context.Context, accountIDs []string) error {
	behind, err := d.tx.UserMappingsBehind(ctx, d.connection.ID, accountIDs)
	if err != nil {
		return err
	}
	var followers []follower
	for _, m := range behind {
		called := m.RenamedTo
		m.RenamedTo = ""
		followers = append(followers, follower{m, called})
	}
	trusting, err := d.followersOnTrust(ctx)
	if err != nil {
		return err
	}
	if followers = append(followers, trusting...); len(followers) == 0 {
		return nil
	}
	if err := d.nameDestinations(ctx, followers); err != nil {
		return err
	}
	return d.followAllowed(ctx, followers)
}

// followersOnTrust returns the mappings of accounts that were renamed just now, where the directory is not authoritative:
// a mapping that had another user id already is ahead of it.
func (d *directoryWrite) followersOnTrust(ctx context.Context) ([]follower, error) {
	if d.connection.Authoritative {
		return nil, nil // all of its mappings are judged
	}
	found, err := d.tx.UserMappingsOf(ctx, d.connection.ID, store.DirectoryKeys{IDs: slices.Sorted(maps.Keys(d.changed))})
	var followers []follower
	for _, m := range found {
		c, bound := d.changed[m.Destination.AccountID()]
		if bound && m.Destination.Connection.ID == d.connection.ID && m.UserKey() == c.before.UserKey() && m.UserKey() != c.after.UserKey() {
			followers = append(followers, follower{m.UserMapping, c.after.UserID()})
		}
	}
	return followers, err
}

// nameDestinations finds what the applications of the followers are called, for those who read why.
func (d *directoryWrite) nameDestinations(ctx context.Context, followers []follower) error {
	ids := keySet{}
	for _, f := range followers {
		ids.add("", f.before.Destination.Connection.ID)
	}
	found, err := d.tx.Connections(ctx, ids.of(""))
	d.names = map[string]string{}
	for _, c := range found {
		d.names[c.ID] = c.Name
	}
	return err
}

// followAllowed lets those follow whom the rules allow it. Leaving one out can make another impossible, so it judges
// again until none is refused.
func (d *directoryWrite) followAllowed(ctx context.Context, followers []follower) error {
	for len(followers) > 0 {
		verdicts, err := d.b.applyWhy(ctx, d.tx, d.call, intentsOf(followers), d.whyFollowed)
		if err != nil {
			return err
		}
		var allowed []follower
		var warnings []idmap.Violation
		for i, v := range verdicts {
			if len(v.Violations) > 0 {
				if err := d.leaveBehind(ctx, followers[i], v.Violations); err != nil {
					return err
				}
				continue
			}
			allowed = append(allowed, followers[i])
			warnings = append(warnings, v.Warnings...)
		}
		if len(allowed) == len(followers) {
			d.warnings = append(d.warnings, warnings...)
			return nil
		}
		followers = allowed
	}
	return nil
}

func intentsOf(followers []follower) []idmap.UserMappingIntent {
	intents := make([]idmap.UserMappingIntent, len(followers))
	for i, f := range followers {
		intents[i] = f.intent()
	}
	return intents
}

// whyFollowed tells a followed rename from one that somebody asked for.
func (d *directoryWrite) whyFollowed(verdict idmap.UserMappingVerdict) string {
	m := verdict.UserMapping
	reason := fmt.Sprintf("followed the directory of connection %q, which calls the user %q now", d.names[m.Destination.Connection.ID], m.UserID)
	if m.Destination.Connection.ID != d.connection.ID {
		reason += fmt.Sprintf("; the directory of connection %q allows it now", d.connection.Name)
	}
	isOptOut := func(v idmap.Violation) bool { return v.Code == idmap.CodeOptedOut }
	if slices.ContainsFunc(verdict.Warnings, isOptOut) {
		reason += "; the email stays, since it was given explicitly (opted out)"
	}
	return reason
}

// leaveBehind reports a mapping that does not follow. Nothing of it changes, but whoever looks for the reason later
// looks in its audit. There it is told once, and again when the account is another one than when it was told.
func (d *directoryWrite) leaveBehind(ctx context.Context, f follower, refused []idmap.Violation) error {
	for _, v := range refused {
		v.Description = fmt.Sprintf("The mapping of %s does not follow its user, who is called %q now. %s The next import of either directory tries again.",
			f.before.Label(), f.called, v.Description)
		d.warnings = append(d.warnings, v)
	}
	if !d.touches(f.before) {
		return nil
	}
	reason := fmt.Sprintf("did not follow the directory of connection %q, which calls the user %q now: %s",
		d.names[f.before.Destination.Connection.ID], f.called, idmap.Sentences(refused))
	return d.tx.AppendAudit(ctx, []idmap.AuditEntry{d.b.audit(d.call, "refuse", kindUserMapping, f.before.ID, f.before, f.before, reason)})
}

// touches reports whether an account of the mapping has changed.
func (d *directoryWrite) touches(m idmap.UserMapping) bool {
	for _, end := range []idmap.MappingEnd{m.Source, m.Destination} {
		if _, changed := d.changed[end.AccountID()]; changed && end.Connection.ID == d.connection.ID {
			return true
		}
	}
	return false
}
