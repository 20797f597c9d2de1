package rules

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// signInCheck is one check of a sign-in. It fails for the codes that the rules of mappings found, and for what it finds
// itself; else it passes if it can be told.
type signInCheck struct {
	name  idmap.CheckName
	codes []idmap.Code                    // of the rules of mappings
	find  func(*signIn) []idmap.Violation // nil: nothing of its own
	tell  func(*signIn) (string, bool)    // what is so when nothing failed, and whether it is known
}

// signInChecks are the checks of the design, in its order (S2: "Troubleshoot Access").
var signInChecks = []signInCheck{
	{name: idmap.CheckIntegrationEnabled, find: findDisabled, tell: tellEnabled},
	{
		name:  idmap.CheckMappingPresent,
		codes: []idmap.Code{idmap.CodeUserAlreadyMapped, idmap.CodeAccountRepointed, idmap.CodeUnprovenRename},
		find:  findMappingRequired, tell: tellMapping,
	},
	{
		name:  idmap.CheckMailAccountEnabled,
		codes: []idmap.Code{idmap.CodeInvalidEmail, idmap.CodeUnknownEmail},
		find:  findMailboxDisabled, tell: tellMailAccount,
	},
	{
		name:  idmap.CheckApplicationAccountEnabled,
		codes: []idmap.Code{idmap.CodeInvalidUserID, idmap.CodeUnknownUserID},
		find:  faultsOf(idmap.CheckApplicationAccountEnabled), tell: tellUser,
	},
	{name: idmap.CheckUserTypeMaySignIn, find: faultsOf(idmap.CheckUserTypeMaySignIn), tell: tellUserType},
	{name: idmap.CheckLicensed, find: faultsOf(idmap.CheckLicensed), tell: tellUserType},
	{name: idmap.CheckPermissionGranted, find: findPermissionMissing, tell: tellPermission},
	{
		name:  idmap.CheckEmailNotHeldByAnother,
		codes: []idmap.Code{idmap.CodeEmailInUse, idmap.CodeEmailPreviouslyAssigned, idmap.CodeEmailIsAliasOfAnother},
		tell:  tellHolder,
	},
}

func (s *signIn) run(check signInCheck) idmap.SignInCheck {
	result := idmap.SignInCheck{Name: check.name}
	for _, v := range s.report.violations {
		if checkOf(v.Code) == check.name && !s.overlooked(v) {
			result.Reasons = append(result.Reasons, v)
		}
	}
	for _, v := range s.report.warnings {
		if slices.Contains(check.codes, v.Code) {
			result.Reasons = append(result.Reasons, v)
		}
	}
	if check.find != nil {
		result.Reasons = append(result.Reasons, check.find(s)...)
	}
	if len(result.Reasons) > 0 {
		result.Status, result.Finding = idmap.CheckFailed, idmap.Sentences(result.Reasons)
		result.Cure = s.cure(check.name, result.Reasons[0])
		return result
	}
	finding, known := check.tell(s)
	result.Status, result.Finding = idmap.CheckPassed, finding
	if !known {
		result.Status, result.Cure = idmap.CheckUnknown, s.cureOfUnknown(check.name)
	}
	return result
}

// checkOf returns the check that a refusal of the mapping's rules fails. One that no check names still denies.
func checkOf(code idmap.Code) idmap.CheckName {
	for _, check := range signInChecks {
		if slices.Contains(check.codes, code) {
			return check.name
		}
	}
	return idmap.CheckMappingPresent
}

// overlooked reports whether a finding of the mapping's rules says nothing about the sign-in: it is about what nobody
// gave, or another finding says it better.
func (s *signIn) overlooked(v idmap.Violation) bool {
	nobodySaid := s.noEmail && v.Field == fieldEmail || s.noUser && v.Field == fieldUserID
	mailboxGone := s.owner != nil && s.owner.Deleted() // its addresses are unknown since
	return nobodySaid || v.Code == idmap.CodeUnknownEmail && mailboxGone ||
		v.Code == idmap.CodeEmailPreviouslyAssigned && s.noUser // the holder may be who comes
}

func findDisabled(s *signIn) []idmap.Violation {
	if !s.c.destination.SignInDisabled {
		return nil
	}
	return []idmap.Violation{{
		Code: idmap.CodeSignInDisabled, Field: fieldDestinationConnection,
		Conflict:    &idmap.Conflict{Kind: "connection", ID: s.c.destination.ID, Holder: s.c.destination.Name},
		Description: fmt.Sprintf("Sign-ins to connection %q are switched off.", s.c.destination.Name),
	}}
}

func tellEnabled(s *signIn) (string, bool) {
	return fmt.Sprintf("Sign-ins to connection %q are switched on.", s.c.destination.Name), true
}

