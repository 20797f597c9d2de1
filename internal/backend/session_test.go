package backend_test

import (
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules/rulestest"
)

func liveSessions(t *testing.T, b *backend.Backend) []idmap.Session {
	t.Helper()
	found, err := b.Sessions(t.Context(), idmap.SessionFilter{}, idmap.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return found.Items
}

func actionsOn(t *testing.T, b *backend.Backend, kind, id string) []string {
	t.Helper()
	audit, err := b.Audit(t.Context(), idmap.AuditFilter{Kind: kind, ObjectID: id}, idmap.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range audit.Items {
		actions = append(actions, e.Action+" by "+e.Who)
	}
	return actions
}

// removing lets the mappings of an application go with their last session.
func removing(t *testing.T, b *backend.Backend, connection string) {
	t.Helper()
	_, err := b.UpdateConnection(t.Context(), admin, connection, 0, func(c idmap.Connection) (idmap.Connection, error) {
		c.OnSignOut = idmap.OnSignOutRemove
		return c, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := open("ann@example.com", "ann")
		outlook, teams := admitted(t, b, attempt(ann, "outlook")), admitted(t, b, attempt(ann, "teams"))
		usage, err := b.SessionUsage(t.Context(), idmap.SessionFilter{ConnectionID: rulestest.App}, idmap.Page{Limit: 10})
		if err != nil || usage.Total != 1 || usage.Items[0].SessionCount != 2 || usage.Items[0].UseCount != 2 {
			t.Errorf("the usage is %+v, %v", usage, err)
		}
		if err := b.SignOut(t.Context(), addin, outlook.Session.ID); err != nil {
			t.Fatal(err)
		}
		if err := b.RevokeSession(t.Context(), admin, teams.Session.ID); err != nil {
			t.Fatal(err)
		}
		for id, action := range map[string]string{outlook.Session.ID: "sign_out by add-in", teams.Session.ID: "revoke by tester"} {
			if got := actionsOn(t, b, "session", id); !slices.Equal(got, []string{action}) {
				t.Errorf("the audit has %v, want %s", got, action)
			}
			if _, err := b.Session(t.Context(), id); !idmap.IsNotFound(err) {
				t.Errorf("a session that is over: %v", err)
			}
			if err := b.SignOut(t.Context(), addin, id); !idmap.IsNotFound(err) {
				t.Errorf("signing out of it again: %v", err)
			}
		}
		reread(t, b, outlook.UserMapping.ID) // on_sign_out = keep
		for _, odd := range []string{"", "\x00", "'"} {
			if err := b.RevokeSession(t.Context(), admin, odd); !idmap.IsNotFound(err) {
				t.Errorf("revoking %q: %v", odd, err)
			}
		}
	})
}

func TestRevokeSessions(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		const users = 520 // more than one step
		var all sync.WaitGroup
		for i := range users {
			all.Go(func() {
				if _, err := b.SignIn(t.Context(), addin, attempt(open("u"+strconv.Itoa(i)+"@example.com", "u"+strconv.Itoa(i)), "")); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		other := admitted(t, b, attempt(rulestest.Between(rulestest.OpenMail, rulestest.CRM, "u1@example.com", "u1"), ""))
		_, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{})
		wantCode(t, err, idmap.CodeInvalid)
		if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{UserMappingIDs: []string{}}); err != nil || n != 0 {
			t.Errorf("of no mappings: %d, %v, want none", n, err)
		}
		if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{UserKey: "u1", DestinationConnectionID: rulestest.App}); err != nil || n != 1 {
			t.Errorf("of a user: %d, %v, want 1", n, err)
		}
		if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{ConnectionID: rulestest.App}); err != nil || n != users-1 {
			t.Errorf("of a connection: %d, %v, want %d", n, err, users-1)
		}
		if left := liveSessions(t, b); len(left) != 1 || left[0].ID != other.Session.ID {
			t.Errorf("%d sessions are left, want that of the other connection", len(left))
		}
	})
}

func TestDeletingAMappingEndsItsSessions(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		ann := open("ann@example.com", "ann")
		for name, end := range map[string]func(id string) error{
			"delete": func(id string) error { return b.DeleteUserMapping(t.Context(), admin, id, 0) },
			"batch": func(id string) error {
				_, err := b.ApplyUserMappings(t.Context(), admin, []idmap.UserMappingIntent{{Operation: idmap.OperationDelete, ID: id}})
				return err
			},
		} {
			call := addin
			call.IdempotencyKey = name
			first, err := b.SignIn(t.Context(), call, attempt(ann, "outlook"))
			if err != nil {
				t.Fatal(err)
			}
			admitted(t, b, attempt(ann, "teams"))
			if err := end(first.UserMapping.ID); err != nil {
				t.Fatal(err)
			}
			if left := liveSessions(t, b); len(left) > 0 {
				t.Errorf("%s: the sessions %+v are left", name, left)
			}
			if got := actionsOn(t, b, "session", first.Session.ID); len(got) > 0 {
				t.Errorf("%s: the audit has %v of the session, and the deletion says it already", name, got)
			}
			again, err := b.SignIn(t.Context(), call, attempt(ann, "outlook"))
			if err != nil || again.Session == nil || again.Session.ID == first.Session.ID {
				t.Errorf("%s: the key answers %s, %v, want a new session", name, text(t, again), err)
			}
			if err := end(again.UserMapping.ID); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestMappingsThatGoWithTheirLastSession(t *testing.T) {
	t.Parallel()
	staged(t, func(t *testing.T, b *backend.Backend) {
		removing(t, b, rulestest.App)
		made, managed := open("ann@example.com", "ann"), create(t, b, open("bob@example.com", "bob"))
		outlook, teams := admitted(t, b, attempt(made, "outlook")), admitted(t, b, attempt(made, "teams"))
		bob := admitted(t, b, attempt(managed, ""))
		if err := b.SignOut(t.Context(), addin, outlook.Session.ID); err != nil {
			t.Fatal(err)
		}
		reread(t, b, outlook.UserMapping.ID) // teams is still there
		if err := b.SignOut(t.Context(), addin, teams.Session.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.UserMapping(t.Context(), outlook.UserMapping.ID); !idmap.IsNotFound(err) {
			t.Errorf("the mapping outlives its last session: %v", err)
		}
		if got := actionsOn(t, b, "user_mapping", outlook.UserMapping.ID); !slices.Equal(got, []string{"delete by add-in", "create by add-in"}) {
			t.Errorf("the audit has %v", got)
		}
		if n, err := b.RevokeSessions(t.Context(), admin, idmap.SessionFilter{ConnectionID: rulestest.App}); err != nil || n != 1 {
			t.Errorf("revoked %d, %v, want 1", n, err)
		}
		reread(t, b, bob.UserMapping.ID) // the API made it
		if again := admitted(t, b, attempt(made, "outlook")); again.UserMapping.ID == outlook.UserMapping.ID {
			t.Errorf("got %s, want a new mapping", text(t, again))
		}
	})
}
