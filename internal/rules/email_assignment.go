package rules

import (
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// MaxReasonLength is the longest reason of a release, in characters.
const MaxReasonLength = 1000

// CheckReason reports why an address cannot be released for that reason.
func CheckReason(reason string) []idmap.Violation {
	refused := func(text string) []idmap.Violation {
		return []idmap.Violation{{Code: idmap.CodeInvalid, Field: "reason", Description: text}}
	}
	if strings.TrimSpace(reason) == "" {
		return refused("A release needs a reason, which the audit keeps. Say who asked for it and why it is safe.")
	}
	if err := idmap.PlainText(reason, MaxReasonLength); err != nil {
		return refused(fmt.Sprintf("The reason cannot be stored: %s.", err))
	}
	return nil
}
