package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// claim is what one planned object takes for itself. Terraform plans each resource alone; the claims of a walk are what
// lets two of them be held against each other before either is stored.
type claim struct {
	token string // the object: a resource may be planned twice in one walk
	by    claimant
}

// claimant describes a planned object to a person.
type claimant struct {
	what string // such as "the mapping of jane@example.com to user JDOE"
	// email and userID say which of the two a mapping shares with another one; empty for other objects.
	email, userID string
}

// claim takes the keys for the object, and returns the object that has one of them already.
func (w *walk) claim(token string, by claimant, keys ...string) (other claimant, taken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		if held, ok := w.claims[key]; ok && held.token != token {
			return held.by, true
		}
	}
	for _, key := range keys {
		w.claims[key] = claim{token: token, by: by}
	}
	return claimant{}, false
}

// addMappingClaimedTwice reports that two mappings of the configuration want the same email or the same user.
func addMappingClaimedTwice(mine, other claimant, diags *diag.Diagnostics) {
	shared, code := mine.sharedWith(other)
	at := path.Root("email")
	if code == idmap.CodeUserAlreadyMapped {
		at = path.Root("user_id")
	}
	found := fmt.Sprintf("Two resources of this configuration claim %s: %s, and %s. A user has one mapping, and an email goes to one user.", shared, mine.what, other.what)
	if idmap.SameEmail(mine.email, other.email) && idmap.SameUserID(mine.userID, other.userID) {
		found = fmt.Sprintf("Another resource of this configuration is the same as this one: %s. Look for the row, or the block, that is there twice; either may be the new one.", mine.spelt(other))
	}
	diags.AddAttributeError(at, "Claimed Twice", found+"\n\n"+
		"If both are the same person, remove one of the two resources. If they are two persons, give one of them the email, or the user id, that is really theirs.\n\nCode: "+string(code))
}

// sharedWith says what two mappings claim both.
func (c claimant) sharedWith(other claimant) (string, idmap.Code) {
	switch {
	case idmap.SameEmail(c.email, other.email):
		return fmt.Sprintf("email %q", c.email), idmap.CodeEmailInUse
	case !idmap.SameUserID(c.userID, other.userID):
		return fmt.Sprintf("the mailbox of %q and %q", c.email, other.email), idmap.CodeEmailInUse
	}
	return fmt.Sprintf("user %q", c.userID), idmap.CodeUserAlreadyMapped
}

// spelt says what both are, and how the other one spells it where that differs.
func (c claimant) spelt(other claimant) string {
	if c.what == other.what {
		return c.what
	}
	return c.what + ", there spelt as " + other.what
}

// addCreatedTwice reports that a resource of this apply would get an object which another one has: it created it just
// before, or could not delete it.
func addCreatedTwice(at, what string, code idmap.Code, diags *diag.Diagnostics) {
	diags.AddAttributeError(path.Root(at), "Claimed Twice", fmt.Sprintf(
		"Another resource of this configuration has just created %s, or could not delete it, and this one would be the same. "+
			"Remove one of the two resources. If this is the other one under a new name, write a moved block.\n\nCode: %s", what, code))
}

// claimantOf describes a planned mapping.
func claimantOf(m idmap.UserMapping) claimant {
	email := m.Email
	if email == "" {
		email = "the email that follows the username"
	}
	return claimant{what: fmt.Sprintf("the mapping of %s to user %s", email, m.UserID), email: m.Email, userID: m.UserID}
}