func findMappingRequired(s *signIn) []idmap.Violation {
	if s.c.before != nil || s.creates {
		return nil
	}
	who, field := "User "+quote(clip(s.c.m.UserID)), fieldUserID
	if s.noUser {
		who, field = "Email "+quote(clip(s.c.m.Email)), fieldEmail
	}
	return []idmap.Violation{{
		Code: idmap.CodeMappingRequired, Field: field,
		Description: fmt.Sprintf("%s has no mapping between connections %q and %q, and a sign-in does not make one there.", who, s.c.source.Name, s.c.destination.Name),
	}}
}

func tellMapping(s *signIn) (string, bool) {
	switch {
	case s.c.before != nil:
		return fmt.Sprintf("Mapping %s (%s) links the two.", s.c.before.ID, s.c.before.Label()), true
	case s.noUser:
		return fmt.Sprintf("No mapping has the email %q, and the user id is not given.", clip(s.c.m.Email)), false
	}
	return "There is no mapping yet; the first permitted sign-in makes it.", true
}

func findMailboxDisabled(s *signIn) []idmap.Violation {
	if v := s.swapped(); v != nil {
		return []idmap.Violation{*v}
	}
	owner := s.owner
	if owner == nil || !owner.Disabled && !owner.Deleted() {
		return nil
	}
	what := "disabled"
	if owner.Deleted() {
		what = "deleted"
	}
	return []idmap.Violation{{
		Code: idmap.CodeMailboxDisabled, Field: fieldEmail, Conflict: &idmap.Conflict{Kind: "account", ID: owner.ID, Holder: owner.Label()},
		Description: fmt.Sprintf("Mail account %s of connection %q is %s.", owner.Label(), s.c.source.Name, what),
	}}
}

func tellMailAccount(s *signIn) (string, bool) {
	switch {
	case s.noEmail:
		return "The email is not given, and no mapping tells it.", false
	case s.owner == nil && s.isGroup():
		return fmt.Sprintf("Email %q is an address of a group, and not of an account.", clip(s.c.m.Email)), false
	case s.owner == nil:
		return fmt.Sprintf("The directory of connection %q does not know %q.", s.c.source.Name, clip(s.c.m.Email)), false
	}
	return fmt.Sprintf("Mail account %s of connection %q is enabled.", s.owner.Label(), s.c.source.Name), true
}

// swapped reports a first sign-in whose two values are each known, and only known, on the other side: user ids of some
// applications look like addresses.
func (s *signIn) swapped() *idmap.Violation {
	mail, app := s.c.w.directory(s.c.source.ID), s.c.w.directory(s.c.destination.ID)
	asAddress, err := idmap.CanonicalEmail(s.c.m.UserID)
	if err != nil || s.c.before != nil || s.c.named != nil || len(s.c.holders) > 0 ||
		len(mail.holders[asAddress]) == 0 || app.users[idmap.Fold(s.c.m.Email)] == nil {
		return nil
	}
	return &idmap.Violation{
		Code: idmap.CodeUnknownEmail, Field: fieldEmail,
		Description: fmt.Sprintf("Email %q is a user id of connection %q, and user id %q is an address of connection %q: the two are swapped.",
			clip(s.c.m.Email), s.c.destination.Name, clip(s.c.m.UserID), s.c.source.Name),
	}
}

func (s *signIn) isGroup() bool {
	return s.c.w.directory(s.c.source.ID).groups[s.c.m.EmailCanonical] != nil
}

// faultsOf returns what finds the faults of the application account that fail one check.
func faultsOf(check idmap.CheckName) func(*signIn) []idmap.Violation {
	return func(s *signIn) (found []idmap.Violation) {
		for _, fault := range userFaults {
			if fault.check == check && s.c.user != nil && fault.has(*s.c.user) {
				found = append(found, s.c.cannotSignIn(fault))
			}
		}
		return found
	}
}

func tellUser(s *signIn) (string, bool) {
	if finding := s.unknownUser(); finding != "" {
		return finding, false
	}
	return fmt.Sprintf("User %s of connection %q is enabled.", s.c.user.Label(), s.c.destination.Name), true
}

// unknownUser says why nothing is known about the application account, or "".
func (s *signIn) unknownUser() string {
	switch {
	case s.noUser:
		return "The user id is not given, and no mapping tells it."
	case s.c.user == nil:
		return fmt.Sprintf("The directory of connection %q does not know user %q.", s.c.destination.Name, clip(s.c.m.UserID))
	}
	return ""
}

func tellUserType(s *signIn) (string, bool) {
	if finding := s.unknownUser(); finding != "" {
		return finding, false
	}
	if s.c.user.UserType == "" {
		return fmt.Sprintf("The directory of connection %q does not tell the user type of %s.", s.c.destination.Name, s.c.user.Label()), false
	}
	return fmt.Sprintf("User %s of connection %q is of type %s.", s.c.user.Label(), s.c.destination.Name, s.c.user.UserType), true
}

