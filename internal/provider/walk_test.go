package provider

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	jane, joan := claimant{what: "jane"}, claimant{what: "joan"}
	if _, taken := w.claim("id:1", jane, "email|x", "user|j"); taken {
		t.Error("the first claim is refused")
	}
	if _, taken := w.claim("id:1", jane, "email|x"); taken {
		t.Error("the same object is refused its own claim")
	}
	if other, taken := w.claim("id:2", joan, "user|k", "email|x"); !taken || other != jane {
		t.Errorf("the second claim is not refused because of the first: %v", other)
	}
	if _, taken := w.claim("id:3", joan, "user|k"); taken {
		t.Error("a refused claim holds something")
	}
}

// TestClaimsOfMany: of any number of objects that claim one thing at the same time, one has it.
func TestClaimsOfMany(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	var wait sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for i := range 50 {
		wait.Go(func() {
			if _, taken := w.claim(fmt.Sprint(i), claimant{}, "email|x"); taken {
				mu.Lock()
				refused++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if refused != 49 {
		t.Errorf("%d of 50 claims are refused", refused)
	}
}

// TestClaimedTwiceByTheSame: a row that is there twice is named once, and neither of the two is blamed.
func TestClaimedTwiceByTheSame(t *testing.T) {
	t.Parallel()
	jane := claimantOf(idmap.UserMapping{Email: "jane@example.com", UserID: "JDOE"})
	for other, want := range map[claimant]string{
		jane: "this one: the mapping of jane@example.com to user JDOE. Look",
		claimantOf(idmap.UserMapping{Email: "JANE@example.com", UserID: "jdoe"}): "JDOE, there spelt as the mapping of JANE@example.com to user jdoe. Look",
	} {
		var diags diag.Diagnostics
		addMappingClaimedTwice(jane, other, &diags)
		for _, text := range []string{want, "there twice", "If both are the same person", "If they are two persons", "Code: email_in_use"} {
			if !contains(diags, text) {
				t.Errorf("%v lacks %q", diags, text)
			}
		}
	}
}

func TestClaimedTwiceNamesBoth(t *testing.T) {
	t.Parallel()
	var diags diag.Diagnostics
	addMappingClaimedTwice(
		claimantOf(idmap.UserMapping{Email: "Jane@example.com", UserID: "JDOE"}),
		claimantOf(idmap.UserMapping{Email: "jane@example.com", UserID: "JSMITH"}), &diags)
	for _, text := range []string{"Claimed Twice", "Jane@example.com", "jane@example.com", "JDOE", "JSMITH", "If both are the same person"} {
		if !contains(diags, text) {
			t.Errorf("%v lacks %q", diags, text)
		}
	}
	if d, ok := diags[0].(diag.DiagnosticWithPath); !ok || d.Path().String() != "email" {
		t.Errorf("%v is not reported at the email", diags[0])
	}
}

// TestMadeAnew: a name is that of a lost object in any case, of that kind of object only; and only the refusal of the name
// says so.
func TestMadeAnew(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	w.loses("idmap_account_map", "Straße", "old-id")
	found := idmap.Violation{Code: idmap.CodeNameInUse, Field: "name", Description: "It is taken."}
	if v := w.tellRemade("idmap_account_map", "STRASSE", found); !strings.HasPrefix(v.Description, "It is taken.\n\nIt was made anew: ") || !strings.Contains(v.Description, "(old-id)") {
		t.Errorf("in another case: %q", v.Description)
	}
	if v := w.tellRemade("idmap_group_map", "Straße", found); v != found {
		t.Errorf("of another kind: %q", v.Description)
	}
	if v := w.tellRemade("idmap_account_map", "Straße 2", found); v != found {
		t.Errorf("of another name: %q", v.Description)
	}
	found.Code = idmap.CodeUnknownAccount
	if v := w.tellRemade("idmap_account_map", "Straße", found); v != found {
		t.Errorf("of another refusal: %q", v.Description)
	}
}

func TestUnreachableIsOneWarning(t *testing.T) {
	t.Parallel()
	w := newWalk(&client.Client{}, true)
	var diags diag.Diagnostics
	if !w.checks() {
		t.Fatal("a walk begins without checks")
	}
	for range 3 {
		if !w.excuse(&client.UnreachableError{Err: errors.New("refused")}, &diags) {
			t.Error("not excused")
		}
	}
	if len(diags) != 1 || diags.HasError() || w.checks() {
		t.Errorf("%v, checks %v", diags, w.checks())
	}
	if w.excuse(idmap.Refusef(idmap.CodeForbidden, "", "No."), &diags) {
		t.Error("a refusal is excused")
	}
	if w.excuse(idmap.Refusef(idmap.CodeInternal, "", "The server failed."), &diags) {
		t.Error("a fault of the server is excused")
	}
}

func TestWritesOfOneKeyDoNotMeet(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	under, most := 0, 0
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			defer w.writes.begin("key")()
			under++ // the race detector and the count both tell
			most = max(most, under)
			under--
		})
	}
	wait.Wait()
	if most != 1 {
		t.Errorf("%d writes at one time", most)
	}
	if !w.writes.own("a") || w.writes.own("a") || !w.writes.owned("a") || w.writes.owned("b") {
		t.Error("an id is not owned by exactly one create")
	}
}

func TestRequestKey(t *testing.T) {
	t.Parallel()
	w := newWalk(nil, true)
	a := idmap.UserMapping{Email: "jane@example.com", UserID: "JDOE"}
	b := a
	b.UserID = "JSMITH"
	if key := w.requestKey("user_mapping", a); key != newWalk(nil, true).requestKey("user_mapping", a) || len(key) != 64 {
		t.Errorf("the key %q is not the same in each walk", key)
	}
	if w.requestKey("user_mapping", a) == w.requestKey("user_mapping", b) || w.requestKey("user_mapping", a) == w.requestKey("connection", a) {
		t.Error("different creates have one key")
	}
	other := newWalk(nil, true)
	other.origin = "elsewhere"
	if w.requestKey("user_mapping", a) == other.requestKey("user_mapping", a) {
		t.Error("two configurations have one key")
	}
}

func TestWorkspaceIsTerraforms(t *testing.T) {
	t.Setenv("TF_WORKSPACE", "")
	t.Chdir(t.TempDir())
	if got := workspace(); got != "default" {
		t.Errorf("workspace %q", got)
	}
	t.Setenv("TF_WORKSPACE", "staging")
	if got := originOfConfiguration(); !strings.HasSuffix(got, "staging") {
		t.Errorf("origin %q", got)
	}
}
