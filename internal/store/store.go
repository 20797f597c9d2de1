// Package store is the persistence port. Its two engines, sqlite and postgres, MUST behave alike; storetest is the
// suite that holds them to the words below.
//
// Keys are made in Go (idmap.CanonicalEmail, idmap.Fold): an engine MUST compare and order text by its bytes and MUST
// NOT fold case. Times are kept in microseconds, UTC. What is not valid UTF-8, or has U+0000, is no text: a look-up or
// a filter MUST NOT find anything by it, and a write that carries it fails with an error that no repetition cures.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ErrConflict says that a transaction lost against another one: a serialization failure, a deadlock, a unique index,
// or a row that was not at the expected revision any more. Nothing was written. The caller SHOULD run the whole
// transaction again: it will see what won, and can say so in the words of the rules.
var ErrConflict = errors.New("the transaction lost against another one")

// ErrUnavailable says that the engine could not be reached, or was busy for too long. Nothing was written, or, where
// the connection broke while committing, nobody knows.
var ErrUnavailable = errors.New("the database is busy or unreachable")

// Store is a database of mappings.
type Store interface {
	// View runs fn on one consistent snapshot. It MUST NOT wait for writers.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in a transaction that is durable when Update returns nil. If fn or the commit fails, nothing of it
	// MUST remain. Update does not retry. A method that fails, other than with idmap.NotFound, ends the transaction: each
	// later call fails too, and Update answers the failure even if fn swallows it.
	Update(ctx context.Context, fn func(Tx) error) error
	// Ping reports whether a read works now.
	Ping(ctx context.Context) error
	// Close waits for what is under way. What comes later fails with ErrUnavailable.
	Close() error
}