func findPermissionMissing(s *signIn) []idmap.Violation {
	user := s.c.user
	if user == nil || user.SignInPermitted == nil || *user.SignInPermitted {
		return nil
	}
	return []idmap.Violation{{
		Code: idmap.CodePermissionMissing, Field: fieldUserID, Conflict: &idmap.Conflict{Kind: "account", ID: user.ID, Holder: user.Label()},
		Description: fmt.Sprintf("User %s of connection %q does not have the permission to use the integration.", user.Label(), s.c.destination.Name),
	}}
}

func tellPermission(s *signIn) (string, bool) {
	if finding := s.unknownUser(); finding != "" {
		return finding, false
	}
	if s.c.user.SignInPermitted == nil {
		return fmt.Sprintf("The directory of connection %q does not tell whether %s has the permission.", s.c.destination.Name, s.c.user.Label()), false
	}
	return fmt.Sprintf("User %s of connection %q has the permission to use the integration.", s.c.user.Label(), s.c.destination.Name), true
}

func tellHolder(s *signIn) (string, bool) {
	switch {
	case s.noEmail:
		return "The email is not given, and no mapping tells it.", false
	case s.noUser:
		return fmt.Sprintf("Whether email %q is another's depends on the user, who is not given.", clip(s.c.m.Email)), false
	}
	return fmt.Sprintf("Email %q is nobody else's.", clip(s.c.m.Email)), true
}

// cures are what to do about a reason. Those about accounts of the application are in userFaults.
var cures = map[idmap.Code]string{
	idmap.CodeSignInDisabled:          "Set sign_in_disabled = false on the application connection.",
	idmap.CodeMappingRequired:         "Create the mapping, such as with the resource idmap_user_mapping, or set sign_in_mapping = \"create\" on the application connection.",
	idmap.CodeUserAlreadyMapped:       "Delete the other mapping first, if it is the same person's.",
	idmap.CodeAccountRepointed:        "Let the person sign in with the accounts that the mapping links. If these are not the person's any more, delete the mapping and let the person sign in again.",
	idmap.CodeUnprovenRename:          "If the person has a new name, update the mapping to it; if it is another person, delete the mapping first.",
	idmap.CodeInvalidEmail:            "Send the address of the mailbox as email, and the application's user id as user_id; they may be swapped.",
	idmap.CodeInvalidUserID:           "Send the application's user id as user_id, and the address of the mailbox as email; they may be swapped.",
	idmap.CodeUnknownEmail:            "Check the address (it may be swapped with the user id), or bring the directory of the mail connection up to date.",
	idmap.CodeUnknownUserID:           "Check the user id, or bring the directory of the application connection up to date.",
	idmap.CodeMailboxDisabled:         "Enable or restore the mail account, and bring the directory of the mail connection up to date.",
	idmap.CodePermissionMissing:       "Grant the user the permission in the application, and bring its directory up to date.",
	idmap.CodeEmailInUse:              "Let the person sign in as the user that the email is mapped to, or with an address of the person's own; the address stays that user's even when the mapping is deleted.",
	idmap.CodeEmailPreviouslyAssigned: "Use another address, or let an administrator release this one, with a reason.",
	idmap.CodeEmailIsAliasOfAnother:   "Use an address of the person's own account.",
}

func (s *signIn) cure(check idmap.CheckName, v idmap.Violation) string {
	for _, fault := range userFaults {
		if fault.check == check && fault.code == v.Code && s.c.user != nil && fault.has(*s.c.user) {
			return fault.cure + " Then bring the directory of connection " + quote(s.c.destination.Name) + " up to date."
		}
	}
	return cures[v.Code]
}

// cureOfUnknown says who could tell.
func (s *signIn) cureOfUnknown(check idmap.CheckName) string {
	mail := check == idmap.CheckMailAccountEnabled || check == idmap.CheckEmailNotHeldByAnother
	switch {
	case s.noEmail && mail:
		return "Give the email too."
	case s.noUser && check != idmap.CheckMailAccountEnabled:
		return "Give the user id too."
	case mail && s.isGroup():
		return cures[idmap.CodeEmailIsAliasOfAnother]
	case mail:
		return "Import the directory of connection " + quote(s.c.source.Name) + "."
	case s.c.user == nil:
		return "Import the directory of connection " + quote(s.c.destination.Name) + "."
	case check == idmap.CheckPermissionGranted:
		return "Nothing needs to be done. For the check to tell, fill the column sign_in_permitted in the accounts file of connection " + quote(s.c.destination.Name) + "."
	}
	return "Fill the column user_type in the accounts file of connection " + quote(s.c.destination.Name) + "."
}
