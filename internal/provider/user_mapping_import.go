package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const importTakes = "Import takes the id of a mapping, or <destination connection>/<user id>, where the connection is named by its id or its name."

// findImported returns the id of the mapping that an import names: by its id, or by
// "<destination connection id or name>/<user id>". It returns "" after an error.
func (r *userMappingResource) findImported(ctx context.Context, name string, diags *diag.Diagnostics) string {
	found, err := r.namedBy(ctx, name)
	switch {
	case err != nil:
		addFindError(userMappingNoun, err, diags)
	case len(found) == 0:
		diags.AddError("Object Not Found", fmt.Sprintf(
			"There is no user mapping %q. %s", name, importTakes))
	case len(found) > 1:
		lines := make([]string, len(found))
		for i, m := range found {
			lines[i] = fmt.Sprintf("  %s  (%s, mail connection %s)", m.ID, m.Label(), m.Source.Connection.ID)
		}
		diags.AddError("Import Is Ambiguous", fmt.Sprintf(
			"%q has mappings from %d mail connections. Import the one that you mean by its id:\n\n%s", name, len(found), strings.Join(lines, "\n")))
	default:
		return found[0].ID
	}
	return ""
}

// namedBy returns the mappings of that id or natural key. Connection names and user ids may have slashes in them, so
// each slash is tried. What is blank on either side of one is no mistake to overlook: it would select any mapping.
func (r *userMappingResource) namedBy(ctx context.Context, name string) ([]idmap.UserMapping, error) {
	if blank(name) {
		return nil, blankImport(name)
	}
	if m, err := r.walk.client.UserMapping(ctx, name); !idmap.IsNotFound(err) {
		return []idmap.UserMapping{m}, err
	}
	for i, c := range name {
		if c != '/' {
			continue
		}
		if blank(name[:i]) || blank(name[i+1:]) {
			return nil, blankImport(name)
		}
		connection, err := connectionByIDOrName(ctx, r.walk.client, name[:i])
		if idmap.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		filter := idmap.UserMappingFilter{DestinationConnectionID: connection.ID, UserKey: idmap.Fold(name[i+1:])}
		return collect(r.walk.client.UserMappings(ctx, filter))
	}
	return nil, nil
}

// tellManagedTwice refuses a plan that imports a mapping which another resource has, or that destroys one of two resources
// of a mapping: the end of either is that of the mapping. That both are in the state already, such as after terraform
// import, which sees no other resource, is worth a warning only: a refusal would stop terraform destroy, which plans first.
func tellManagedTwice(m userMappingModel, all managed, diags *diag.Diagnostics) {
	if !all.twice() {
		return
	}
	tell := diags.AddWarning
	if all.imported || all.destroyed {
		tell = diags.AddError
	}
	tell("Mapping Already Managed", fmt.Sprintf(
		"Mapping %s (%s ↔ %s) is that of this resource and of another one in the state. One is required: when either is destroyed, the mapping is deleted.\n\n"+
			"If this plan imports it because its resource has a new name, such as after a rename of the user, write a moved block from the old name to the new one; the import then does nothing.\n\n"+
			"Otherwise let Terraform forget one of the two: remove its resource block, and write\n\n"+
			"  removed {\n    from = %s.<name>\n    lifecycle {\n      destroy = false\n    }\n  }",
		m.ID.ValueString(), m.Email.ValueString(), m.UserID.ValueString(), userMappingNoun.resource))
}

func blankImport(name string) error {
	return &findError{"Invalid Import ID", fmt.Sprintf("%q names no user mapping: a part of it is blank. %s", name, importTakes)}
}
