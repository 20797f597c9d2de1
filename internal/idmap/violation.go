package idmap

import "strings"

// Code names a rule or a refusal. Codes are stable: clients and users' scripts may depend on them.
type Code string

// The rules of user mappings, and the warnings that never block.
const (
	CodeEmailInUse              Code = "email_in_use"
	CodeUserAlreadyMapped       Code = "user_already_mapped"
	CodeEmailPreviouslyAssigned Code = "email_previously_assigned"
	CodeEmailIsAliasOfAnother   Code = "email_is_alias_of_another"
	CodeAccountRepointed        Code = "account_repointed"
	CodeUserCannotSignIn        Code = "user_cannot_sign_in"
	CodeUnknownEmail            Code = "unknown_email"
	CodeUnknownUserID           Code = "unknown_user_id"
	CodeAccountMismatch         Code = "account_mismatch"
	CodeInvalidEmail            Code = "invalid_email"
	CodeInvalidUserID           Code = "invalid_user_id"
	CodeRevisionConflict        Code = "revision_conflict"

	CodeUnprovenRename     Code = "unproven_rename"
	CodeEmailIsAlias       Code = "email_is_alias"
	CodeNonInteractiveUser Code = "non_interactive_user"
	CodeUnlicensedUser     Code = "unlicensed_user"
	CodeOptedOut           Code = "opted_out"
)

// The rules of account maps, group maps and the jobs that use them, and their warnings.
const (
	CodeNoMatchOption      Code = "no_match_option"
	CodeUnsupportedOption  Code = "unsupported_option"
	CodeUnknownAccount     Code = "unknown_account"
	CodeAmbiguousAccount   Code = "ambiguous_account"
	CodeDuplicateException Code = "duplicate_exception"
	CodeGroupIDRequired    Code = "group_id_required"
	CodeConnectionMismatch Code = "connection_mismatch"
	CodeMapInUse           Code = "map_in_use"

	CodeMapNotRetroactive Code = "map_not_retroactive"
	CodeMapChangesResults Code = "map_changes_results"
	CodeMapIncomplete     Code = "map_incomplete"
	CodeInactiveAccount   Code = "inactive_account"
	CodeNameReused        Code = "name_reused"
)

// The rules of sign-ins, besides those of the mapping that a sign-in goes through.
const (
	CodeSignInDisabled    Code = "sign_in_disabled"
	CodeMappingRequired   Code = "mapping_required"
	CodeMailboxDisabled   Code = "mailbox_disabled"
	CodePermissionMissing Code = "permission_missing"
)

// Codes of requests and of objects other than mappings.
const (
	CodeInvalid              Code = "invalid"
	CodeMalformed            Code = "malformed"
	CodeUnknownConnection    Code = "unknown_connection"
	CodeImmutable            Code = "immutable"
	CodeNameInUse            Code = "name_in_use"
	CodeIDInUse              Code = "id_in_use"
	CodeUsernameInUse        Code = "username_in_use"
	CodeConnectionInUse      Code = "connection_in_use"
	CodeDuplicateItem        Code = "duplicate_item"
	CodeAlreadyReleased      Code = "already_released"
	CodeIdempotencyKeyReused Code = "idempotency_key_reused"
	CodeInvalidCursor        Code = "invalid_cursor"
	CodeCursorExpired        Code = "cursor_expired"
	CodeNotFound             Code = "not_found"
	CodeUnknownRoute         Code = "unknown_route"
	CodeUnauthorized         Code = "unauthorized"
	CodeForbidden            Code = "forbidden"
	CodeTooLarge             Code = "too_large"
	CodeRateLimited          Code = "rate_limited"
	CodeUnavailable          Code = "unavailable"
	CodeInternal             Code = "internal"
)

// CodeInfo documents a code. The guide on troubleshooting says the same of it, and what to do.
type CodeInfo struct {
	Code    Code
	Kind    ErrorKind // KindNone: a warning, never refused
	Meaning string
}

