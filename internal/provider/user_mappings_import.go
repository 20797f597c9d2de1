package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const importTakesPair = "Import takes <mail connection>/<application connection>, each named by its id or its name."

// ImportState names the two connections. The read that follows takes all of their mappings.
func (r *userMappingsResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !r.walk.ready(&resp.Diagnostics) {
		return
	}
	var source, destination string
	if req.ID == "" {
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("source_connection_id"), &source)...)
		resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("destination_connection_id"), &destination)...)
	} else {
		source, destination = r.findPair(ctx, req.ID, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	for name, id := range map[string]string{"source_connection_id": source, "destination_connection_id": destination, "id": source + "/" + destination} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), id)...)
	}
}

// findPair returns the ids of the two connections. Names may have slashes in them, so each slash is tried.
func (r *userMappingsResource) findPair(ctx context.Context, name string, diags *diag.Diagnostics) (source, destination string) {
	for i, c := range name {
		if c != '/' {
			continue
		}
		if blank(name[:i]) || blank(name[i+1:]) {
			break
		}
		from, err := connectionByIDOrName(ctx, r.walk.client, name[:i])
		if err == nil {
			var to idmap.Connection
			if to, err = connectionByIDOrName(ctx, r.walk.client, name[i+1:]); err == nil {
				return from.ID, to.ID
			}
		}
		if !idmap.IsNotFound(err) {
			addFindError(userMappingsNoun, err, diags)
			return "", ""
		}
	}
	diags.AddError("Object Not Found", fmt.Sprintf("%q does not name two connections that exist. %s", name, importTakesPair))
	return "", ""
}
