package storetest

import (
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// fill writes a row of every noun.
func (w world) fill() {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return w.fillWith(tx) })
}

func (w world) fillWith(tx store.Tx) error {
	return firstError(
		func() error { return tx.InsertConnection(w.ctx, connection("mail")) },
		func() error { return tx.InsertConnection(w.ctx, connection("app")) },
		func() error { return tx.PutAccounts(w.ctx, "mail", []idmap.Account{fullAccount()}) },
		func() error {
			return tx.PutGroups(w.ctx, "mail", []idmap.Group{filledGroup()})
		},
		func() error {
			return tx.InsertUserMappings(w.ctx, []store.UserMapping{mapping("m", "a@example.com", "a")})
		},
		func() error {
			claims := []store.EmailClaim{claim("e", "a@example.com", holder("app", "", "a"))}
			_, err := tx.ClaimEmails(w.ctx, claims, *at(10))
			return err
		},
		func() error { return tx.AppendAudit(w.ctx, []idmap.AuditEntry{auditEntry(1, "user_mapping", "m")}) },
		func() error { return tx.InsertToken(w.ctx, token("t"), "hash") },
		func() error { _, err := tx.ClaimIdempotencyKey(w.ctx, record("t", "k")); return err },
		func() error { return tx.AnswerIdempotencyKey(w.ctx, answered(record("t", "k"), "m")) },
		func() error { return tx.InsertMap(w.ctx, idmap.AccountMap, fullMap()) },
		func() error { return tx.PutMapItems(w.ctx, "map1", []idmap.MapItem{filledItem()}) },
		func() error {
			return tx.KeepMapRevision(w.ctx, idmap.AccountMap, filledRevision())
		},
		func() error { return tx.InsertJob(w.ctx, fullJob()) },
		func() error { return tx.InsertSignIns(w.ctx, []idmap.SignIn{filledSignIn()}) },
		func() error { _, err := tx.UseSessions(w.ctx, []idmap.Session{filledSession()}); return err },
	)
}

func filledGroup() idmap.Group {
	return idmap.Group{ID: "g", Name: "Staff", Caption: "All  Staff", Addresses: []string{"g@example.com"}, Revision: 1}
}

func filledItem() idmap.MapItem {
	return idmap.MapItem{ID: "i", Role: idmap.RoleException, Subject: *principal("s", "Ålice"), Target: *principal("d", "bob")}
}

// filledRevision is the one that fullJob uses.
func filledRevision() idmap.Map {
	m := fullMap().WithItems([]idmap.MapItem{filledItem()})
	m.Revision = fullJob().Transfer.AccountMap.Revision
	return m
}

func filledSignIn() idmap.SignIn {
	e := signIn("i", 3)
	e.Outcome, e.MappingCreated, e.Session = idmap.OutcomeDenied, true, idmap.RefTo("s")
	e.Reasons = []idmap.Violation{{Code: idmap.CodeMappingRequired, Field: "email", Description: "Größe 100%"}}
	return e
}

func filledSession() idmap.Session {
	u := userSession("s", "m", "outlook")
	u.Email, u.UserID, u.UseCount = "a@example.com", "a", 7
	return u
}

// contents is a row of every noun, or none.
type contents struct {
	Connections []idmap.Connection
	Accounts    []idmap.Account
	Groups      []idmap.Group
	Mappings    []idmap.UserMapping
	Entries     []idmap.EmailAssignment
	Audit       []idmap.AuditEntry
	Tokens      []idmap.Token
	Records     []store.IdempotencyRecord
	Maps        []idmap.Map
	Items       []idmap.MapItem
	Revisions   []idmap.Map
	Jobs        []idmap.Job
	SignIns     []idmap.SignIn
	Sessions    []idmap.Session
	Versions    []string // of directories
}

