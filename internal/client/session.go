package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Session returns the live session of that id.
func (c *Client) Session(ctx context.Context, id string) (idmap.Session, error) {
	return call[idmap.Session](ctx, c, get("sessions", id), "session")
}

// Sessions returns the live sessions that the filter selects, but for its ID and UserMappingIDs beyond the first. It
// follows pages as it is read, and ends with the first error.
func (c *Client) Sessions(ctx context.Context, f idmap.SessionFilter) iter.Seq2[idmap.Session, error] {
	return listSessions[idmap.Session](ctx, c, f, "sessions", "sessions")
}

// SessionUsage is Sessions, summed up for each user of an application.
func (c *Client) SessionUsage(ctx context.Context, f idmap.SessionFilter) iter.Seq2[idmap.SessionUsage, error] {
	return listSessions[idmap.SessionUsage](ctx, c, f, "session_usage", "sessions", "usage")
}

// listSessions asks nothing about no mappings: a list that is empty could not be told from one that is not there.
func listSessions[T any](ctx context.Context, c *Client, f idmap.SessionFilter, noun string, segments ...string) iter.Seq2[T, error] {
	if ofNoMapping(f) {
		return func(func(T, error) bool) {}
	}
	return list[T](ctx, c, noun, params(sessionParams(f)...), segments...)
}

func ofNoMapping(f idmap.SessionFilter) bool {
	return f.UserMappingIDs != nil && len(f.UserMappingIDs) == 0
}

// sessionParams returns names and values of the filters.
func sessionParams(f idmap.SessionFilter) []string {
	userMapping := ""
	if len(f.UserMappingIDs) > 0 {
		userMapping = f.UserMappingIDs[0]
	}
	return []string{
		"connection", f.ConnectionID,
		"source_connection", f.SourceConnectionID,
		"destination_connection", f.DestinationConnectionID,
		"user_mapping", userMapping,
		"email", f.EmailKey,
		"user_id", f.UserKey,
		"client", f.Client,
	}
}

// SignOut ends a session in the name of its user. One that is over is signed out already, which is no error. It needs
// the scope sign_in.
func (c *Client) SignOut(ctx context.Context, id string) error {
	err := c.silent(ctx, post(nil, "sessions", id, "sign_out"))
	if idmap.IsNotFound(err) { // which only this project's backend says of a session
		return nil
	}
	return err
}

// RevokeSession ends a session. One that is over is revoked already, which is no error.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return c.delete(ctx, 0, "sessions", id)
}

// RevokeSessions ends the sessions that the filter selects and returns how many. The filter must select something less
// than all; an ID, or more than one of UserMappingIDs, is refused. After a retry the number can be too small: sessions
// that ended before an answer was lost are not counted again.
func (c *Client) RevokeSessions(ctx context.Context, f idmap.SessionFilter) (int, error) {
	if ofNoMapping(f) {
		return 0, nil
	}
	query := url.Values{}
	pairs := sessionParams(f)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" { // a blank one is sent, and refused: without it more sessions would end
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 || f.ID != "" || len(f.UserMappingIDs) > 1 || slices.Contains(f.UserMappingIDs, "") {
		return 0, idmap.Refusef(idmap.CodeInvalid, "", "The filter of the sessions to revoke names nothing, or what cannot be a filter. "+
			"A connection, one mapping, an email, a user id or a client is required. Name one, or revoke a session by its id.")
	}
	r := request{method: http.MethodDelete, segments: []string{"sessions"}, query: query, timeout: uploadTimeout, collection: true}
	revoked, err := call[struct{ Count int }](ctx, c, r, "revoked_sessions")
	return revoked.Count, err
}
