package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/provider"
)

// whole is all that the provider tells Terraform of, since Terraform reads all of it in each of its processes.
type whole interface {
	tfprovider.Provider
	tfprovider.ProviderWithFunctions
	tfprovider.ProviderWithListResources
	tfprovider.ProviderWithActions
}

// floor is the provider, with resources that do nothing.
type floor struct{ whole }

func newFloor() tfprovider.Provider {
	return floor{provider.New("floor", nil)().(whole)} //nolint:forcetypeassert // what is missing here is a difference of the schemas
}

func (floor) Configure(context.Context, tfprovider.ConfigureRequest, *tfprovider.ConfigureResponse) {}

func (f floor) Resources(ctx context.Context) []func() resource.Resource {
	all := f.whole.Resources(ctx)
	for i, of := range all {
		all[i] = func() resource.Resource { return idle{of().(resource.ResourceWithIdentity)} } //nolint:forcetypeassert // all of ours have an identity
	}
	return all
}

// idle has the schema of a resource, with the plan modifiers and the validators in it, and nothing else of it.
type idle struct{ of resource.ResourceWithIdentity }

func (r idle) Metadata(ctx context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	r.of.Metadata(ctx, req, resp)
}

func (r idle) Schema(ctx context.Context, req resource.SchemaRequest, resp *resource.SchemaResponse) {
	r.of.Schema(ctx, req, resp)
}

func (r idle) IdentitySchema(ctx context.Context, req resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	r.of.IdentitySchema(ctx, req, resp)
}

func (idle) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	settle(ctx, req.Plan.Raw, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (idle) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	settle(ctx, req.State.Raw, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (idle) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	settle(ctx, req.Plan.Raw, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (idle) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}

// settle puts what is planned into the state, with a constant for what is unknown, and the identity out of it.
func settle(ctx context.Context, planned tftypes.Value, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	var attributes map[string]tftypes.Value
	if err := planned.As(&attributes); err != nil {
		diags.AddError("Unexpected Value", err.Error())
		return
	}
	for name, value := range attributes {
		switch {
		case value.IsKnown():
		case value.Type().Is(tftypes.String):
			attributes[name] = tftypes.NewValue(tftypes.String, "floor")
		default:
			attributes[name] = tftypes.NewValue(value.Type(), nil)
		}
	}
	state.Raw = tftypes.NewValue(planned.Type(), attributes)
	if identity == nil {
		return
	}
	identities := map[string]tftypes.Value{}
	for name := range identity.Schema.GetAttributes() {
		identities[name] = attributes[name]
	}
	identity.Raw = tftypes.NewValue(identity.Schema.Type().TerraformType(ctx), identities)
}
