package provider

import (
	"maps"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestRenamedInEitherOrder: a create that waits for another resource's delete is refused, whichever of the two Terraform
// plans first. The object was made elsewhere, so no Idempotency-Key helps.
func TestRenamedInEitherOrder(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	stageMapWorld(t, server)
	mapping, _, err := server.Client.CreateUserMapping(t.Context(), "", rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	if err != nil {
		t.Fatal(err)
	}
	stored, _, err := server.Client.CreateMap(t.Context(), idmap.AccountMap, "", rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	if err != nil {
		t.Fatal(err)
	}
	prior := mappingFields(mapping)
	prior["id"], prior["email_source"], prior["origin"] = mapping.ID, string(mapping.EmailSource), string(mapping.Origin)
	config := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	ofMap, _ := mapFields(accountMaps, rulestest.MapBetween(rulestest.OldFiles, rulestest.NewFiles))
	priorMap := maps.Clone(ofMap)
	priorMap["id"], priorMap["unmapped_policy"] = stored.ID, "skip"

	p := newProtocol(t, server)
	p.read("idmap_user_mapping", mapping.ID)
	p.fine(nil, p.change(config, nil, config)) // it might be tainted
	if found := p.change(nil, prior, nil); len(found) == 0 || found[0].Summary != "Email Already in Use" || !strings.Contains(found[0].Detail, "moved block") {
		t.Errorf("the delete of the mapping: %+v", found)
	}
	p.read("idmap_account_map", stored.ID)
	p.planMap(accountMaps, ofMap, nil, ofMap)
	if found := p.planDelete(accountMaps, priorMap); len(found) == 0 || found[0].Summary != "Name Already in Use" || !strings.Contains(found[0].Detail, "moved block") {
		t.Errorf("the delete of the map: %+v", found)
	}
}

// TestKeptIsNobodyElses: what could not be deleted is not given to a create of the same content, which repeats the first.
func TestKeptIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	w.writes.keep("kept")
	if w.writes.own("kept") || !w.writes.own("free") || w.writes.own("free") {
		t.Error("an object belongs to two")
	}
}
