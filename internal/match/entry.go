package match

import "github.com/idmap/terraform-provider-idmap/internal/idmap"

// Entry is an account or a group as maps see it: what it is called, and the keys under which it is compared.
type Entry struct {
	Principal idmap.Principal // all its names, for people; the id is set
	Addresses []string        // canonical
	UserKey   string          // folded username; "" where it has none
	NameKey   string          // folded display name of an account, or name of a group
	Caption   string          // folded caption of a group

	External bool // a guest
	Stub     bool
	Disabled bool
	Deleted  bool // has left the directory
}

// AccountEntry returns the account as an entry.
func AccountEntry(a idmap.Account) Entry {
	return Entry{
		Principal: idmap.Principal{Type: "account", ID: a.ID, Name: a.Name, Username: a.Username, Email: a.Email},
		Addresses: a.AddressKeys(), UserKey: idmap.Fold(a.Username), NameKey: idmap.NameKey(a.Name),
		External: a.External, Stub: a.UserType == idmap.UserTypeStub, Disabled: a.Disabled, Deleted: a.Deleted(),
	}
}

// GroupEntry returns the group as an entry.
func GroupEntry(g idmap.Group) Entry {
	return Entry{
		Principal: idmap.Principal{Type: "group", ID: g.ID, Name: g.Name, Caption: g.Caption},
		Addresses: g.AddressKeys(), NameKey: idmap.NameKey(g.Name), Caption: idmap.NameKey(g.Caption),
		Disabled: g.Disabled, Deleted: g.Deleted(),
	}
}
