package provider

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// timed are the validators of an attribute that is a time.
func timed() []validator.String {
	return []validator.String{ruleValidator{checkTime, "must be a time, RFC 3339"}}
}

func checkTime(text string) []idmap.Violation {
	if _, err := time.Parse(time.RFC3339, text); err == nil {
		return nil
	}
	return []idmap.Violation{{Code: idmap.CodeInvalid, Description: fmt.Sprintf(
		"%q is no time. A time is required as RFC 3339 has it, such as 2026-01-31T09:00:00Z; timestamp() and timeadd() make such times.", text)}}
}

// timeOf returns a validated time; nil where there is none, or none yet.
func timeOf(text types.String) *time.Time {
	t, err := time.Parse(time.RFC3339, text.ValueString())
	if err != nil {
		return nil
	}
	return &t
}
