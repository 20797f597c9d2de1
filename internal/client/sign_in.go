package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// SignIn asks whether a user may come in, under an Idempotency-Key: a repeated call with the key and the same attempt
// gives the first answer again. A denial is an answer, not an error. It needs the scope sign_in.
func (c *Client) SignIn(ctx context.Context, key string, attempt idmap.SignInAttempt) (idmap.SignInAnswer, error) {
	var given idmap.SignInAnswer
	a, err := c.do(ctx, write(key, attempt, "sign_ins"))
	if err != nil {
		return given, err
	}
	if _, err := envelope(a, "sign_in"); err != nil {
		return given, err
	}
	if err := json.Unmarshal(a.content, &given); err != nil {
		return idmap.SignInAnswer{}, foreign(a, fmt.Sprintf("its sign_in cannot be read (%s)", err))
	}
	if (given.SignIn.Outcome == idmap.OutcomeAllowed) != (given.Session != nil) {
		return idmap.SignInAnswer{}, foreign(a, "its outcome does not fit its session") // nobody comes in on an answer in doubt
	}
	return given, nil
}

// SignIns returns the entries of the sign-in history that the filter selects, the newest first. It follows pages as it
// is read, and ends with the first error.
func (c *Client) SignIns(ctx context.Context, f idmap.SignInFilter) iter.Seq2[idmap.SignIn, error] {
	query := params(
		"connection", f.ConnectionID,
		"source_connection", f.SourceConnectionID,
		"destination_connection", f.DestinationConnectionID,
		"user_mapping", f.UserMappingID,
		"email", f.EmailKey,
		"user_id", f.UserKey,
		"client", f.Client,
		"outcome", string(f.Outcome),
		"reason", string(f.Reason),
		"from", optionalTime(f.From),
		"to", optionalTime(f.To),
	)
	return list[idmap.SignIn](ctx, c, "sign_ins", query, "sign_ins")
}

// Diagnose asks why somebody can or cannot sign in.
func (c *Client) Diagnose(ctx context.Context, request idmap.DiagnosisRequest) (idmap.Diagnosis, error) {
	return call[idmap.Diagnosis](ctx, c, post(request, "user_mappings", "diagnose"), "diagnosis")
}
