package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// blank reports whether a text names nothing: the backend compares names without the blanks around them.
func blank(s string) bool { return idmap.Fold(s) == "" }

var _ validator.String = notBlank{}

// notBlank refuses a blank text where something is named. As a filter a blank text selects everything, so a variable that
// happens to be empty would choose an object that nobody asked for.
type notBlank struct{}

func (notBlank) Description(context.Context) string         { return "must not be blank" }
func (notBlank) MarkdownDescription(context.Context) string { return "must not be blank" }

func (notBlank) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || !blank(req.ConfigValue.ValueString()) {
		return
	}
	resp.Diagnostics.AddAttributeError(req.Path, "Invalid Value",
		"The value is blank, and names nothing. Give "+req.Path.String()+" a value, or leave it out where it is optional.")
}

// named are the validators of an attribute that names an object.
func named() []validator.String { return []validator.String{notBlank{}} }
