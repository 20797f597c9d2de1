package backend

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// Diagnose runs the checks of a sign-in without signing in.
func (b *Backend) Diagnose(ctx context.Context, request idmap.DiagnosisRequest) (idmap.Diagnosis, error) {
	request.Email, request.UserID = bounded(request.Email), bounded(request.UserID)
	violations := checkEnds(request.Source, request.Destination)
	if request.Email == "" && request.UserID == "" {
		violations = append(violations, idmap.Violation{Code: idmap.CodeInvalid, Field: "email", Description: "Whose sign-in? Give an email, a user id, or both."})
	}
	if err := idmap.Refuse(violations...); err != nil {
		return idmap.Diagnosis{}, err
	}
	var diagnosis idmap.Diagnosis
	err := b.view(ctx, func(r store.Reader) error {
		world, err := gatherDiagnosis(ctx, r, request)
		if err != nil {
			return err
		}
		if err := idmap.Refuse(unknownConnections(world, request.Source, request.Destination)...); err != nil {
			return err
		}
		diagnosis = rules.DiagnoseSignIn(world, request)
		return nil
	})
	return diagnosis, err
}

// gatherDiagnosis reads what the rules can look up for an attempt of which only the email or only the user id may be
// known. It reads twice, since the mapping that tells the other has to be found first.
func gatherDiagnosis(ctx context.Context, r store.Reader, request idmap.DiagnosisRequest) (*rules.World, error) {
	attempt := idmap.SignInAttempt{
		Source: request.Source, Destination: request.Destination, Email: request.Email, UserID: request.UserID,
	}.UserMapping()
	attempts := []idmap.UserMapping{attempt}
	world, err := gatherSignIns(ctx, r, attempts)
	if err != nil || request.Email != "" && request.UserID != "" {
		return world, err
	}
	for _, m := range world.Mappings {
		told := attempt
		if told.Email == "" {
			told.Email = m.Email
		}
		if told.UserID == "" {
			told.UserID = m.UserID
		}
		attempts = append(attempts, told)
	}
	return gatherSignIns(ctx, r, attempts)
}