// Reader reads. A look-up of several keys answers what it finds, in no promised order, each object once. Lists are in
// the byte order of the object's id, but for audit entries, which come newest first.
type Reader interface {
	// Connections finds by id.
	Connections(ctx context.Context, ids []string) ([]idmap.Connection, error)
	ListConnections(ctx context.Context, f idmap.ConnectionFilter, page idmap.Page) ([]idmap.Connection, error)
	CountConnections(ctx context.Context, f idmap.ConnectionFilter) (int, error)

	// Accounts finds accounts of a connection, the deleted ones too, by id, by canonical user id, by canonical address
	// (primary or alias) or by display name (idmap.NameKey). An empty name finds nobody.
	Accounts(ctx context.Context, connectionID string, keys DirectoryKeys) ([]idmap.Account, error)
	ListAccounts(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) ([]idmap.Account, error)
	CountAccounts(ctx context.Context, connectionID string, f idmap.DirectoryFilter) (int, error)
	// Groups finds groups of a connection, the deleted ones too, by id, by canonical address, or by name or caption
	// (idmap.NameKey); UserKeys are ignored.
	Groups(ctx context.Context, connectionID string, keys DirectoryKeys) ([]idmap.Group, error)
	ListGroups(ctx context.Context, connectionID string, f idmap.DirectoryFilter, page idmap.Page) ([]idmap.Group, error)
	CountGroups(ctx context.Context, connectionID string, f idmap.DirectoryFilter) (int, error)

	UserMappings(ctx context.Context, keys UserMappingKeys) ([]UserMapping, error)
	// UserMappingsOf finds the mappings of a connection, on either side, that on that side are bound to one of the
	// accounts, have one of the canonical user ids (as destination) or one of the canonical emails (as source).
	UserMappingsOf(ctx context.Context, connectionID string, keys DirectoryKeys) ([]UserMapping, error)
	// UserMappingsBehind finds the mappings of a connection, on either side, whose user has another canonical user id by
	// now: that of the account of an authoritative destination connection to which the mapping is bound, unless the account
	// is deleted. RenamedTo is what the account is called; only what says so answers it. accountIDs are bound accounts of the
	// connection to look at: nil looks at all, an empty list at none.
	UserMappingsBehind(ctx context.Context, connectionID string, accountIDs []string) ([]idmap.UserMapping, error)
	// ListUserMappings answers RenamedTo as UserMappingsBehind does.
	ListUserMappings(ctx context.Context, f idmap.UserMappingFilter, page idmap.Page) ([]idmap.UserMapping, error)
	CountUserMappings(ctx context.Context, f idmap.UserMappingFilter) (int, error)

	// EmailAssignments finds the ledger entries of a mail connection that are not released: those of AddressKeys, and those
	// that the accounts of IDs, which are its own, hold, whatever addresses the accounts have now.
	EmailAssignments(ctx context.Context, connectionID string, keys DirectoryKeys) ([]idmap.EmailAssignment, error)
	// EmailAssignment finds one entry by its id, released or not. It MUST answer idmap.NotFound if there is none.
	EmailAssignment(ctx context.Context, id string) (idmap.EmailAssignment, error)
	ListEmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter, page idmap.Page) ([]idmap.EmailAssignment, error)
	CountEmailAssignments(ctx context.Context, f idmap.EmailAssignmentFilter) (int, error)

	// ListAudit answers entries from From on (inclusive) until To (exclusive).
	ListAudit(ctx context.Context, f idmap.AuditFilter, page idmap.Page) ([]idmap.AuditEntry, error)
	CountAudit(ctx context.Context, f idmap.AuditFilter) (int, error)

	// TokensByHash finds tokens by the SHA-256 of their secrets (hex), and answers those that there are under it.
	TokensByHash(ctx context.Context, hashes []string) (map[string]idmap.Token, error)
	// TokenByName finds a token by its folded name (idmap.Fold). It MUST answer idmap.NotFound if there is none.
	TokenByName(ctx context.Context, key string) (idmap.Token, error)
	// Token finds a token by its id. It MUST answer idmap.NotFound if there is none.
	Token(ctx context.Context, id string) (idmap.Token, error)
	ListTokens(ctx context.Context, page idmap.Page) ([]idmap.Token, error)
	CountTokens(ctx context.Context) (int, error)

	// DirectoryVersion tells whether the accounts and groups of a connection are those of an earlier look: it MUST change
	// with every write of one of them, and MUST NOT be what it ever was before, not even if the connection was deleted and
	// another one has its id. What else is written leaves it alone. It is "" if there is no such connection.
	DirectoryVersion(ctx context.Context, connectionID string) (string, error)

	// ConnectionVersions answers for each connection that exists a text that changes with every write of it or of its
	// directory.
	ConnectionVersions(ctx context.Context, ids []string) (map[string]string, error)

	// Maps finds maps of a kind by id, without their items.
	Maps(ctx context.Context, kind idmap.MapKind, ids []string) ([]idmap.Map, error)
	ListMaps(ctx context.Context, f idmap.MapFilter, page idmap.Page) ([]idmap.Map, error)
	CountMaps(ctx context.Context, f idmap.MapFilter) (int, error)
	// ListMapItems takes any number of ids, of ids of subjects and targets, and of principals. The page holds for them
	// too, and its limit may be as large as the caller likes.
	ListMapItems(ctx context.Context, mapID string, f idmap.MapItemFilter, page idmap.Page) ([]idmap.MapItem, error)
	CountMapItems(ctx context.Context, mapID string, f idmap.MapItemFilter) (int, error)
	// MapRevision answers a map as it was kept by KeepMapRevision, with its items. It MUST answer idmap.NotFound if that
	// revision was not kept.
	MapRevision(ctx context.Context, mapID string, revision int64) (idmap.Map, error)

	Jobs(ctx context.Context, ids []string) ([]idmap.Job, error)
	ListJobs(ctx context.Context, f idmap.JobFilter, page idmap.Page) ([]idmap.Job, error)
	CountJobs(ctx context.Context, f idmap.JobFilter) (int, error)

	// ListSignIns answers the history by its Key, the greatest first; Page.After is a Key. A Page.After that is none finds
	// nothing. A row answers the Reasons and the times that were stored.
	ListSignIns(ctx context.Context, f idmap.SignInFilter, page idmap.Page) ([]idmap.SignIn, error)
	// CountSignIns counts entries of the history, but no further than atMost.
	CountSignIns(ctx context.Context, f idmap.SignInFilter, atMost int) (int, error)
	// SignInConnections answers the ids of the destination connections that the history has entries of. It MUST NOT read
	// the whole history for that. The connections need not exist any more.
	SignInConnections(ctx context.Context) ([]string, error)

	// Sessions finds by id. The email and the user id of a session are those that its mapping has now.
	Sessions(ctx context.Context, ids []string) ([]idmap.Session, error)
	ListSessions(ctx context.Context, f idmap.SessionFilter, page idmap.Page) ([]idmap.Session, error)
	CountSessions(ctx context.Context, f idmap.SessionFilter) (int, error)
	// ListSessionUsage sums up the sessions of each mapping, in the byte order of the mapping's id, which is Page.After.
	ListSessionUsage(ctx context.Context, f idmap.SessionFilter, page idmap.Page) ([]idmap.SessionUsage, error)
	// CountSessionUsage counts the mappings that have such sessions.
	CountSessionUsage(ctx context.Context, f idmap.SessionFilter) (int, error)

	// IdempotencyRecords finds the records of an actor by key.
	IdempotencyRecords(ctx context.Context, actor string, keys []string) ([]IdempotencyRecord, error)
}

