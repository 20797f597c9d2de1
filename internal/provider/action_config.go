package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	tfaction "github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// readAction reads the configuration of an action into data, once all validators of the action accept it. Terraform runs
// them before the plan alone: what was unknown then is null, blank or anything else by the time the action is invoked, and
// as a filter of the backend a null selects everything.
func readAction(ctx context.Context, a tfaction.ActionWithConfigValidators, config tfsdk.Config, data any) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, v := range a.ConfigValidators(ctx) {
		var resp tfaction.ValidateConfigResponse
		v.ValidateAction(ctx, tfaction.ValidateConfigRequest{Config: config}, &resp)
		diags.Append(resp.Diagnostics...)
	}
	var of tfaction.SchemaResponse
	a.Schema(ctx, tfaction.SchemaRequest{}, &of)
	for _, name := range slices.Sorted(maps.Keys(of.Schema.Attributes)) {
		diags.Append(checkAttribute(ctx, config, name, of.Schema.Attributes[name])...)
	}
	if !diags.HasError() {
		diags.Append(config.Get(ctx, data)...)
	}
	return diags
}

// checkAttribute judges one attribute of an action, all of which are strings.
func checkAttribute(ctx context.Context, config tfsdk.Config, name string, attribute schema.Attribute) diag.Diagnostics {
	at := path.Root(name)
	var value attr.Value
	diags := config.GetAttribute(ctx, at, &value)
	if diags.HasError() {
		return diags
	}
	text, isText := value.(basetypes.StringValuable)
	of, isString := attribute.(schema.StringAttribute)
	if !isText || !isString {
		diags.AddAttributeError(at, "Unexpected Attribute", fmt.Sprintf("Expected a string, got %T. This is a bug of the provider.", value))
		return diags
	}
	if of.Required && value.IsNull() { // in the words of the framework, which asks for it before the plan
		diags.AddAttributeError(at, "Missing Configuration for Required Attribute", fmt.Sprintf(
			"Must set a configuration value for the %s attribute as the provider has marked it as required.\n\n"+
				"Refer to the provider documentation or contact the provider developers for additional information about configurable attributes that are required.", at))
		return diags
	}
	given, more := text.ToStringValue(ctx)
	diags.Append(more...)
	for _, v := range of.Validators {
		var resp validator.StringResponse
		v.ValidateString(ctx, validator.StringRequest{Path: at, PathExpression: at.Expression(), Config: config, ConfigValue: given}, &resp)
		diags.Append(resp.Diagnostics...)
	}
	return diags
}
