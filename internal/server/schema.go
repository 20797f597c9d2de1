package server

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// overlooked are the fields that clients of the published API send beside what names an account or a group, and those of
// our own accounts and groups.
var overlooked = []string{
	"external_id", "given_name", "surname", "admin", "built_in", "disabled", "readonly", "aliases", "addresses", "user_type",
	"external", "sign_in_permitted", "deleted_on", "revision", "links", "permissions",
}

// completeSchemas says what tags of structs cannot: which fields of a principal are overlooked, where any other is
// refused, since a misspelt name would leave the rest to decide; and how many items a map takes.
func completeSchemas(registry huma.Registry) {
	principal := registry.SchemaFromRef(registry.Schema(reflect.TypeFor[idmap.Principal](), true, "").Ref)
	for _, name := range overlooked {
		principal.Properties[name] = &huma.Schema{Description: "Accepted, and overlooked."}
	}
	for _, schema := range registry.Map() {
		for _, name := range []string{"exceptions", "exclusions"} {
			if items, ok := schema.Properties[name]; ok {
				items.MaxItems = new(idmap.MaxMapItems)
			}
		}
	}
}
