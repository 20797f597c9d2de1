package server

import (
	"context"
	gomaps "maps" // maps are something else here
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// SessionFilterInput selects sessions.
type SessionFilterInput struct {
	Connection            string `query:"connection" maxLength:"255" doc:"On either side."`
	SourceConnection      string `query:"source_connection" maxLength:"255"`
	DestinationConnection string `query:"destination_connection" maxLength:"255"`
	UserMapping           string `query:"user_mapping" maxLength:"255" doc:"Id of a mapping."`
	UserID                string `query:"user_id" maxLength:"255"`
	Email                 string `query:"email" maxLength:"320"`
	Client                string `query:"client" maxLength:"200"`
}

func (in *SessionFilterInput) filters() idmap.SessionFilter {
	f := idmap.SessionFilter{
		ConnectionID: in.Connection, SourceConnectionID: in.SourceConnection, DestinationConnectionID: in.DestinationConnection,
		EmailKey: emailFilter(in.Email), UserKey: folded(in.UserID), Client: in.Client,
	}
	if in.UserMapping != "" {
		f.UserMappingIDs = []string{in.UserMapping}
	}
	return f
}

type sessionsInput struct {
	PageInput
	SessionFilterInput
}

// revokeInput selects sessions that end.
type revokeInput struct{ SessionFilterInput }

// Resolve refuses what a list would overlook: a filter that does not count would end more sessions than were meant, and
// one that is given twice fewer.
func (in *revokeInput) Resolve(ctx huma.Context) []error {
	address := ctx.URL()
	query, err := url.ParseQuery(address.RawQuery)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: "query", Message: "the filters cannot be read. Write what stands in a filter as in any URL, such as %3B for a semicolon"}}
	}
	var faults []error
	for _, name := range slices.Sorted(gomaps.Keys(query)) {
		if values := query[name]; len(values) != 1 || strings.TrimSpace(values[0]) == "" {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + name, Message: "a filter needs one value. Give it one, or leave the filter out"})
		}
	}
	return faults
}

type revokedSessions struct {
	Count int `json:"count" doc:"How many sessions ended."`
}

func (s *server) sessions() {
	const collection, one = "/v1/sessions", "/v1/sessions/{id}"
	huma.Register(s.api, operation(http.MethodGet, collection, idmap.ScopeRead, "List live sessions"), s.listSessions)
	op := operation(http.MethodDelete, collection, idmap.ScopeWrite, "Revoke all sessions that the filters select")
	op.Description = "At least one filter is required, and each needs a value. Sessions end some at a time: after an error those that ended stay so, and the request can be repeated for the rest."
	huma.Register(s.api, op, s.revokeSessions)
	huma.Register(s.api, operation(http.MethodGet, collection+"/usage", idmap.ScopeRead, "Who uses which application: the live sessions of each mapping, summed up"), s.listSessionUsage)
	huma.Register(s.api, openTo(idmap.ScopeRead, operation(http.MethodGet, one, idmap.ScopeSignIn, "Get a live session; one that is over is not found")), s.getSession)
	huma.Register(s.api, operation(http.MethodDelete, one, idmap.ScopeWrite, "Revoke a session"), s.revokeSession)
	huma.Register(s.api, operation(http.MethodPost, one+"/sign_out", idmap.ScopeSignIn, "End a session in the name of its user"), s.signOut)
}

func (s *server) listSessions(ctx context.Context, in *sessionsInput) (*listOutput[sessionNoun, idmap.Session], error) {
	return list[sessionNoun](ctx, s, &in.PageInput, func(session idmap.Session) string { return session.ID }, func(page idmap.Page) (backend.List[idmap.Session], error) {
		return s.backend.Sessions(ctx, in.filters(), page)
	})
}

func (s *server) listSessionUsage(ctx context.Context, in *sessionsInput) (*listOutput[sessionUsageNoun, idmap.SessionUsage], error) {
	return list[sessionUsageNoun](ctx, s, &in.PageInput, func(u idmap.SessionUsage) string { return u.UserMapping.ID }, func(page idmap.Page) (backend.List[idmap.SessionUsage], error) {
		return s.backend.SessionUsage(ctx, in.filters(), page)
	})
}

func (s *server) getSession(ctx context.Context, in *ReadInput) (*plainOutput[sessionNoun, idmap.Session], error) {
	session, err := s.backend.Session(ctx, in.ID)
	return answer(ctx, s, plain[sessionNoun](session), err)
}

func (s *server) signOut(ctx context.Context, in *IDInput) (*noOutput, error) {
	err := s.backend.SignOut(ctx, callOf(ctx, ""), in.ID)
	return answer[noOutput](ctx, s, nil, err)
}

func (s *server) revokeSession(ctx context.Context, in *IDInput) (*noOutput, error) {
	err := s.backend.RevokeSession(ctx, callOf(ctx, ""), in.ID)
	return answer[noOutput](ctx, s, nil, err)
}

func (s *server) revokeSessions(ctx context.Context, in *revokeInput) (*plainOutput[revokedSessionsNoun, revokedSessions], error) {
	count, err := s.backend.RevokeSessions(ctx, callOf(ctx, ""), in.filters())
	return answer(ctx, s, plain[revokedSessionsNoun](revokedSessions{Count: count}), err)
}
