package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type signInBody struct {
	Type typeOf[signInNoun] `json:"type,omitempty"`
	idmap.SignInAttempt
}

// signInOutput answers the sign-in with the mapping and the session beside it.
type signInOutput struct {
	Body struct {
		Type string `json:"type" enum:"sign_in"`
		idmap.SignInAnswer
	}
}

type signInsInput struct {
	PageInput
	Connection            string    `query:"connection" maxLength:"255" doc:"On either side."`
	SourceConnection      string    `query:"source_connection" maxLength:"255"`
	DestinationConnection string    `query:"destination_connection" maxLength:"255"`
	UserMapping           string    `query:"user_mapping" maxLength:"255" doc:"Id of a mapping; it may be gone."`
	UserID                string    `query:"user_id" maxLength:"320"`
	Email                 string    `query:"email" maxLength:"320"`
	Outcome               string    `query:"outcome" enum:"allowed,denied"`
	Reason                string    `query:"reason" maxLength:"100" doc:"Code that is among the reasons of a denial, such as mapping_required."`
	Client                string    `query:"client" maxLength:"200"`
	From                  time.Time `query:"from" doc:"First moment."`
	To                    time.Time `query:"to" doc:"First moment after the last."`
}

// filters selects by what was given for an email even if it is no address: the history has that too. A blank one stays as
// it is, and is not found.
func (in *signInsInput) filters() (idmap.SignInFilter, error) {
	f := idmap.SignInFilter{
		ConnectionID: in.Connection, SourceConnectionID: in.SourceConnection, DestinationConnectionID: in.DestinationConnection,
		UserMappingID: in.UserMapping, EmailKey: cmp.Or(idmap.EmailKey(in.Email), in.Email), UserKey: folded(in.UserID), Client: in.Client,
		Outcome: idmap.Outcome(in.Outcome), Reason: idmap.Code(in.Reason), From: moment(in.From), To: moment(in.To),
	}
	if f.Reason != "" && !slices.ContainsFunc(idmap.Codes(), func(known idmap.CodeInfo) bool { return known.Code == f.Reason }) {
		return f, idmap.Refusef(idmap.CodeMalformed, "query.reason", "There is no such reason. Name one of the codes of violations, such as mapping_required.")
	}
	return f, nil
}

type diagnosisBody struct {
	Type typeOf[diagnosisNoun] `json:"type,omitempty"`
	idmap.DiagnosisRequest
}

func (s *server) signIns() {
	const collection = "/v1/sign_ins"
	history := operation(http.MethodGet, collection, idmap.ScopeRead, "Who signed in, and who could not; newest first")
	history.Description = fmt.Sprintf("The history is kept as long as the application connection says. meta.total_count is counted no further than %d.", idmap.MaxSignInCount)
	huma.Register(s.api, history, s.listSignIns)
	op := created(operation(http.MethodPost, collection, idmap.ScopeSignIn, "Ask whether a user may come in"))
	op.Description = "The answer is either a session or a denial with every reason. Both are answered with 201, and are in the history; without a session the user must not be let in. " +
		"A permitted user without a mapping gets one, unless the application connection requires that there is one."
	huma.Register(s.api, op, s.createSignIn)
	huma.Register(s.api, operation(http.MethodPost, "/v1/user_mappings/diagnose", idmap.ScopeRead, "Why somebody can or cannot sign in: the checks of a sign-in, without one"), s.diagnose)
}

func (s *server) listSignIns(ctx context.Context, in *signInsInput) (*listOutput[signInNoun, idmap.SignIn], error) {
	f, err := in.filters()
	if err != nil {
		return nil, s.refusal(ctx, err)
	}
	return list[signInNoun](ctx, s, &in.PageInput, idmap.SignIn.Key, func(page idmap.Page) (backend.List[idmap.SignIn], error) {
		return s.backend.SignIns(ctx, f, page)
	})
}

func (s *server) createSignIn(ctx context.Context, in *struct {
	CreateInput
	Body signInBody
},
) (*signInOutput, error) {
	out := &signInOutput{}
	var err error
	out.Body.Type = "sign_in"
	out.Body.SignInAnswer, err = s.backend.SignIn(ctx, callOf(ctx, in.IdempotencyKey), in.Body.SignInAttempt)
	return answer(ctx, s, out, err)
}

func (s *server) diagnose(ctx context.Context, in *struct{ Body diagnosisBody }) (*plainOutput[diagnosisNoun, idmap.Diagnosis], error) {
	d, err := s.backend.Diagnose(ctx, in.Body.DiagnosisRequest)
	return answer(ctx, s, plain[diagnosisNoun](d), err)
}