func (w world) everything() contents {
	w.t.Helper()
	return read(w, func(r store.Reader) (c contents, err error) {
		return c, firstError(
			func() error { c.Connections, err = r.ListConnections(w.ctx, idmap.ConnectionFilter{}, all); return err },
			func() error {
				c.Accounts, err = r.ListAccounts(w.ctx, "mail", idmap.DirectoryFilter{}, all)
				return err
			},
			func() error { c.Groups, err = r.ListGroups(w.ctx, "mail", idmap.DirectoryFilter{}, all); return err },
			func() error { c.Mappings, err = r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, all); return err },
			func() error {
				c.Entries, err = r.ListEmailAssignments(w.ctx, idmap.EmailAssignmentFilter{}, all)
				return err
			},
			func() error { c.Audit, err = r.ListAudit(w.ctx, idmap.AuditFilter{}, all); return err },
			func() error { c.Tokens, err = r.ListTokens(w.ctx, all); return err },
			func() error { c.Records, err = r.IdempotencyRecords(w.ctx, "t", []string{"k"}); return err },
			func() error {
				c.Maps, err = r.ListMaps(w.ctx, idmap.MapFilter{Kind: idmap.AccountMap}, all)
				return err
			},
			func() error { c.Items, err = r.ListMapItems(w.ctx, "map1", idmap.MapItemFilter{}, all); return err },
			func() error { c.Jobs, err = r.ListJobs(w.ctx, idmap.JobFilter{}, all); return err },
			func() error { c.SignIns, err = r.ListSignIns(w.ctx, idmap.SignInFilter{}, all); return err },
			func() error { c.Sessions, err = r.ListSessions(w.ctx, idmap.SessionFilter{}, all); return err },
			func() error { return w.readRest(r, &c) },
		)
	})
}

// readRest reads what is not in lists.
func (w world) readRest(r store.Reader, c *contents) error {
	kept, err := r.MapRevision(w.ctx, "map1", filledRevision().Revision)
	if err == nil {
		c.Revisions = append(c.Revisions, kept)
	}
	if err != nil && !idmap.IsNotFound(err) {
		return err
	}
	version, err := r.DirectoryVersion(w.ctx, "mail")
	if version != "" {
		c.Versions = append(c.Versions, version)
	}
	return err
}

// checkEmpty fails unless nothing of fill is there: it can be written.
func (w world) checkEmpty() {
	w.t.Helper()
	c := w.everything()
	if n := len(c.Connections) + len(c.Accounts) + len(c.Groups) + len(c.Mappings) + len(c.Entries) + len(c.Audit) +
		len(c.Tokens) + len(c.Records) + len(c.Maps) + len(c.Items) + len(c.Revisions) + len(c.Jobs) + len(c.SignIns) + len(c.Sessions) + len(c.Versions); n != 0 {
		w.t.Fatalf("%d rows remain: %+v", n, c)
	}
	w.fill()
	w.checkFilled()
}

func (w world) checkFilled() {
	w.t.Helper()
	c := w.everything()
	equal(w.t, "connections", len(c.Connections), 2)
	equal(w.t, "accounts", c.Accounts, []idmap.Account{fullAccount()})
	equal(w.t, "groups", c.Groups, []idmap.Group{filledGroup()})
	byName := store.DirectoryKeys{NameKeys: []string{"alice ö", "all staff"}}
	equal(w.t, "accounts by name", w.accounts("mail", byName), c.Accounts)
	equal(w.t, "groups by name", w.groups("mail", byName), c.Groups)
	equal(w.t, "mappings", c.Mappings, []idmap.UserMapping{mapping("m", "a@example.com", "a").UserMapping})
	equal(w.t, "holders", c.Entries[0].Holders, []idmap.EmailHolder{holder("app", "", "a")})
	equal(w.t, "audit", c.Audit, []idmap.AuditEntry{auditEntry(1, "user_mapping", "m")})
	equal(w.t, "tokens", c.Tokens, []idmap.Token{token("t")})
	equal(w.t, "records", c.Records, []store.IdempotencyRecord{answered(record("t", "k"), "m")})
	equal(w.t, "maps", c.Maps, []idmap.Map{fullMap()})
	equal(w.t, "items", c.Items, []idmap.MapItem{filledItem()})
	for _, f := range []idmap.MapItemFilter{{TargetIDs: []string{"d"}}, {CalledAs: []idmap.Principal{filledItem().Subject}}} {
		equal(w.t, "items by key", read(w, func(r store.Reader) ([]idmap.MapItem, error) {
			return r.ListMapItems(w.ctx, "map1", f, all)
		}), c.Items)
	}
	equal(w.t, "revisions", c.Revisions, []idmap.Map{filledRevision()})
	equal(w.t, "jobs", c.Jobs, []idmap.Job{fullJob()})
	equal(w.t, "sign-ins", c.SignIns, []idmap.SignIn{filledSignIn()})
	for _, f := range []idmap.SignInFilter{
		{EmailKey: "a@example.com"}, {UserKey: "a"}, {UserMappingID: "m"}, {ConnectionID: "app"}, {Reason: idmap.CodeMappingRequired},
	} {
		equal(w.t, "sign-ins by key", w.signIns(f), c.SignIns)
	}
	equal(w.t, "sessions", c.Sessions, []idmap.Session{filledSession()})
	equal(w.t, "directory versions", len(c.Versions), 1)
}
