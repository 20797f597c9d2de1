package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

var (
	_ resource.ResourceWithConfigure      = (*groupMapResource)(nil)
	_ resource.ResourceWithIdentity       = (*groupMapResource)(nil)
	_ resource.ResourceWithValidateConfig = (*groupMapResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*groupMapResource)(nil)
	_ resource.ResourceWithImportState    = (*groupMapResource)(nil)
)

func newGroupMapResource() resource.Resource {
	return &groupMapResource{mapResource{mapKind: groupMaps}}
}

type groupMapResource struct{ mapResource }

func (r *groupMapResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version:             groupMapVersion,
		MarkdownDescription: "Says how the groups of a source connection become those of a destination connection when content is transferred: by rules, exceptions, exclusions and a default. Several transfers may use one map.\n\n" + mapLifeText,
		Attributes:          r.schemaAttributes(nil),
	}
}
