package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ validator.String = ruleValidator{}

// ruleValidator refuses in the configuration what the backend's own rule would refuse.
type ruleValidator struct {
	check       func(string) []idmap.Violation
	description string
}

func (v ruleValidator) Description(context.Context) string         { return v.description }
func (v ruleValidator) MarkdownDescription(context.Context) string { return v.description }

func (v ruleValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	for _, violation := range v.check(req.ConfigValue.ValueString()) {
		resp.Diagnostics.AddAttributeError(req.Path, summaryOf(violation.Code), detailOf(violation, ""))
	}
}
