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

func (s *session) TokensByHash(ctx context.Context, hashes []string) (map[string]idmap.Token, error) {
	found := map[string]idmap.Token{}
	for chunk := range s.dialect.chunks(hashes) {
		err := s.query(ctx, func(r row) error {
			var hash string
			var t idmap.Token
			err := r.Scan(&hash, &t.ID, &t.Name, document{&t.Scopes}, when{&t.ExpiresOn}, when{&t.CreatedOn})
			found[hash] = t
			return err
		}, "SELECT secret_hash, "+tokenColumns+" FROM tokens WHERE secret_hash IN ("+repeated("?", len(chunk))+")", anys(chunk)...)
		if err != nil {
			return nil, err
		}
	}
	return found, s.failed
}

func (s *session) TokenByName(ctx context.Context, key string) (idmap.Token, error) {
	t, found, err := s.tokenWith(ctx, "name_digest", digest(key))
	if err == nil && !found {
		err = idmap.NotFound("token", key)
	}
	return t, err
}

func (s *session) Token(ctx context.Context, id string) (idmap.Token, error) {
	t, found, err := s.tokenWith(ctx, "id", id)
	if err == nil && !found {
		err = idmap.NotFound("token", id)
	}
	return t, err
}

// tokenWith finds the token that has a value in a unique column.
func (s *session) tokenWith(ctx context.Context, column, value string) (t idmap.Token, found bool, err error) {
	l := newLookup(s, tokens)
	l.any(ctx, []string{value}, column+" IN (*)")
	all, err := l.answer()
	if err != nil || len(all) == 0 {
		return t, false, err
	}
	return all[0], true, nil
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
	key := idmap.Fold(t.Name)
	values := []any{t.ID, t.Name, scopes, micros(t.ExpiresOn), micros(t.CreatedOn), hash, key, digest(key)}
	return s.insert(ctx, "tokens", tokenColumns+", secret_hash, name_key, name_digest", "", [][]any{values}, nil)
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
