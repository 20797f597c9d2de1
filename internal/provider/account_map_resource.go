package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/numberdefault"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var (
	_ resource.ResourceWithConfigure      = (*accountMapResource)(nil)
	_ resource.ResourceWithIdentity       = (*accountMapResource)(nil)
	_ resource.ResourceWithValidateConfig = (*accountMapResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*accountMapResource)(nil)
	_ resource.ResourceWithImportState    = (*accountMapResource)(nil)
)

func newAccountMapResource() resource.Resource {
	return &accountMapResource{mapResource{mapKind: accountMaps}}
}

type accountMapResource struct{ mapResource }

func (r *accountMapResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version:             accountMapVersion,
		MarkdownDescription: "Says how the accounts of a source connection become those of a destination connection when content is transferred: by rules, exceptions, exclusions and a default. Several transfers may use one map.\n\n" + mapLifeText,
		Attributes: r.schemaAttributes(map[string]schema.Attribute{
			"fuzzy": schema.SingleNestedAttribute{
				MarkdownDescription: "If given, accounts may also match partially, by the names, usernames and emails that `match` compares, after all exact matches. " +
					"Both platforms must support it: all do but " + platformsWithout(func(f idmap.Features) bool { return f.Fuzzy }) + ". `{}` takes the default threshold.",
				Optional: true,
				Attributes: map[string]schema.Attribute{
					// A number, since a float64 would make a bug of the provider of one that is too large for it.
					"threshold": schema.NumberAttribute{
						MarkdownDescription: fmt.Sprintf("Least likeness of a partial match, from %v to 1. Default: `%v`. With 0.8 and less, names match that many people have; look at the report of the map. A DryvIQ platform has a threshold of its own, and overlooks this one.", rules.MinFuzzyThreshold, rules.DefaultFuzzyThreshold),
						Optional:            true,
						Computed:            true,
						Default:             numberdefault.StaticBigFloat(decimal(rules.DefaultFuzzyThreshold)),
					},
				},
			},
			"external_users": schema.SingleNestedAttribute{
				MarkdownDescription: "What becomes of guests, the accounts that are at home in another organisation.",
				Optional:            true,
				Attributes: map[string]schema.Attribute{
					"retain": schema.BoolAttribute{
						MarkdownDescription: "Whether guests stay as they are, with their permissions and authorship. " +
							"The destination's platform must support it: all do but " + platformsWithout(func(f idmap.Features) bool { return f.ExternalUsers }) + ". Default: `false`.",
						Optional: true,
						Computed: true,
						Default:  booldefault.StaticBool(false),
					},
					"resolve_first": schema.BoolAttribute{
						MarkdownDescription: "Whether the rules first look for an account of the guest. Only with `retain`. Default: `false`, so a guest is retained at once. A DryvIQ platform overlooks it.",
						Optional:            true,
						Computed:            true,
						Default:             booldefault.StaticBool(false),
					},
				},
			},
		}),
	}
}

// platformsWithout names the platforms that lack a feature.
func platformsWithout(has func(idmap.Features) bool) string {
	var without []string
	for _, id := range idmap.PlatformIDs() {
		if p, _ := idmap.PlatformByID(id); !has(p.Features) {
			without = append(without, "`"+id+"`")
		}
	}
	return strings.Join(without, ", ")
}
