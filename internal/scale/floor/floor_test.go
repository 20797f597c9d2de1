package main

import (
	"reflect"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/idmap/terraform-provider-idmap/internal/provider"
)

// TestSchemas holds what Terraform is told against what our provider tells it.
func TestSchemas(t *testing.T) {
	t.Parallel()
	ours := providerserver.NewProtocol6(provider.New("dev", nil)())()
	floors := providerserver.NewProtocol6(newFloor())()
	want, err := ours.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := floors.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(want.ResourceSchemas) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("the floor has other schemas than the provider:\n%v\n%v", got, want)
	}
	wanted, err := ours.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	identities, err := floors.GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(wanted.IdentitySchemas) == 0 || !reflect.DeepEqual(identities, wanted) {
		t.Errorf("the floor has other identities than the provider:\n%v\n%v", identities, wanted)
	}
}
