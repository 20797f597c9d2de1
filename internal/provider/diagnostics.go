package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// noun is how a kind of object is called where a diagnostic is read: in HCL.
type noun struct {
	resource string            // resource type, for import blocks
	fields   map[string]string // field of the wire form → attribute
	part     partFinder        // nil: the fields are all
	// words returns a finding in the words of the configuration; nil: the backend's are good.
	words func(idmap.Violation) idmap.Violation
	// summaries are headlines that are other ones than for other objects.
	summaries map[idmap.Code]string
	label     string // name of the object, which the headlines of its warnings get
}

// partFinder returns where a field of the wire form stands that is a part of an attribute.
type partFinder func(field string) (path.Path, bool)

// stored returns how an object that exists is called: it is past being imported.
func (n noun) stored() noun {
	n.resource = ""
	return n
}

// named returns how an object of that name is called.
func (n noun) named(name string) noun {
	n.label = name
	return n
}

// addError turns an error of the client into diagnostics: the refusals of the backend each at its attribute, and
// anything else once for the whole object.
func (n noun) addError(err error, diags *diag.Diagnostics) {
	var foreign *client.ForeignServerError
	switch violations := idmap.ViolationsOf(err); {
	case len(violations) > 0:
		n.addViolations(violations, diags)
	case errors.Is(err, client.ErrUnreachable):
		diags.AddError("Mapping Backend Unreachable", err.Error())
	case errors.As(err, &foreign):
		diags.AddError("Not a Mapping Backend", err.Error())
	case errors.Is(err, context.Canceled):
		diags.AddError("Call Interrupted", "The call of the mapping backend was stopped before its answer came, so what it asked for may be done or not. Run terraform apply again: it takes up what was done.")
	default:
		diags.AddError("Unexpected Failure", err.Error())
	}
}

// addViolations reports refusals at the attributes at fault.
func (n noun) addViolations(violations []idmap.Violation, diags *diag.Diagnostics) {
	for _, v := range n.toldOnce(violations) {
		v = n.worded(v)
		if at, ok := n.attribute(v.Field); ok {
			diags.AddAttributeError(at, n.summary(v.Code), detailOf(v, n.resource))
		} else {
			diags.AddError(n.summary(v.Code), detailOf(v, n.resource))
		}
	}
}

// addWarnings reports what never blocks.
func (n noun) addWarnings(warnings []idmap.Violation, diags *diag.Diagnostics) {
	for _, v := range inOne(inOne(warnings, idmap.CodeInactiveAccount), idmap.CodeNameReused) {
		v = n.worded(v)
		summary := labelled(n.summary(v.Code), n.label)
		if at, ok := n.attribute(v.Field); ok {
			diags.AddAttributeWarning(at, summary, detailOf(v, n.resource))
		} else {
			diags.AddWarning(summary, detailOf(v, n.resource))
		}
	}
}

// worded returns a finding in the words of the configuration.
func (n noun) worded(v idmap.Violation) idmap.Violation {
	if n.words == nil {
		return v
	}
	return n.words(v)
}

// summary returns the constant headline of a code.
func (n noun) summary(code idmap.Code) string {
	if own, ok := n.summaries[code]; ok {
		return own
	}
	return summaryOf(code)
}

// attribute returns where a field of the wire form stands in the configuration.
func (n noun) attribute(field string) (path.Path, bool) {
	if n.part != nil {
		if at, ok := n.part(field); ok {
			return at, true
		}
	}
	if _, inner, ok := strings.Cut(field, "]."); ok { // of an item of a batch
		field = inner
	}
	name, ok := n.fields[field]
	return path.Root(name), ok
}

// detailOf is the text under a summary: the backend's sentence, the ways out, and the code for those who search for it.
func detailOf(v idmap.Violation, resource string) string {
	parts := append([]string{v.Description}, waysOut(v, resource)...)
	return strings.Join(append(parts, "Code: "+string(v.Code)), "\n\n")
}

