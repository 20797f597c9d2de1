package storetest

import (
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var tokenTests = map[string]func(world){
	"a token is found by its hash and listed without its secret": testTokenRoundTrip,
	"TokensByHash answers those that there are":                  testTokenMissing,
	"TokenByName finds by the folded name":                       testTokenByName,
	"Token finds by id":                                          testTokenByID,
	"DeleteToken answers NotFound if there is none":              testTokenDelete,
	"a duplicate id, name or hash is ErrConflict":                testTokenDuplicate,
}

func token(id string) idmap.Token {
	return idmap.Token{ID: id, Name: "Token " + id, Scopes: []idmap.Scope{idmap.ScopeRead, idmap.ScopeAdmin}, ExpiresOn: at(5), CreatedOn: at(1)}
}

func (w world) insertToken(t idmap.Token, hash string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return tx.InsertToken(w.ctx, t, hash) })
}

func (w world) tokens() []idmap.Token {
	w.t.Helper()
	return read(w, func(r store.Reader) ([]idmap.Token, error) { return r.ListTokens(w.ctx, all) })
}

func testTokenRoundTrip(w world) {
	secret, forever := token("t2"), idmap.Token{ID: "T1", Name: "forever", Scopes: []idmap.Scope{idmap.ScopeRead}}
	secret.Secret = "must not be stored"
	w.insertToken(secret, "hash2")
	w.insertToken(forever, "hash1")
	equal(w.t, "by hash", w.byHash("hash2", "none", "", "\x00", "hash2"), map[string]idmap.Token{"hash2": token("t2")})
	equal(w.t, "listed", w.tokens(), []idmap.Token{forever, token("t2")})
	equal(w.t, "counted", read(w, func(r store.Reader) (int, error) { return r.CountTokens(w.ctx) }), 2)
}

func (w world) byHash(hashes ...string) map[string]idmap.Token {
	w.t.Helper()
	return read(w, func(r store.Reader) (map[string]idmap.Token, error) { return r.TokensByHash(w.ctx, hashes) })
}

func testTokenMissing(w world) {
	w.insertToken(token("t"), "hash")
	equal(w.t, "none of them", w.byHash("HASH", "none", "", "t", "\x00"), map[string]idmap.Token{})
	equal(w.t, "of nobody", w.byHash(), map[string]idmap.Token{})
	many := []string{"hash"}
	for i := range 1200 {
		many = append(many, fmt.Sprintf("none%d", i))
	}
	equal(w.t, "one of many", w.byHash(many...), map[string]idmap.Token{"hash": token("t")})
}

func testTokenByName(w world) {
	// U+FDFA folds to 18 characters: the longest key is longer than PostgreSQL would index as it is.
	long := idmap.Token{ID: "u", Name: strings.Repeat("\uFDFA", 200), Scopes: []idmap.Scope{idmap.ScopeRead}}
	w.insertToken(token("t"), "hash")
	w.insertToken(long, "other")
	find := func(key string) (t idmap.Token, err error) {
		err = w.s.View(w.ctx, func(r store.Reader) (err error) {
			t, err = r.TokenByName(w.ctx, key)
			return err
		})
		return t, err
	}
	for _, want := range []idmap.Token{token("t"), long} {
		got, err := find(idmap.Fold(want.Name))
		equal(w.t, "error", err, nil)
		equal(w.t, "by name", got, want)
	}
	for _, key := range []string{"Token t", "t", "", "\x00", "\xff"} {
		_, err := find(key)
		notFound(w.t, err)
	}
}

func testTokenByID(w world) {
	w.insertToken(token("t"), "hash")
	equal(w.t, "by id", read(w, func(r store.Reader) (idmap.Token, error) { return r.Token(w.ctx, "t") }), token("t"))
	for _, id := range []string{"T", "token t", "", "\x00"} {
		notFound(w.t, w.s.View(w.ctx, func(r store.Reader) error {
			_, err := r.Token(w.ctx, id)
			return err
		}))
	}
}

func testTokenDelete(w world) {
	w.insertToken(token("t"), "hash")
	remove := func(id string) error {
		return w.s.Update(w.ctx, func(tx store.Tx) error { return tx.DeleteToken(w.ctx, id) })
	}
	notFound(w.t, remove("T"))
	notFound(w.t, remove("\x00"))
	equal(w.t, "error", remove("t"), nil)
	notFound(w.t, remove("t"))
	nothing(w.t, "tokens", w.tokens())
}

func testTokenDuplicate(w world) {
	w.insertToken(token("t"), "hash")
	sameID, sameName := token("t"), token("u")
	sameID.Name, sameName.Name = "of its own", " TOKEN\u00a0T "
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertToken(w.ctx, sameID, "other") })
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertToken(w.ctx, sameName, "other") })
	w.refused(store.ErrConflict, func(tx store.Tx) error { return tx.InsertToken(w.ctx, token("u"), "hash") })
}
