package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

// TestAnApplyAsksOnce: before the first write of a walk a plan is checked, since the walk may be a plan. After it the write
// that follows is check enough, but for an email that follows the username: the plan may have shown it.
func TestAnApplyAsksOnce(t *testing.T) {
	t.Parallel()
	server := acctest.NewServer(t)
	acctest.Stage(t, server.Backend, backend.Call{})
	jane := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	taken := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "KARL"))
	follows := mappingFields(rulestest.Mapping("", "KARL"))

	f := &front{}
	p := newProtocolBehind(t, server, f, nil)
	p.fine(nil, p.change(jane, nil, jane))
	if n := len(f.asked()); n != 1 {
		t.Fatalf("the plan asked %d times", n)
	}
	planned := mappingFields(rulestest.Mapping("jane.doe@contoso.com", "JDOE"))
	planned["email_source"], planned["origin"] = "explicit", tftypes.UnknownValue
	p.fine(nil, p.apply("idmap_user_mapping", planned, nil))

	p.fine(nil, p.change(taken, nil, taken))
	if n := len(f.asked()); n != 1 {
		t.Errorf("after the first write %d requests were made for checks", n-1)
	}
	if found := p.apply("idmap_user_mapping", taken, nil); len(found) == 0 || found[0].Summary != "Email Already in Use" {
		t.Errorf("the write of what no plan has checked: %+v", found)
	}
	p.change(follows, nil, follows)
	if n := len(f.asked()); n != 2 {
		t.Errorf("of an email that follows the username the backend was asked %d times", n-1)
	}
}
