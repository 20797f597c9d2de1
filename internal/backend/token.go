package backend

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const (
	// maxTokenBatch is how many requests share a look-up of tokens.
	maxTokenBatch = 1000
	tokenTimeout  = 10 * time.Second
)

// Authenticate returns the token with that secret, or an error of KindUnauthorized.
func (b *Backend) Authenticate(ctx context.Context, secret string) (idmap.Token, error) {
	if b.opts.BootstrapToken != "" && subtle.ConstantTimeCompare([]byte(secret), []byte(b.opts.BootstrapToken)) == 1 {
		return idmap.Token{ID: "bootstrap", Name: "bootstrap", Scopes: []idmap.Scope{idmap.ScopeAdmin}}, nil
	}
	found, err := b.tokens.do(ctx, hashOf(secret))
	token := found.token
	switch {
	case err == nil && !found.known:
		return token, idmap.Refusef(idmap.CodeUnauthorized, "", "The token is not known: it is mistyped or revoked, or belongs to another server. Create one with `token create`.")
	case err == nil && token.Expired(b.now()):
		return token, idmap.Refusef(idmap.CodeUnauthorized, "", "Token %q expired on %s. Create a new one with `token create`.", token.Name, token.ExpiresOn.Format("2006-01-02"))
	}
	return token, err
}

// storedToken is the token of a hash, if there is one.
type storedToken struct {
	token idmap.Token
	known bool
}

// storedTokens looks up the tokens of requests that come at the same time. A request joins only a look-up
// that begins after it came, so a token that was revoked before is not known any more.
func (b *Backend) storedTokens(ctx context.Context, hashes []string) ([]storedToken, error) {
	found := make([]storedToken, len(hashes))
	err := b.view(ctx, func(r store.Reader) error {
		tokens, err := r.TokensByHash(ctx, hashes)
		for i, hash := range hashes {
			found[i].token, found[i].known = tokens[hash]
		}
		return err
	})
	return found, err
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Tokens lists tokens, without their secrets.
func (b *Backend) Tokens(ctx context.Context, page idmap.Page) (List[idmap.Token], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.Token, error) { return r.ListTokens(ctx, page) },
		func(r store.Reader) (int, error) { return r.CountTokens(ctx) })
}

// CreateToken stores a new token and returns it with its secret, which cannot be had again. It takes no idempotency
// key, since the secret is in the answer and must not be stored; a repeated request meets the name instead.
func (b *Backend) CreateToken(ctx context.Context, call Call, t idmap.Token) (idmap.Token, error) {
	if err := idmap.Refuse(b.checkToken(t)...); err != nil {
		return t, err
	}
	err := b.update(ctx, func(tx store.Tx) error {
		taken, err := tx.TokenByName(ctx, idmap.Fold(t.Name))
		if err == nil {
			return idmap.Refuse(idmap.Violation{
				Code: idmap.CodeNameInUse, Field: "name", Conflict: &idmap.Conflict{Kind: "token", ID: taken.ID, Holder: taken.Name},
				Description: "There is a token of that name already (" + taken.ID + "). Take another name, or revoke that token first.",
			})
		}
		if !idmap.IsNotFound(err) {
			return err
		}
		t, err = b.insertToken(ctx, tx, call, t)
		return err
	})
	return t, err
}

// reservedNames are those under which the audit knows the bootstrap token and the server's own setup.
var reservedNames = []string{"bootstrap", "setup"}

func (b *Backend) checkToken(t idmap.Token) []idmap.Violation {
	invalid := func(field, text string) idmap.Violation {
		return idmap.Violation{Code: idmap.CodeInvalid, Field: field, Description: text}
	}
	var found []idmap.Violation
	if idmap.Fold(t.Name) == "" {
		found = append(found, invalid("name", "A token needs a name, such as the name of who will use it."))
	} else if err := idmap.PlainText(t.Name, 200); err != nil {
		found = append(found, invalid("name", "The name cannot be stored: "+err.Error()+"."))
	} else if slices.Contains(reservedNames, idmap.Fold(t.Name)) {
		found = append(found, invalid("name", "The audit knows the server itself by that name. Take another."))
	}
	if len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, func(s idmap.Scope) bool { return !slices.Contains(idmap.Scopes(), s) }) {
		found = append(found, invalid("scopes", "A token needs one or more of the scopes "+scopeList()+"."))
	}
	if t.Expired(b.now()) {
		found = append(found, invalid("expires_on", "The token would have expired already."))
	}
	return found
}

func scopeList() string {
	var names []string
	for _, s := range idmap.Scopes() {
		names = append(names, string(s))
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

func (b *Backend) insertToken(ctx context.Context, tx store.Tx, call Call, t idmap.Token) (idmap.Token, error) {
	now, secret := b.now(), b.opts.NewSecret()
	t.ID, t.CreatedOn, t.Secret = b.opts.NewID(), &now, ""
	if err := tx.InsertToken(ctx, t, hashOf(secret)); err != nil {
		return t, err
	}
	entry := b.audit(call, "create", "token", t.ID, nil, t, "")
	t.Secret = secret
	return t, tx.AppendAudit(ctx, []idmap.AuditEntry{entry})
}

// FirstToken makes an administrator's token if the database has no token at all. Else, and with a bootstrap token, it
// returns nil.
func (b *Backend) FirstToken(ctx context.Context) (*idmap.Token, error) {
	var first *idmap.Token
	if b.opts.BootstrapToken != "" {
		return nil, nil
	}
	err := b.update(ctx, func(tx store.Tx) error {
		first = nil
		if n, err := tx.CountTokens(ctx); err != nil || n > 0 {
			return err
		}
		t, err := b.insertToken(ctx, tx, Call{Token: idmap.Token{Name: "setup"}}, idmap.Token{Name: "admin", Scopes: []idmap.Scope{idmap.ScopeAdmin}})
		first = &t
		return err
	})
	return first, err
}

// DeleteToken revokes a token at once.
func (b *Backend) DeleteToken(ctx context.Context, call Call, id string) error {
	return b.update(ctx, func(tx store.Tx) error {
		before, err := tx.Token(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteToken(ctx, id); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "delete", "token", id, before, nil, "")})
	})
}

// Audit lists audit entries, newest first.
func (b *Backend) Audit(ctx context.Context, f idmap.AuditFilter, page idmap.Page) (List[idmap.AuditEntry], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.AuditEntry, error) { return r.ListAudit(ctx, f, page) },
		func(r store.Reader) (int, error) { return r.CountAudit(ctx, f) })
}
