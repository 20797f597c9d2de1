package backend_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func creates(m idmap.UserMapping) idmap.UserMappingIntent {
	return idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m}
}

func updates(before idmap.UserMapping, edit func(*idmap.UserMapping)) idmap.UserMappingIntent {
	m := before
	edit(&m)
	return idmap.UserMappingIntent{Operation: idmap.OperationUpdate, ID: before.ID, UserMapping: &m}
}

func deletes(m idmap.UserMapping) idmap.UserMappingIntent {
	return idmap.UserMappingIntent{Operation: idmap.OperationDelete, ID: m.ID}
}

func separately(t *testing.T, b *backend.Backend, intents ...idmap.UserMappingIntent) []idmap.UserMappingVerdict {
	t.Helper()
	verdicts, err := b.ApplySeparately(t.Context(), admin, intents)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if len(v.Violations) > 0 && v.UserMapping != nil {
			t.Errorf("item %d is refused, and answered %s", i, text(t, v))
		}
	}
	return verdicts
}

// wantCodes compares the first code of each verdict; "" is made.
func wantCodes(t *testing.T, verdicts []idmap.UserMappingVerdict, want ...idmap.Code) {
	t.Helper()
	got := make([]idmap.Code, len(verdicts))
	for i, v := range verdicts {
		if len(v.Violations) > 0 {
			got[i] = v.Violations[0].Code
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got the codes %q, want %q: %s", got, want, text(t, verdicts))
	}
}

func allMappings(t *testing.T, b *backend.Backend) []idmap.UserMapping {
	t.Helper()
	found, err := b.UserMappings(t.Context(), idmap.UserMappingFilter{}, idmap.Page{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

func TestSeparateWrites(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := create(t, b, open("ann@example.com", "ann"))
		bob := create(t, b, open("bob@example.com", "bob"))
		cid := create(t, b, open("cid@example.com", "cid"))
		verdicts := separately(
			t, b,
			creates(open("no address", "x")),
			creates(open("new@example.com", "new")),
			creates(open("NEW@example.com", "late")),
			deletes(ann),
			creates(open("ann@example.com", "Ann")), // relies on the delete
			updates(bob, func(m *idmap.UserMapping) { m.UserID = "BOB" }),
			deletes(bob),
			deletes(idmap.UserMapping{ID: "nowhere"}),
			updates(cid, func(m *idmap.UserMapping) { m.Email = "bob@example.com" }),
			creates(rulestest.Between(rulestest.OpenMail, rulestest.CRM, "crm@example.com", "crm")),
		)
		wantCodes(t, verdicts, idmap.CodeInvalidEmail, "", idmap.CodeEmailInUse, "", "", "", idmap.CodeDuplicateItem,
			idmap.CodeNotFound, idmap.CodeEmailInUse, "")
		if v := verdicts[2].Violations; len(v) == 0 || !strings.Contains(v[0].Description, "mapping "+verdicts[1].UserMapping.ID) {
			t.Errorf("the refusal does not name the mapping that came first: %s", text(t, v))
		}
		var users []string
		for _, m := range allMappings(t, b) {
			users = append(users, m.UserID)
		}
		if slices.Sort(users); !slices.Equal(users, []string{"Ann", "BOB", "cid", "crm", "new"}) {
			t.Errorf("stored are %v", users)
		}
	})
}

// TestSeparateWritesRelyOnWhatIsMade: what relies on a write that is refused is refused as well, and nothing else.
func TestSeparateWritesRelyOnWhatIsMade(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann, bob := create(t, b, open("ann@example.com", "ann")), create(t, b, open("bob@example.com", "bob"))
		stale := deletes(ann)
		stale.Revision = 7
		verdicts := separately(t, b,
			creates(open("ann@example.com", "ann")), stale,
			creates(open("bob@example.com", "bob")), deletes(bob))
		wantCodes(t, verdicts, idmap.CodeEmailInUse, idmap.CodeRevisionConflict, "", "")
	})
}

// twoMailboxes returns creates of one address for accounts that no directory knows.
func twoMailboxes() []idmap.UserMappingIntent {
	one := rulestest.Pinned(open("ann@example.com", "ann"), "x-1", "")
	two := rulestest.Pinned(rulestest.Between(rulestest.OpenMail, rulestest.CRM, "ann@example.com", "ann"), "x-2", "")
	return []idmap.UserMappingIntent{creates(one), creates(two), creates(open("bob@example.com", "bob"))}
}

// TestSeparateHoldersOfOneAddress: an address that the ledger gives to one of two is the later item's refusal, and nobody
// else's.
func TestSeparateHoldersOfOneAddress(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		wantCodes(t, separately(t, b, twoMailboxes()...), "", idmap.CodeEmailPreviouslyAssigned, "")
	})
}

