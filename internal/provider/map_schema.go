package provider

import (
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

// mapLifeText is what the documentation says of the life of a map of either kind.
const mapLifeText = "A plan resolves the whole source directory, and warns how many stay unresolved and, of a change, how many resolve otherwise than before and how many jobs keep the old result. " +
	"Content that was already transferred keeps the result of the map as it was. " +
	"A job is one transfer; a migration tool makes it by the API, and Terraform makes none. While it is not finished, its maps can be changed, but not deleted. " +
	"Do not combine `create_before_destroy` with a change of the connections: the successor needs the name that its predecessor still has."

// schemaAttributes are the attributes of the kind's resource; own are those that the other kind does not have.
func (k mapKind) schemaAttributes(own map[string]schema.Attribute) map[string]schema.Attribute {
	entry := k.kind.Entry()
	all := map[string]schema.Attribute{
		"id": schema.StringAttribute{
			MarkdownDescription: "Opaque id of the map.",
			Computed:            true,
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
		},
		"name": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("Name, unique among the %s maps of the backend without regard to case, at most %d characters.", entry, rules.MaxMapNameLength),
			Required:            true,
		},
		"source_connection_id":      connectionOfMap("whose " + entry + "s are mapped"),
		"destination_connection_id": connectionOfMap("to whose " + entry + "s they are mapped"),
		"match":                     k.matchSchema(),
		"exceptions": schema.MapAttribute{
			MarkdownDescription: fmt.Sprintf("Explicit pairs, source %s to destination %s, which win over all rules. %s "+
				"A pair stays with the %ss that it named when it was made, whatever these are called later. Another order or spelling of the same names is no change (`-refresh=false` may show it as one); in a map that names somebody by an id, letter case is. If left out, the map has no exceptions.", entry, entry, k.namedBy(), entry),
			ElementType:   types.StringType,
			Optional:      true,
			PlanModifiers: []planmodifier.Map{keepExceptions{}},
		},
		"source_exclusions": exclusionsOfMap(fmt.Sprintf(
			"The %ss of the source that are left out. They are named, and compared, like those of `exceptions`.", entry)),
		"destination_exclusions": exclusionsOfMap(fmt.Sprintf(
			"The %ss of the destination that are nobody's match. They are named, and compared, like those of `exceptions`.", entry)),
		k.defaultName: schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("The %s of the destination that takes what nothing else maps, named like those of `exceptions`.", entry),
			Optional:            true,
			PlanModifiers:       []planmodifier.String{keepName{}},
		},
		"unmapped_policy": schema.StringAttribute{
			MarkdownDescription: fmt.Sprintf("What becomes of the %ss that nothing maps, where there is no `%s`: `%s` leaves them out, `%s` fails the transfer of what they own, `%s` hands them over as they are. Default: `%[3]s`.",
				entry, k.defaultName, idmap.UnmappedSkip, idmap.UnmappedFail, idmap.UnmappedPassthrough),
			Optional:   true,
			Computed:   true,
			Validators: []validator.String{policyGiven},
			Default:    stringdefault.StaticString(string(idmap.UnmappedSkip)),
		},
	}
	maps.Copy(all, own)
	return all
}

// policyGiven refuses an empty policy. The backend takes that for the default, so it would differ from the state for ever.
var policyGiven = ruleValidator{
	description: "must not be empty",
	check: func(policy string) []idmap.Violation {
		if policy != "" {
			return nil
		}
		return []idmap.Violation{{
			Code:        idmap.CodeInvalid,
			Description: fmt.Sprintf("The policy is empty. It must be one of %s. Leave unmapped_policy out for %s.", strings.Join(texts(idmap.UnmappedPolicies()), ", "), idmap.UnmappedSkip),
		}}
	},
}

// namedBy says how exceptions, exclusions and the default name somebody.
func (k mapKind) namedBy() string {
	if k.accounts {
		return "An account is named by its id, username or address or, where no account has such a one, by its display name; it must be one account of its connection."
	}
	return "A group is named by its id, name or address or, where no group has such a one, by its caption; it must be one group of its connection. One on Box, as a destination, is named by its id."
}

// connectionOfMap is source_connection_id or destination_connection_id.
func connectionOfMap(which string) schema.StringAttribute {
	return schema.StringAttribute{
		MarkdownDescription: "Id of the connection " + which + ". On a DryvIQ platform this is that platform's id of the connection. A map of another connection is another map: it is replaced.",
		Required:            true,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}

// exclusionsOfMap is a list, and not a set, because the time that the framework takes for a set grows with the square of
// its length.
func exclusionsOfMap(description string) schema.ListAttribute {
	return schema.ListAttribute{
		MarkdownDescription: description,
		ElementType:         types.StringType,
		Optional:            true,
		PlanModifiers:       []planmodifier.List{keepExclusions{}},
	}
}

// matchSchema is what the rules compare.
func (k mapKind) matchSchema() schema.SingleNestedAttribute {
	order := "ids, emails, usernames, names"
	if !k.accounts {
		order = "ids, names, captions"
	}
	attributes := map[string]schema.Attribute{}
	for _, option := range k.match {
		attributes[option.name] = schema.BoolAttribute{
			MarkdownDescription: option.description + " Default: `false`.",
			Optional:            true,
			Computed:            true,
			Default:             booldefault.StaticBool(false),
		}
	}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What is compared, where no exception says otherwise. The options apply in a fixed order: " + order + ". " +
			"One that finds two or more decides nothing, and the next one is tried. " +
			"Mind the spelling: an argument that is not one of these is dropped by Terraform, and neither Terraform nor the provider can tell.",
		Optional:   true,
		Attributes: attributes,
	}
}