// summaryOf returns the headline of a code that most objects have.
func summaryOf(code idmap.Code) string {
	if summary, ok := summaries[code]; ok {
		return summary
	}
	return "Refused by Mapping Backend" // a code of a later server
}

var summaries = map[idmap.Code]string{
	idmap.CodeEmailInUse:              "Email Already in Use",
	idmap.CodeUserAlreadyMapped:       "User Already Mapped",
	idmap.CodeEmailPreviouslyAssigned: "Email Previously Assigned",
	idmap.CodeEmailIsAliasOfAnother:   "Email Belongs to Another",
	idmap.CodeAccountRepointed:        "Mapping Would Be Repointed",
	idmap.CodeUserCannotSignIn:        "User Cannot Sign In",
	idmap.CodeUnknownEmail:            "Unknown Email",
	idmap.CodeUnknownUserID:           "Unknown User ID",
	idmap.CodeAccountMismatch:         "Account Does Not Match",
	idmap.CodeInvalidEmail:            "Invalid Email",
	idmap.CodeInvalidUserID:           "Invalid User ID",
	idmap.CodeRevisionConflict:        "Object Changed Since Plan",

	idmap.CodeUnprovenRename:     "Rename Not Proven",
	idmap.CodeEmailIsAlias:       "Email Is an Alias",
	idmap.CodeNonInteractiveUser: "User Is Non-Interactive",
	idmap.CodeUnlicensedUser:     "User Is Not Licensed",
	idmap.CodeOptedOut:           "Email Stays as Given",

	idmap.CodeNoMatchOption:      "No Match Option",
	idmap.CodeUnsupportedOption:  "Unsupported Option",
	idmap.CodeUnknownAccount:     "Unknown Account",
	idmap.CodeAmbiguousAccount:   "Ambiguous Account",
	idmap.CodeDuplicateException: "Duplicate Exception",
	idmap.CodeGroupIDRequired:    "Group ID Required",
	idmap.CodeConnectionMismatch: "Connections Do Not Match",
	idmap.CodeMapInUse:           "Map Is in Use",
	idmap.CodeMapNotRetroactive:  "Map Is Not Retroactive",
	idmap.CodeMapChangesResults:  "Map Changes Results",
	idmap.CodeMapIncomplete:      "Map Is Incomplete",
	idmap.CodeNameReused:         "Name Was Reused",
	idmap.CodeInactiveAccount:    "Account Is Inactive",

	idmap.CodeSignInDisabled:    "Sign-Ins Are Disabled",
	idmap.CodeMappingRequired:   "Mapping Is Required",
	idmap.CodeMailboxDisabled:   "Mailbox Is Disabled",
	idmap.CodePermissionMissing: "Permission Is Missing",

	idmap.CodeInvalid:              "Invalid Value",
	idmap.CodeMalformed:            "Request Not Understood",
	idmap.CodeUnknownRoute:         "Server Lacks a Route",
	idmap.CodeUnknownConnection:    "Unknown Connection",
	idmap.CodeImmutable:            "Value Cannot Change",
	idmap.CodeNameInUse:            "Name Already in Use",
	idmap.CodeIDInUse:              "ID Already in Use",
	idmap.CodeUsernameInUse:        "Username Already in Use",
	idmap.CodeConnectionInUse:      "Connection Is in Use",
	idmap.CodeDuplicateItem:        "Duplicate Item",
	idmap.CodeAlreadyReleased:      "Address Already Released",
	idmap.CodeIdempotencyKeyReused: "Request Key Reused",
	idmap.CodeInvalidCursor:        "List Cannot Be Continued",
	idmap.CodeCursorExpired:        "List Cannot Be Continued",
	idmap.CodeNotFound:             "Object Not Found",
	idmap.CodeUnauthorized:         "Token Not Accepted",
	idmap.CodeForbidden:            "Token Lacks Scope",
	idmap.CodeTooLarge:             "Request Too Large",
	idmap.CodeRateLimited:          "Too Many Requests",
	idmap.CodeUnavailable:          "Mapping Backend Busy",
	idmap.CodeInternal:             "Mapping Backend Failed",
}