// TestHoldersOfOneAddress: all or none, and a validation, refuse both, since neither comes first.
func TestHoldersOfOneAddress(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		_, err := b.ApplyUserMappings(t.Context(), admin, twoMailboxes())
		wantCode(t, err, idmap.CodeEmailPreviouslyAssigned)
		var fields []string
		for _, v := range idmap.ViolationsOf(err) {
			fields = append(fields, v.Field)
		}
		if !slices.Equal(fields, []string{"items[0].email", "items[1].email"}) {
			t.Errorf("the refusal is about %v: %v", fields, err)
		}
		if n := len(allMappings(t, b)); n != 0 {
			t.Errorf("%d mappings were made", n)
		}
		intents := append(twoMailboxes(), twoMailboxes()[1])
		intents[3].Group = 1
		verdicts, err := b.ValidateUserMappings(t.Context(), admin, intents, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantCodes(t, verdicts, idmap.CodeEmailPreviouslyAssigned, idmap.CodeEmailPreviouslyAssigned, "", "")
	})
}

// TestSeparateIsOneByOne: creates in one call come out as creates one after the other.
func TestSeparateIsOneByOne(t *testing.T) {
	t.Parallel()
	together, apart := 0, 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // makes cases, guards nothing
		one, other := backend.New(acctest.OpenSQLite(t), backend.Options{}), backend.New(acctest.OpenSQLite(t), backend.Options{})
		acctest.Stage(t, one, admin)
		acctest.Stage(t, other, admin)
		var intents []idmap.UserMappingIntent
		for range 40 {
			intents = append(intents, creates(open(fmt.Sprintf("u%d@example.com", r.IntN(25)), fmt.Sprint("u", r.IntN(25)))))
		}
		var want, got []bool
		for _, in := range intents {
			_, err := one.CreateUserMapping(t.Context(), admin, *in.UserMapping)
			if want = append(want, err == nil); err != nil {
				apart++
			}
		}
		for _, v := range separately(t, other, intents...) {
			got = append(got, len(v.Violations) == 0)
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: together it makes %v, one by one %v", seed, got, want)
		}
		together += len(allMappings(t, other))
	}
	if together < 100 || apart < 50 {
		t.Errorf("%d were made and %d refused: the cases show too little", together, apart)
	}
}

func TestKeysOfSeparateWrites(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		keyed := func(key string, m idmap.UserMapping) idmap.UserMappingIntent {
			in := creates(m)
			in.IdempotencyKey = key
			return in
		}
		alone := func(key string, m idmap.UserMapping) (idmap.UserMappingVerdict, error) {
			call := admin
			call.IdempotencyKey = key
			return b.CreateUserMapping(t.Context(), call, m)
		}
		ann, bob := open("Ann@example.com", "ann"), open("bob@example.com", "bob")
		first, err := alone("a", ann)
		if err != nil {
			t.Fatal(err)
		}
		verdicts := separately(t, b, keyed("a", ann), keyed("b", bob), keyed("b", bob), keyed("b", open("cid@example.com", "cid")),
			keyed("a", open("dan@example.com", "dan")), keyed("e", open("ann@example.com", "eve")))
		wantCodes(t, verdicts, "", "", "", idmap.CodeIdempotencyKeyReused, idmap.CodeIdempotencyKeyReused, idmap.CodeEmailInUse)
		if verdicts[0].UserMapping.ID != first.UserMapping.ID || verdicts[1].UserMapping.ID != verdicts[2].UserMapping.ID {
			t.Errorf("a key that was answered made another mapping: %s", text(t, verdicts))
		}
		again, err := alone("b", bob)
		if err != nil || again.UserMapping.ID != verdicts[1].UserMapping.ID {
			t.Errorf("a single create does not know the key of a batch: %s, %v", text(t, again), err)
		}
		if _, err = alone("b", ann); err == nil {
			t.Error("the key of a batch was used for another request")
		}
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
		// A refusal keeps no key.
		wantCodes(t, separately(t, b, keyed("e", open("eve@example.com", "eve"))), "")
		if n := len(allMappings(t, b)); n != 3 {
			t.Errorf("there are %d mappings, want 3", n)
		}
	})
}

func TestKeysSharedInOneBatch(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		one, two := creates(open("ann@example.com", "ann")), creates(open("bob@example.com", "bob"))
		one.IdempotencyKey, two.IdempotencyKey = "k", "k"
		_, err := b.ApplyUserMappings(t.Context(), admin, []idmap.UserMappingIntent{one, two})
		wantCode(t, err, idmap.CodeIdempotencyKeyReused)
		if n := len(allMappings(t, b)); n != 0 {
			t.Errorf("%d mappings were made", n)
		}
	})
}