var codes = []CodeInfo{
	{CodeEmailInUse, KindConflict, "Another live mapping of the destination connection has the email, or another address of the same mailbox; where the platform is exclusive (Oracle Sales), of any connection of that platform."},
	{CodeUserAlreadyMapped, KindConflict, "The application account already has a live mapping from this mail connection."},
	{CodeEmailPreviouslyAssigned, KindConflict, "The address ledger ties the email, or its mailbox, to another holder, and it was not released."},
	{CodeEmailIsAliasOfAnother, KindConflict, "The email is a primary address or an alias of another account, or of a group, in the mail connection."},
	{CodeAccountRepointed, KindConflict, "The update would bind the mapping to another account."},
	{CodeUserCannotSignIn, KindConflict, "The application account is a stub, disabled or deleted."},
	{CodeUnknownEmail, KindConflict, "The mail connection is authoritative and does not know the email."},
	{CodeUnknownUserID, KindConflict, "The application connection is authoritative and does not know the user id."},
	{CodeAccountMismatch, KindConflict, "A pinned account and the email, or the user id, belong to different accounts."},
	{CodeInvalidEmail, KindRule, "The email is no address, or longer than the platform takes."},
	{CodeInvalidUserID, KindRule, "The user id is empty, too long, or has control or invisible characters."},
	{CodeRevisionConflict, KindRevision, "The object changed since it was read."},

	{CodeUnprovenRename, KindNone, "Nobody knows the new value, so the rename cannot be proven."},
	{CodeEmailIsAlias, KindNone, "The email is an alias of its account, not the primary address."},
	{CodeNonInteractiveUser, KindNone, "The application account may use web services only."},
	{CodeUnlicensedUser, KindNone, "The application account is synchronized and cannot sign in until it is licensed."},
	{CodeOptedOut, KindNone, "The username changed, and the email was given explicitly, so it stays."},

	{CodeNoMatchOption, KindRule, "The map compares nothing: it needs at least one match option, or to retain external users."},
	{CodeUnsupportedOption, KindRule, "The option is not one of this kind of map, a platform does not support it, or it needs another option."},
	{CodeUnknownAccount, KindConflict, "An exception, an exclusion or a default names an account, or a group, that the connection's directory does not have."},
	{CodeAmbiguousAccount, KindConflict, "An exception, an exclusion or a default names several accounts, or groups; it must name one."},
	{CodeDuplicateException, KindConflict, "Two exceptions, or two exclusions of one side, are about the same account or group."},
	{CodeGroupIDRequired, KindRule, "A destination on Box is named otherwise than by the group's id."},
	{CodeConnectionMismatch, KindConflict, "The job's connections are not those of its map."},
	{CodeMapInUse, KindConflict, "A job that is not finished uses the map."},

	{CodeMapNotRetroactive, KindNone, "Content that was already transferred keeps the result of the map as it was."},
	{CodeMapChangesResults, KindNone, "The update makes accounts, or groups, resolve otherwise than before."},
	{CodeMapIncomplete, KindNone, "Some accounts, or groups, of the source stay unresolved."},
	{CodeNameReused, KindNone, "An exception, an exclusion or a default stays with whom it was made for, and another one has that name now."},
	{CodeInactiveAccount, KindNone, "An exception or a default names an account, or a group, that is disabled or has left the directory."},

	{CodeSignInDisabled, KindConflict, "Sign-ins to the application are switched off."},
	{CodeMappingRequired, KindConflict, "The user has no mapping, and the application connection does not let a sign-in make one."},
	{CodeMailboxDisabled, KindConflict, "The mail account is disabled or deleted."},
	{CodePermissionMissing, KindConflict, "The application does not give the user the permission to use the integration."},

	{CodeInvalid, KindRule, "A field of the object has a value that it cannot have."},
	{CodeMalformed, KindMalformed, "The request cannot be read: broken JSON, a wrong type, an unknown field or parameter."},
	{CodeUnknownConnection, KindRule, "The connection that the object names does not exist."},
	{CodeImmutable, KindConflict, "The field cannot change during the life of the object."},
	{CodeNameInUse, KindConflict, "Another object of this kind has the name."},
	{CodeIDInUse, KindConflict, "Another object of this kind has the id."},
	{CodeUsernameInUse, KindConflict, "Another account of the connection has the username."},
	{CodeConnectionInUse, KindConflict, "Mappings, or maps, use the connection."},
	{CodeDuplicateItem, KindRule, "Two items of one call are about the same object."},
	{CodeAlreadyReleased, KindConflict, "The address was released before."},
	{CodeIdempotencyKeyReused, KindRule, "The Idempotency-Key was used for another request."},
	{CodeInvalidCursor, KindMalformed, "The cursor is not one that this server gave for this list."},
	{CodeCursorExpired, KindMalformed, "The cursor is of another release of the server; read the list anew."},
	{CodeNotFound, KindNotFound, "The object does not exist."},
	{CodeUnknownRoute, KindMalformed, "The server has no such route. Of an object it says nothing."},
	{CodeUnauthorized, KindUnauthorized, "The token is missing, unknown, revoked or expired."},
	{CodeForbidden, KindForbidden, "The token lacks the scope."},
	{CodeTooLarge, KindTooLarge, "The request body is too large."},
	{CodeRateLimited, KindRateLimited, "Too many requests; wait as long as Retry-After says."},
	{CodeUnavailable, KindUnavailable, "The server or its database is busy or unreachable for now."},
	{CodeInternal, KindInternal, "The server failed; its log has the request id."},
}

// Codes returns all codes, in the order in which they are documented.
func Codes() []CodeInfo { return codes }

// KindOf returns how a refusal with that code is answered. An unknown code is a conflict, so that a client of this
// release reads the refusals of a later server as refusals.
func KindOf(code Code) ErrorKind {
	for _, info := range codes {
		if info.Code == code {
			return info.Kind
		}
	}
	return KindConflict
}

// Violation says that a rule is broken: which, where, why in a sentence for a person, and by what.
type Violation struct {
	Code        Code      `json:"code"`
	Field       string    `json:"field,omitempty" doc:"Path of the field at fault, such as email or source.account.id."`
	Description string    `json:"description"`
	Conflict    *Conflict `json:"conflict,omitempty" doc:"What stands in the way."`
}

// Conflict is the object that stands in the way.
type Conflict struct {
	Kind       string `json:"kind" doc:"user_mapping, email_assignment, account, group, connection, account_map, group_map or job."`
	ID         string `json:"id"`
	Holder     string `json:"holder,omitempty" doc:"Who that is, for a person."`
	Releasable bool   `json:"releasable,omitempty" doc:"An administrator can release it."`
}

// Sentences joins the descriptions of violations into one text.
func Sentences(violations []Violation) string {
	sentences := make([]string, len(violations))
	for i, v := range violations {
		sentences[i] = v.Description
	}
	return strings.Join(sentences, " ")
}
