package provider

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// TestSchemas holds all schemas against the framework's own rules, and asks of every attribute that the documentation,
// which is made from them, has something to say about it.
func TestSchemas(t *testing.T) {
	t.Parallel()
	server := providerserver.NewProtocol6(New("test", nil)())()
	schemas, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range schemas.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	checkDescriptions(t, "provider", schemas.Provider.Block.Attributes)
	for name, s := range schemas.ResourceSchemas {
		checkDescriptions(t, name, s.Block.Attributes)
	}
	for name, s := range schemas.DataSourceSchemas {
		checkDescriptions(t, "data."+name, s.Block.Attributes)
	}
	identities, err := server.GetResourceIdentitySchemas(context.Background(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(identities.IdentitySchemas) != len(schemas.ResourceSchemas) {
		t.Errorf("%d of %d resources have an identity (%v)", len(identities.IdentitySchemas), len(schemas.ResourceSchemas), err)
	}
}

func checkDescriptions(t *testing.T, of string, attributes []*tfprotov6.SchemaAttribute) {
	t.Helper()
	for _, a := range attributes {
		if a.Description == "" {
			t.Errorf("%s.%s has no description", of, a.Name)
		}
		if a.NestedType != nil {
			checkDescriptions(t, of+"."+a.Name, a.NestedType.Attributes)
		}
	}
}
