package provider

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// waysOut says what the reader of a refusal can do about it in Terraform, a paragraph each. The backend's sentence has
// said what was found and what is required; it knows nothing of Terraform.
func waysOut(v idmap.Violation, resource string) []string {
	var ways []string
	if way, ok := remedies[v.Code]; ok {
		ways = append(ways, way)
	}
	if v.Conflict != nil {
		ways = append(ways, waysPast(*v.Conflict, resource)...)
	}
	return ways
}

var remedies = map[idmap.Code]string{
	idmap.CodeAccountRepointed: "Terraform neither repoints nor replaces a mapping by itself. Remove this resource and apply, which deletes the mapping; then add the new one.",
	idmap.CodeRevisionConflict: "Somebody else changed the object after Terraform had read it. Run terraform plan again: it shows the change. Where that plan is refused for another reason, terraform apply -refresh-only takes the change into the state.",
	idmap.CodeUnauthorized:     "Check the provider's token (or the environment variable IDMAP_TOKEN), or its username and password (IDMAP_USERNAME, IDMAP_PASSWORD).",
	idmap.CodeForbidden:        "Use a token with a wider scope: the provider needs read to plan and write to apply.",
	idmap.CodeConnectionInUse:  "Delete the mappings and the maps of the connection first. One that refers to the connection as idmap_connection.<name>.id is deleted before it by itself.",
	idmap.CodeMapInUse:         "Terraform deletes a map when its resource is removed, and when its connections change. To keep the map for its jobs, and only forget it, use a removed block with destroy = false.",
}

// waysPast says how to get past the object that stands in the way.
func waysPast(c idmap.Conflict, resource string) []string {
	switch {
	case c.Kind == "user_mapping" && c.ID != "" && resource == userMappingNoun.resource,
		c.Kind == "connection" && c.ID != "" && resource == connectionNoun.resource,
		c.ID != "" && resource == "idmap_"+c.Kind && (c.Kind == string(idmap.AccountMap) || c.Kind == string(idmap.GroupMap)):
		return []string{
			"If the existing object is what this resource is meant to be, import it, and let the arguments say what it is:\n\n" + importBlock(resource, c.ID),
			"If this configuration has it already, under another resource name, tell Terraform with a moved block. If another resource of this configuration gives it up, or goes away, apply that first, on its own.",
		}
	case c.Releasable:
		return []string{fmt.Sprintf("If the address is really free for somebody else, an administrator releases it:\n\n"+
			"  terraform-provider-idmap email release %s --reason \"…\"\n\n"+
			"with --endpoint and IDMAP_TOKEN for a server, or --database for a file (API: POST /v1/email_assignments/%s/release). "+
			"With Terraform 1.14 or later, the action idmap_release_email does the same, invoked on its own before this plan.", c.ID, c.ID)}
	}
	return nil
}

// toldOnce leaves out the ways past an object where an earlier finding tells them, and says where they stand. Terraform
// sorts what is found by where it is, so that neither is above the other.
func (n noun) toldOnce(findings []idmap.Violation) []idmap.Violation {
	told := map[idmap.Conflict]idmap.Code{}
	findings = slices.Clone(findings)
	for i, v := range findings {
		if v.Conflict == nil || len(waysPast(*v.Conflict, n.resource)) == 0 {
			continue
		}
		if code, before := told[*v.Conflict]; before {
			findings[i].Description += fmt.Sprintf("\n\nWhat to do about it stands under %q.", n.summary(code))
			findings[i].Conflict = nil
		} else {
			told[*v.Conflict] = v.Code
		}
	}
	return findings
}

// importBlock is HCL for the user's configuration.
func importBlock(resource, id string) string {
	return fmt.Sprintf("  import {\n    to = %s.<name>\n    id = %q\n  }", resource, id)
}
