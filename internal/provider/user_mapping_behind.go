package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// warnBehind warns of a mapping that could not follow its user, which no difference of a plan shows. The backend says so
// with the mapping, so only one that is behind costs a request, for the reason. Where the plan brings a new directory,
// the mapping's own plan tells what becomes of it.
func (r *userMappingResource) warnBehind(ctx context.Context, m idmap.UserMapping, diags *diag.Diagnostics) {
	if m.RenamedTo == "" || r.walk.bringsAccounts(m.Source.Connection.ID) || r.walk.bringsAccounts(m.Destination.Connection.ID) {
		return
	}
	diags.AddAttributeWarning(path.Root("user_id"), renamedUser, fmt.Sprintf(
		"The directory calls the mapping's user %q now, and the mapping of %s could not follow. %s", m.RenamedTo, m.Label(), r.whyBehind(ctx, m, fmt.Sprintf("set user_id = %q", m.RenamedTo), movedKey)))
}

// whyBehind says what stands against a rename, and how to go on.
func (r *userMappingResource) whyBehind(ctx context.Context, m idmap.UserMapping, way, besides string) string {
	const next = "The next import of either directory lets the mapping follow if nothing stands against it any more. "
	set := strings.TrimSpace(fmt.Sprintf("Or %s, with an email of the same person. %s", way, besides))
	if !r.walk.checks() {
		return "The audit of the mapping says why.\n\n" + next + set
	}
	verdicts, err := r.walk.client.ValidateUserMappings(ctx, []idmap.UserMappingIntent{followUser(m, m.RenamedTo)}, nil)
	switch {
	case err != nil: // the mapping was read, and the plan asks again
		return "The audit of the mapping says why.\n\n" + next + set
	case len(verdicts[0].Violations) == 0:
		return strings.TrimSpace(fmt.Sprintf("Nothing stands against it any more: %s, or import the directory of either connection again. %s", way, besides))
	}
	refused := verdicts[0].Violations
	return fmt.Sprintf("%s\n\n%s%s\n\nCode: %s", idmap.Sentences(refused), next, set, codesOf(refused))
}

// detailAtConnection is detailOf for a finding of an upload, whose reader is at the connection. The upload cannot know what
// else the apply will do.
func detailAtConnection(v idmap.Violation) string {
	parts := []string{v.Description}
	if v.Code == idmap.CodeAccountRepointed {
		parts = append(parts, "For the same person, set the user_id of the mapping's own resource, with an email of that person. For another person, remove the mapping's resource (not this connection) and apply; then add the new one.")
		if v.Conflict != nil {
			parts = append(parts, waysPast(*v.Conflict, "")...)
		}
	} else {
		parts = append(parts, waysOut(v, "")...)
	}
	parts = append(parts, "This is as the upload found it. Files are uploaded before mappings are changed: if this apply also changes the mapping, or uploads the other side's file, that can settle it, and the next plan tells.")
	return strings.Join(append(parts, "Code: "+string(v.Code)), "\n\n")
}