// Tx reads its own writes, and writes. Methods that take several objects write all or none.
type Tx interface {
	Reader

	// LockConnection keeps every other transaction that locks the connection waiting until this one ends. It MUST
	// answer idmap.NotFound if the connection does not exist.
	LockConnection(ctx context.Context, id string) error
	// ShareConnections waits for those who locked one of the connections, and keeps others from locking it until this
	// transaction ends, but does not wait for others who share it. What is read afterwards is no older than what those
	// wrote who were waited for. Connections that do not exist are left out.
	ShareConnections(ctx context.Context, ids []string) error
	// InsertConnection stores c, but for its Features, which follow from the platform. A duplicate of its id or of its Key
	// is ErrConflict.
	InsertConnection(ctx context.Context, c idmap.Connection) error
	// UpdateConnection writes c if the stored revision is c.Revision-1, else it fails with ErrConflict, as it does if
	// another connection has its Key.
	UpdateConnection(ctx context.Context, c idmap.Connection) error
	// DeleteConnection removes the connection with its accounts and groups. It MUST fail with ErrConflict while a user
	// mapping, an account map or a group map uses it. The ledger stays.
	DeleteConnection(ctx context.Context, id string) error

	// PutAccounts inserts or replaces accounts by id, with their addresses; of two with one id it takes the last. A
	// missing connection is ErrConflict.
	PutAccounts(ctx context.Context, connectionID string, accounts []idmap.Account) error
	// PutGroups does the same for groups.
	PutGroups(ctx context.Context, connectionID string, groups []idmap.Group) error

	// InsertUserMappings stores new mappings. A duplicate of (EmailScope, canonical email), of (EmailScope, bound source
	// account), of (source, destination, canonical user id), or of (source, destination, bound destination account) is
	// ErrConflict, as is a connection that does not exist.
	InsertUserMappings(ctx context.Context, mappings []UserMapping) error
	// UpdateUserMappings writes each mapping whose stored revision is its Revision-1; if any is not, ErrConflict. The
	// uniqueness of InsertUserMappings MUST hold for the outcome only, so that values may change hands in one call. The
	// stored CreatedOn and LastSignInOn stay.
	UpdateUserMappings(ctx context.Context, mappings []UserMapping) error
	// BindUserMappings sets the bound accounts of mappings that have none, without a new revision: what a mapping is
	// bound to is not changed by learning it.
	BindUserMappings(ctx context.Context, mappings []idmap.UserMapping) error
	// DeleteUserMappings removes each mapping that is at its Revision; if any is not, ErrConflict.
	DeleteUserMappings(ctx context.Context, mappings []idmap.UserMapping) error

	// LockUserMappings keeps every other transaction that locks one of the mappings, or writes it, waiting until this one
	// ends. It locks in the order of the ids. Mappings that do not exist are left out.
	LockUserMappings(ctx context.Context, ids []string) error
	// TryLockUserMappings locks those of the mappings that no other transaction has locked or written, without waiting for
	// one, and answers them as they are now.
	TryLockUserMappings(ctx context.Context, ids []string) ([]UserMapping, error)
	// TouchUserMappings records that the mappings were signed into: LastSignInOn becomes on, unless it is later already.
	// The revision stays. It locks the mappings as LockUserMappings does; ErrConflict if one does not exist.
	TouchUserMappings(ctx context.Context, ids []string, on time.Time) error

	// ClaimEmails records that holders hold addresses: it begins an entry for an address that has none (or only
	// released ones), adds holders that the entry does not have, refreshes those that are the Same, and answers the
	// indexes of the claims of which a holder is another than the stored one for that connection. Such a claim leaves
	// the stored holder as it is. Two transactions that claim one address MUST NOT both succeed with different holders.
	// A refresh takes the claim's account id and user id where it has them, and its name where none is stored. Claims of
	// one call see those before them. The revision of an entry counts releases, so a claim does not change it.
	ClaimEmails(ctx context.Context, claims []EmailClaim, now time.Time) (refused []int, err error)
	// RenameHolder gives the holder of an application connection its new canonical user id in every unreleased entry of
	// the mail connection that has the holder: under the old user id, and under the account id or under none. An entry
	// that says another account holds the address MUST stay as it is, even if that account has the old user id.
	RenameHolder(ctx context.Context, rename HolderRename) error
	// ReleaseEmailAssignment writes the release of e if the stored revision is e.Revision-1, else ErrConflict.
	ReleaseEmailAssignment(ctx context.Context, e idmap.EmailAssignment) error

	// InsertSignIns adds entries to the history. They refer to nothing, so what they name may be gone.
	InsertSignIns(ctx context.Context, signIns []idmap.SignIn) error
	// DeleteSignIns removes at most limit entries of a destination connection from before that time, the oldest first,
	// and answers how many. It MUST NOT read more of the history than it removes.
	DeleteSignIns(ctx context.Context, destinationConnectionID string, before time.Time, limit int) (int, error)
	// UseSessions begins sessions, or continues the one that the mapping has from that client: its UseCount grows by the
	// given one, its SourceAddress becomes the given one, and FirstUsedOn and LastUsedOn never move inwards. It answers the
	// sessions as they are stored then, in the order asked. No two may be of one mapping and client. Only those of mappings
	// may be used that this transaction inserted or touched, since nothing else keeps them from being deleted meanwhile;
	// one that does not exist is ErrConflict.
	UseSessions(ctx context.Context, sessions []idmap.Session) ([]idmap.Session, error)
	// EndSessions removes at most limit sessions, in the order of their ids, and answers those that it removed. Of two
	// transactions only one removes a session. It locks their mappings first, as LockUserMappings does. Of a mapping that
	// this transaction deleted, the sessions are ended all the same, and answered without what the mapping knew.
	EndSessions(ctx context.Context, f idmap.SessionFilter, limit int) ([]idmap.Session, error)

	// LockMap keeps every other transaction that locks the map waiting until this one ends. It MUST answer idmap.NotFound
	// if there is no such map of the kind.
	LockMap(ctx context.Context, kind idmap.MapKind, id string) error
	// InsertMap stores a map without its items. A duplicate of its id, of its kind and Key, or a connection that does not
	// exist, is ErrConflict.
	InsertMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) error
	// UpdateMap writes m, without its items, if the stored revision is m.Revision-1, else it fails with ErrConflict, as it
	// does if another map of the kind has its Key. The stored CreatedOn stays.
	UpdateMap(ctx context.Context, kind idmap.MapKind, m idmap.Map) error
	// DeleteMap removes the map with its items, if there is one. Revisions that were kept stay, and so do the jobs.
	DeleteMap(ctx context.Context, kind idmap.MapKind, id string) error
	// PutMapItems inserts items, or replaces them by id; of two with one id it takes the last. A duplicate of (map, role,
	// id of the subject) is ErrConflict, as is a map that does not exist; the uniqueness MUST hold for the outcome only,
	// so that subjects may change hands in one call. An item without an id, a role or the id of its subject is a fault.
	PutMapItems(ctx context.Context, mapID string, items []idmap.MapItem) error
	// DeleteMapItems removes items by id; those that do not exist are gone already.
	DeleteMapItems(ctx context.Context, mapID string, ids []string) error
	// HoldMapRevision reports whether a revision is kept, without reading it, and if so keeps others from removing it
	// until this transaction ends.
	HoldMapRevision(ctx context.Context, mapID string, revision int64) (bool, error)
	// KeepMapRevision keeps a copy of the map with its items, unless its revision is kept already. A job that uses it MUST
	// be written in the same transaction, since a revision goes with the last job that used it.
	KeepMapRevision(ctx context.Context, kind idmap.MapKind, m idmap.Map) error

	// InsertJob stores a job. A duplicate of its id is ErrConflict.
	InsertJob(ctx context.Context, j idmap.Job) error
	// UpdateJob writes j if the stored revision is j.Revision-1, else ErrConflict. The stored CreatedOn stays. Of the map
	// revisions that the job used before, it removes those that no job uses any more.
	UpdateJob(ctx context.Context, j idmap.Job) error
	// DeleteJob removes the job, if there is one, and those map revisions that only it used.
	DeleteJob(ctx context.Context, id string) error

	AppendAudit(ctx context.Context, entries []idmap.AuditEntry) error

	// InsertToken stores a token under the hash of its secret. The secret itself MUST NOT be stored. A duplicate of its
	// id, of its folded name or of the hash is ErrConflict.
	InsertToken(ctx context.Context, t idmap.Token, hash string) error
	// DeleteToken MUST answer idmap.NotFound if there is none.
	DeleteToken(ctx context.Context, id string) error

	// ClaimIdempotencyKey stores r and answers nil, or answers the record that is there already. A transaction that
	// claims a key which another one has claimed MUST wait for that one to end.
	ClaimIdempotencyKey(ctx context.Context, r IdempotencyRecord) (*IdempotencyRecord, error)
	// AnswerIdempotencyKey stores the object and the answer of a claimed key; ErrConflict if the key is not claimed.
	AnswerIdempotencyKey(ctx context.Context, r IdempotencyRecord) error
	// AddIdempotencyRecords stores records that have their answers already, of keys that differ. A stored record that is
	// older than keep when the new one is created makes way; any other that has the key is ErrConflict. Like a claim it MUST
	// wait for another transaction that has the key. It takes the keys in one order, so that two transactions do not wait
	// for each other.
	AddIdempotencyRecords(ctx context.Context, records []IdempotencyRecord, keep time.Duration) error
	// ForgetIdempotencyKeys removes the records about objects that are gone.
	ForgetIdempotencyKeys(ctx context.Context, objectIDs []string) error
	// ExpireIdempotencyKeys removes at most limit records from before that time.
	ExpireIdempotencyKeys(ctx context.Context, before time.Time, limit int) error
}

