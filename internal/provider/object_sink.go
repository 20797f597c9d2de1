package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// objectSink is where a resource method puts an object: the state that users see, the identity, and the private state.
type objectSink struct {
	state    *tfsdk.State
	identity *tfsdk.ResourceIdentity
	private  privateState
	diags    *diag.Diagnostics
}

// put stores an object as it is at that revision.
func (s objectSink) put(ctx context.Context, id string, revision int64, model any) {
	s.diags.Append(s.state.Set(ctx, model)...)
	s.identify(id)
	rememberStored(ctx, s.private, revision, s.diags)
}

// identify sets the identity. Terraform before 1.12 stores none, so even a read that finds the object gone must set it:
// the framework takes its absence for a bug.
func (s objectSink) identify(id string) {
	s.identity.Raw = tftypes.NewValue(s.identity.Raw.Type(), map[string]tftypes.Value{"id": tftypes.NewValue(tftypes.String, id)})
}