// TestGatheredWrites: single writes at once share transactions, and each caller has its own answer, name and key.
func TestGatheredWrites(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		const n = 120 // two of each create under one key, one at each server; each third has a bad address
		ids := make([]string, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				name := fmt.Sprint("u", i/2)
				call := backend.Call{Token: idmap.Token{ID: "tok-" + name, Name: "caller " + name}, IdempotencyKey: "k"}
				email := name + "@example.com"
				if i/2%3 == 0 {
					email = name
				}
				v, err := servers[i%2].CreateUserMapping(t.Context(), call, open(email, name))
				if i/2%3 == 0 {
					wantCode(t, err, idmap.CodeInvalidEmail)
				} else if err != nil {
					t.Error(err)
				} else if ids[i] = v.UserMapping.ID; v.UserMapping.UserID != name {
					t.Errorf("%s got the mapping of %s", name, v.UserMapping.UserID)
				}
			})
		}
		all.Wait()
		for i := 0; i < n; i += 2 {
			if ids[i] != ids[i+1] {
				t.Errorf("one key made %s and %s", ids[i], ids[i+1])
			}
		}
		audit, err := servers[0].Audit(t.Context(), idmap.AuditFilter{Kind: "user_mapping"}, idmap.Page{Limit: 1000})
		if err != nil || len(audit.Items) != n/3 {
			t.Errorf("the audit has %d entries (%v), want %d", len(audit.Items), err, n/3)
		}
		for _, e := range audit.Items {
			if i := slices.Index(ids, e.ObjectID); i < 0 || e.Who != fmt.Sprint("caller u", i/2) {
				t.Errorf("the audit has %s", text(t, e))
			}
		}
	})
}

// TestPatchesOfOneMapping: each patch is of what the one before it has left.
func TestPatchesOfOneMapping(t *testing.T) {
	t.Parallel()
	twoServers(t, func(t *testing.T, servers [2]*backend.Backend) {
		m := create(t, servers[0], open("ann+0@example.com", "ann"))
		const n = 40
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				_, err := servers[i%2].UpdateUserMapping(t.Context(), admin, m.ID, 0, func(m idmap.UserMapping) (idmap.UserMapping, error) {
					var count int
					_, err := fmt.Sscanf(m.Email, "ann+%d@example.com", &count)
					m.Email = fmt.Sprintf("ann+%d@example.com", count+1)
					return m, err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := reread(t, servers[0], m.ID); got.Email != fmt.Sprintf("ann+%d@example.com", n) || got.Revision != n+1 {
			t.Errorf("got %s at revision %d after %d patches", got.Email, got.Revision, n)
		}
	})
}

// TestGroupsOfAValidation: each group is judged as a validation of its own.
func TestGroupsOfAValidation(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := create(t, b, open("ann@example.com", "ann"))
		groups := [][]idmap.UserMappingIntent{
			{creates(open("new@example.com", "new")), creates(open("new@example.com", "other"))},
			{creates(open("new@example.com", "new")), deletes(ann), creates(open("ann@example.com", "ann"))},
			{creates(open("ann@example.com", "ann")), updates(ann, func(m *idmap.UserMapping) { m.UserID = "anna" }), deletes(ann)},
		}
		var all []idmap.UserMappingIntent
		var want []idmap.UserMappingVerdict
		for i := range 3 { // in turn, so that no group is in one piece
			for n, group := range groups {
				if i < len(group) {
					in := group[i]
					in.Group = n
					all = append(all, in)
				}
			}
		}
		validate := func(intents []idmap.UserMappingIntent) []idmap.UserMappingVerdict {
			verdicts, err := b.ValidateUserMappings(t.Context(), admin, intents, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				if v.UserMapping != nil {
					v.UserMapping.CreatedOn, v.UserMapping.ModifiedOn = nil, nil
				}
			}
			return verdicts
		}
		alone := make([][]idmap.UserMappingVerdict, len(groups))
		for n, group := range groups {
			alone[n] = validate(group)
		}
		wantCodes(t, alone[0], idmap.CodeEmailInUse, idmap.CodeEmailInUse)
		wantCodes(t, alone[1], "", "", "")
		for _, in := range all {
			want, alone[in.Group] = append(want, alone[in.Group][0]), alone[in.Group][1:]
		}
		if got := validate(all); text(t, got) != text(t, want) {
			t.Errorf("got  %s\nwant %s", text(t, got), text(t, want))
		}
	})
}
