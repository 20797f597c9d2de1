package idmap

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// MaxClientLength is the longest name of a client, in characters.
const MaxClientLength = 200

// MaxRecordedLength is the longest email or user id that the history of sign-ins keeps, in characters.
const MaxRecordedLength = 320

// MaxSignInCount is how far entries of the history are counted: there may be tens of millions.
const MaxSignInCount = 10_000

// ClientName returns the form in which the name of a client is kept and compared: NFC, without blanks around it.
func ClientName(name string) string { return strings.TrimSpace(norm.NFC.String(name)) }

// Outcome is how a sign-in ended, or would end.
type Outcome string

// A sign-in is allowed or denied. A diagnosis can also be unable to tell.
const (
	OutcomeAllowed Outcome = "allowed"
	OutcomeDenied  Outcome = "denied"
	OutcomeUnknown Outcome = "unknown"
)

// SignInEnd is the connection on one side of a sign-in.
type SignInEnd struct {
	Connection Ref `json:"connection"`
}

// SignInAttempt is what an integration asks when a user comes: may the person with this mailbox act as that user?
type SignInAttempt struct {
	Source        SignInEnd `json:"source" doc:"The mail connection."`
	Destination   SignInEnd `json:"destination" doc:"The application connection."`
	Email         string    `json:"email" doc:"Address of the mailbox, as the mail side proved it."`
	UserID        string    `json:"user_id" doc:"User id in the application, as the application proved it."`
	Client        string    `json:"client,omitempty" doc:"Name of the program that the user sits at, such as outlook-addin; at most 200 characters. A user has one session for each client."`
	SourceAddress string    `json:"source_address,omitempty" doc:"IP address that the user comes from."`
}

// UserMapping returns the mapping that the attempt would go through.
func (a SignInAttempt) UserMapping() UserMapping {
	return UserMapping{
		Source: MappingEnd{Connection: a.Source.Connection}, Destination: MappingEnd{Connection: a.Destination.Connection},
		Email: a.Email, UserID: a.UserID,
	}
}

// SignIn is an entry of the sign-in history: who came, and why not.
type SignIn struct {
	ID string `json:"id,omitempty" doc:"Read-only."`
	// On is the time of the server, whatever the clock of the integration says.
	On time.Time `json:"on" doc:"Read-only."`
	SignInAttempt
	Outcome        Outcome     `json:"outcome" enum:"allowed,denied" doc:"Read-only."`
	Reasons        []Violation `json:"reasons,omitempty" nullable:"false" doc:"Of a denial: every one."`
	UserMapping    *Ref        `json:"user_mapping,omitempty" doc:"The mapping that let the user in, or would have. It may be gone."`
	MappingCreated bool        `json:"mapping_created,omitempty" doc:"The sign-in made the mapping."`
	Session        *Ref        `json:"session,omitempty" doc:"The session that the sign-in began or continued. It may be over."`
}

// Key is that on which the history is sorted, the greatest first: the time, then the id.
func (s SignIn) Key() string { return strconv.FormatInt(s.On.UnixMicro(), 10) + "," + s.ID }

// SignInAnswer is what the integration is told. Without a session the user must not be let in.
type SignInAnswer struct {
	SignIn      SignIn       `json:"sign_in"`
	UserMapping *UserMapping `json:"user_mapping,omitempty"`
	Session     *Session     `json:"session,omitempty"`
	Warnings    []Violation  `json:"warnings,omitempty" nullable:"false"`
}

// SignInFilter selects entries of the sign-in history. Empty fields select all.
type SignInFilter struct {
	ConnectionID            string // either side
	SourceConnectionID      string
	DestinationConnectionID string
	UserMappingID           string
	EmailKey                string // canonical; of what is no address, folded
	UserKey                 string
	Client                  string
	Outcome                 Outcome
	Reason                  Code
	From, To                *time.Time // from From on, until To (exclusive)
}

// CheckName names one check of a sign-in.
type CheckName string

// The checks of a sign-in: see CheckNames.
const (
	CheckIntegrationEnabled        CheckName = "integration_enabled"
	CheckMappingPresent            CheckName = "mapping_present"
	CheckMailAccountEnabled        CheckName = "mail_account_enabled"
	CheckApplicationAccountEnabled CheckName = "application_account_enabled"
	CheckUserTypeMaySignIn         CheckName = "user_type_may_sign_in"
	CheckLicensed                  CheckName = "licensed"
	CheckPermissionGranted         CheckName = "permission_granted"
	CheckEmailNotHeldByAnother     CheckName = "email_not_held_by_another"
)

// CheckNames returns the checks of a sign-in, in their order.
func CheckNames() []CheckName {
	return []CheckName{
		CheckIntegrationEnabled, CheckMappingPresent, CheckMailAccountEnabled, CheckApplicationAccountEnabled,
		CheckUserTypeMaySignIn, CheckLicensed, CheckPermissionGranted, CheckEmailNotHeldByAnother,
	}
}

// CheckStatus is the result of a check.
type CheckStatus string

// A check that looks for what no directory tells is unknown, and does not deny a sign-in.
const (
	CheckPassed  CheckStatus = "passed"
	CheckFailed  CheckStatus = "failed"
	CheckUnknown CheckStatus = "unknown"
)

// SignInCheck is one check of a sign-in with its result.
type SignInCheck struct {
	Name    CheckName   `json:"name" enum:"integration_enabled,mapping_present,mail_account_enabled,application_account_enabled,user_type_may_sign_in,licensed,permission_granted,email_not_held_by_another"`
	Status  CheckStatus `json:"status" enum:"passed,failed,unknown"`
	Finding string      `json:"finding" doc:"What was found, in a sentence."`
	Cure    string      `json:"cure,omitempty" doc:"What to do about it, in a sentence; of a check that passed, nothing."`
	Reasons []Violation `json:"reasons,omitempty" nullable:"false" doc:"Of a check that failed: what a sign-in would be denied for."`
}

// DiagnosisRequest asks why somebody can or cannot sign in: by email, by user id, or by both.
type DiagnosisRequest struct {
	Source      SignInEnd `json:"source" doc:"The mail connection."`
	Destination SignInEnd `json:"destination" doc:"The application connection."`
	Email       string    `json:"email,omitempty" doc:"Left out: that of the user's mapping."`
	UserID      string    `json:"user_id,omitempty" doc:"Left out: that of the mapping of the email."`
}

// Diagnosis is the answer to a DiagnosisRequest.
type Diagnosis struct {
	DiagnosisRequest
	Outcome     Outcome       `json:"outcome" enum:"allowed,denied,unknown" doc:"Of a sign-in now. Unknown where the email, or the user, is not known."`
	Summary     string        `json:"summary" doc:"One line for a person."`
	Checks      []SignInCheck `json:"checks" nullable:"false"`
	UserMapping *UserMapping  `json:"user_mapping,omitempty" doc:"The mapping that a sign-in would go through."`
}

// ReasonsOf returns the reasons of the checks that failed, each once.
func ReasonsOf(checks []SignInCheck) []Violation {
	var all []Violation
	for _, c := range checks {
		for _, v := range c.Reasons {
			if !slices.ContainsFunc(all, func(has Violation) bool { return has.Code == v.Code && has.Description == v.Description }) {
				all = append(all, v)
			}
		}
	}
	return all
}
