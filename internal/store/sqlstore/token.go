package sqlstore

import (
	"context"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const tokenColumns = `id, name, scopes, expires_on, created_on`

var tokens = table[idmap.Token]{
	name: "tokens", columns: tokenColumns, scan: scanToken,
	id: func(t idmap.Token) string { return t.ID },
}

func scanToken(r row) (t idmap.Token, err error) {
	err = r.Scan(&t.ID, &t.Name, document{&t.Scopes}, when{&t.ExpiresOn}, when{&t.CreatedOn})
	return t, err
}

func (s *session) TokenByHash(ctx context.Context, hash string) (idmap.Token, error) {
	l := newLookup(s, tokens)
	l.any(ctx, []string{hash}, "secret_hash IN (*)")
	found, err := l.answer()
	switch {
	case err != nil:
		return idmap.Token{}, err
	case len(found) == 0: // the hash is not for anybody's eyes
		return idmap.Token{}, idmap.Refusef(idmap.CodeNotFound, "", "There is no token with this secret.")
	}
	return found[0], nil
}

func (s *session) ListTokens(ctx context.Context, page idmap.Page) ([]idmap.Token, error) {
	return list(ctx, s, tokens, where{}, page)
}

func (s *session) CountTokens(ctx context.Context) (int, error) {
	return count(ctx, s, "tokens", where{})
}

func (s *session) InsertToken(ctx context.Context, t idmap.Token, hash string) error {
	scopes, err := listText(t.Scopes)
	if err != nil {
		return s.fail(ctx, err)
	}
	values := []any{t.ID, t.Name, scopes, micros(t.ExpiresOn), micros(t.CreatedOn), hash}
	return s.insert(ctx, "tokens", tokenColumns+", secret_hash", "", [][]any{values}, nil)
}

func (s *session) DeleteToken(ctx context.Context, id string) error {
	if !storable(id) {
		return idmap.NotFound("token", id)
	}
	n, err := s.exec(ctx, `DELETE FROM tokens WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = idmap.NotFound("token", id)
	}
	return err
}
