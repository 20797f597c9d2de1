package rules

import (
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MaxConnectionNameLength is the longest name of a connection, in characters.
const MaxConnectionNameLength = 200

// MaxSignInHistoryDays is the longest time that a connection can keep its sign-in history, in days.
const MaxSignInHistoryDays = 3650

// EmailScope returns the scope in which an email of a mapping to that destination is unique: the connection, or all
// connections of its platform where that is exclusive (S0: one mailbox, one Sales instance).
func EmailScope(destination idmap.Connection) string {
	if p, ok := idmap.PlatformByID(destination.Platform.ID); ok && p.Features.ExclusiveMail {
		return "platform:" + p.ID
	}
	return "connection:" + destination.ID
}

// CheckConnection reports what a connection breaks on its own.
func CheckConnection(c idmap.Connection) []idmap.Violation {
	var found []idmap.Violation
	add := func(field, format string, args ...any) {
		found = append(found, idmap.Violation{Code: idmap.CodeInvalid, Field: field, Description: fmt.Sprintf(format, args...)})
	}
	found = append(found, checkName("a connection", c.Name, MaxConnectionNameLength)...)
	if _, ok := idmap.PlatformByID(c.Platform.ID); !ok {
		add("platform.id", "There is no platform %q. The platforms are %s.", clip(c.Platform.ID), strings.Join(idmap.PlatformIDs(), ", "))
	}
	c = c.WithDefaults()
	if c.SignInMapping != idmap.SignInCreates && c.SignInMapping != idmap.SignInRequires {
		add("sign_in_mapping", "sign_in_mapping is %q. It must be %q or %q.", clip(string(c.SignInMapping)), idmap.SignInCreates, idmap.SignInRequires)
	}
	if c.OnSignOut != idmap.OnSignOutKeep && c.OnSignOut != idmap.OnSignOutRemove {
		add("on_sign_out", "on_sign_out is %q. It must be %q or %q.", clip(string(c.OnSignOut)), idmap.OnSignOutKeep, idmap.OnSignOutRemove)
	}
	if c.SignInHistoryDays < 1 || c.SignInHistoryDays > MaxSignInHistoryDays {
		add("sign_in_history_days", "sign_in_history_days is %d. It must be from 1 to %d.", c.SignInHistoryDays, MaxSignInHistoryDays)
	}
	if c.MailDomain != "" {
		if _, err := idmap.CanonicalDomain(c.MailDomain); err != nil {
			add("mail_domain", "The mail domain cannot be used: %s.", err)
		}
	}
	return found
}

// CheckConnectionUpdate reports what an update of a connection breaks besides CheckConnection.
func CheckConnectionUpdate(before, after idmap.Connection) []idmap.Violation {
	if before.Platform.ID == after.Platform.ID {
		return nil
	}
	return []idmap.Violation{{
		Code: idmap.CodeImmutable, Field: "platform.id",
		Description: fmt.Sprintf("Connection %q is on platform %s, and the platform of a connection cannot change. Make another connection for %s.",
			before.Name, before.Platform.ID, clip(after.Platform.ID)),
	}}
}

// checkName reports why what, such as "a connection", cannot have the name.
func checkName(what, name string, limit int) []idmap.Violation {
	refuse := func(why string) []idmap.Violation {
		return []idmap.Violation{{Code: idmap.CodeInvalid, Field: "name", Description: fmt.Sprintf("The name of %s %s.", what, why)}}
	}
	if err := idmap.VisibleText(name, limit); err != nil {
		return refuse("cannot be used: " + err.Error())
	}
	if idmap.Fold(name) == "" {
		return refuse("must not be empty")
	}
	return nil
}

// clip shortens what a user sent, for a sentence.
func clip(s string) string {
	const limit = 100
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