// DirectoryKeys are keys of accounts or groups; an object that has any of them is found.
type DirectoryKeys struct {
	IDs         []string
	UserKeys    []string
	AddressKeys []string
	NameKeys    []string // idmap.NameKey; only of use to Accounts and Groups
}

// UserMapping is a mapping with the scope in which its email is unique.
type UserMapping struct {
	idmap.UserMapping
	// EmailScope is the destination connection, or the platform where it is exclusive: see rules.EmailScope.
	EmailScope string
}

// UserMappingKeys are keys of mappings; a mapping that has any of them is found.
type UserMappingKeys struct {
	IDs    []string
	Emails []EmailKey
	// RenamedTo wants that answered too, as UserMappingsBehind does; it costs a look at each account.
	RenamedTo bool
}

// EmailKey is what at most one mapping has: a canonical email in a scope.
type EmailKey struct{ EmailScope, EmailKey string }

// EmailClaim says that holders hold an address of a mail connection.
type EmailClaim struct {
	ID           string // of the entry, should it be a new one
	ConnectionID string
	AddressKey   string
	Address      string
	Holders      []idmap.EmailHolder
	SeenBy       idmap.SeenBy
}

// HolderRename is a new user id of a holder.
type HolderRename struct {
	MailConnectionID string
	ConnectionID     string // the application connection
	AccountID        string // in the application connection; "" while no directory knows the account
	OldUserKey       string
	NewUserKey       string
}

// IdempotencyRecord remembers the answer to a request.
type IdempotencyRecord struct {
	Actor       string // the token that the request came with
	Key         string
	RequestHash string // hex SHA-256 of what was asked
	ObjectID    string // what the request made
	Answer      []byte // JSON
	CreatedOn   time.Time
}
