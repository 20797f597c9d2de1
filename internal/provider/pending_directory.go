package provider

import (
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// pendingDirectory is a connection as this walk plans it, with what its new files will bring. Mappings that are planned
// after it are checked against it, so the first plan of a configuration sees as much as any later one. It is not
// changed once it is registered.
type pendingDirectory struct {
	connection idmap.Connection
	accounts   directoryIndex[idmap.Account] // nil: no new file
	groups     directoryIndex[idmap.Group]   // nil: no new file
}

// directoryIndex finds the entries of a file by what a mapping may name them by.
type directoryIndex[T any] map[string][]*T

func indexDirectory[T any](entries []T, keys func(T) []string) directoryIndex[T] {
	index := make(directoryIndex[T], len(entries))
	for i := range entries {
		for _, key := range keys(entries[i]) {
			index[key] = append(index[key], &entries[i])
		}
	}
	return index
}

// find returns the entries under any of the keys, each once, in a steady order.
func (index directoryIndex[T]) find(keys []string) *[]T {
	if index == nil {
		return nil
	}
	found, seen := []T{}, map[*T]bool{}
	for _, key := range keys {
		for _, entry := range index[key] {
			if !seen[entry] {
				seen[entry] = true
				found = append(found, *entry)
			}
		}
	}
	return &found
}

// The keys of an index. An id is compared as it is, all else in its canonical form.
func idKey(id string) string          { return "id:" + id }
func userKey(canonical string) string { return "user:" + canonical }
func mailKey(canonical string) string { return "mail:" + canonical }

func accountKeys(a idmap.Account) []string {
	keys := []string{idKey(a.ID), userKey(a.UserKey())}
	for _, address := range a.AddressKeys() {
		keys = append(keys, mailKey(address))
	}
	return keys
}

func groupKeys(g idmap.Group) []string {
	keys := []string{idKey(g.ID)}
	for _, address := range g.AddressKeys() {
		keys = append(keys, mailKey(address))
	}
	return keys
}

// expect registers a connection as it is going to be.
func (w *walk) expect(d *pendingDirectory) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending[d.connection.ID] = d
}

// expects reports whether the connection is planned and not stored yet.
func (w *walk) expects(connectionID string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending[connectionID] != nil
}

// arrived forgets what was expected of a connection: the backend has it now.
func (w *walk) arrived(connectionID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.pending, connectionID)
}

// proposals returns, for the connections of the mappings that are not stored yet as planned, the connection and all
// that the mappings could touch of its files.
func (w *walk) proposals(mappings ...idmap.UserMapping) []idmap.ProposedDirectory {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, m := range mappings {
		ids = append(ids, m.Source.Connection.ID, m.Destination.Connection.ID)
	}
	slices.Sort(ids)
	var proposals []idmap.ProposedDirectory
	for _, id := range slices.Compact(ids) {
		if d := w.pending[id]; d != nil {
			keys := d.keysOf(mappings)
			proposals = append(proposals, idmap.ProposedDirectory{
				Connection: d.connection, Accounts: d.accounts.find(keys), Groups: d.groups.find(keys),
			})
		}
	}
	return proposals
}

// keysOf returns what the mappings may name entries of the directory by.
func (d *pendingDirectory) keysOf(mappings []idmap.UserMapping) []string {
	var keys []string
	for _, m := range mappings {
		for _, id := range []string{m.Source.AccountID(), m.Destination.AccountID()} {
			if id != "" {
				keys = append(keys, idKey(id))
			}
		}
		if user := m.UserKey(); user != "" {
			keys = append(keys, userKey(user))
		}
		if email, err := idmap.CanonicalEmail(d.emailOf(m)); err == nil {
			keys = append(keys, mailKey(email))
		}
	}
	return keys
}

// emailOf returns the email of a mapping, also where it follows the username.
func (d *pendingDirectory) emailOf(m idmap.UserMapping) string {
	if m.Email == "" && d.connection.MailDomain != "" {
		return m.UserID + "@" + d.connection.MailDomain
	}
	return m.Email
}
