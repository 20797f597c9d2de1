package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const kindSession = "session"

// Session returns one live session. One that is over is not found.
func (b *Backend) Session(ctx context.Context, id string) (idmap.Session, error) {
	var found idmap.Session
	err := b.view(ctx, func(r store.Reader) error {
		sessions, err := r.Sessions(ctx, []string{id})
		if err != nil {
			return err
		}
		if len(sessions) == 0 {
			return idmap.NotFound(kindSession, id)
		}
		found = sessions[0]
		return nil
	})
	return found, err
}

// Sessions lists live sessions.
func (b *Backend) Sessions(ctx context.Context, f idmap.SessionFilter, page idmap.Page) (List[idmap.Session], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Session, error) { return r.ListSessions(ctx, f, page) },
		func(r store.Reader) (int, error) { return r.CountSessions(ctx, f) })
}

// SessionUsage lists who uses which application: a row for each mapping that has sessions.
func (b *Backend) SessionUsage(ctx context.Context, f idmap.SessionFilter, page idmap.Page) (List[idmap.SessionUsage], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.SessionUsage, error) {
			return r.ListSessionUsage(ctx, f, page)
		},
		func(r store.Reader) (int, error) { return r.CountSessionUsage(ctx, f) })
}

// SignOut ends a session in the name of its user. If the application connection says so, a mapping that a sign-in made
// goes with its last session.
func (b *Backend) SignOut(ctx context.Context, call Call, id string) error {
	return b.endSession(ctx, call, id, "sign_out")
}

// RevokeSession ends a session in the name of an administrator; else it is as SignOut.
func (b *Backend) RevokeSession(ctx context.Context, call Call, id string) error {
	return b.endSession(ctx, call, id, "revoke")
}

func (b *Backend) endSession(ctx context.Context, call Call, id, action string) error {
	if id == "" {
		return idmap.NotFound(kindSession, id) // the filter would select all
	}
	return b.update(ctx, func(tx store.Tx) error {
		ended, _, err := b.endSessions(ctx, tx, call, idmap.SessionFilter{ID: id}, ending{action: action})
		if err == nil && ended == 0 {
			err = idmap.NotFound(kindSession, id)
		}
		return err
	})
}

// RevokeSessions ends all sessions that the filter selects, some at a time, and returns how many. A filter that selects
// everything is refused. After an error those that it counts are revoked, and a repetition revokes the rest.
func (b *Backend) RevokeSessions(ctx context.Context, call Call, f idmap.SessionFilter) (int, error) {
	if selectsAll(f) {
		return 0, idmap.Refusef(idmap.CodeInvalid, "", "Without a filter every session would be revoked. Say whose: name a connection, a user mapping, a user id, an email or a client.")
	}
	revoked := 0
	for more := true; more; {
		var ended int
		err := b.update(ctx, func(tx store.Tx) (err error) {
			ended, more, err = b.endSessions(ctx, tx, call, f, ending{action: "revoke"})
			return err
		})
		if err != nil {
			return revoked, err
		}
		revoked += ended
	}
	return revoked, nil
}

func selectsAll(f idmap.SessionFilter) bool {
	return f.UserMappingIDs == nil && f.ID+f.ConnectionID+f.SourceConnectionID+f.DestinationConnectionID+f.EmailKey+f.UserKey+f.Client == ""
}
