package sqlstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// longestSearch is the longest text that is worth looking for, in bytes: SQLite refuses longer patterns, and nothing
// that is searched is longer.
const longestSearch = 16_000

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// storable reports whether PostgreSQL can store every text among the values.
func storable(values ...any) bool {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if !storableText(v) {
				return false
			}
		case []string:
			if slices.ContainsFunc(v, func(s string) bool { return !storableText(s) }) {
				return false
			}
		}
	}
	return true
}

func storableText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// storableKeys returns each key once, without those that no row can have, in their order.
func storableKeys(keys []string) []string {
	keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !storableText(key) })
	slices.Sort(keys)
	return slices.Compact(keys)
}

func anys(keys []string) []any {
	values := make([]any, len(keys))
	for i, key := range keys {
		values[i] = key
	}
	return values
}

// searchText folds what free text is looked for in, a line each.
func searchText(texts ...string) string {
	var lines []string
	for _, text := range texts {
		if text = idmap.Fold(text); text != "" && !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

// digest stands for a key that may be too long for an index of PostgreSQL.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// nameDigest stands for a name of an account or a group; none is an empty text.
func nameDigest(name string) string {
	key := idmap.NameKey(name)
	if key == "" {
		return ""
	}
	return digest(key)
}

// nameDigests are the digests of keys that are folded already. An empty one would find those that have no name.
func nameDigests(keys []string) []string {
	var digests []string
	for _, key := range keys {
		if key != "" {
			digests = append(digests, digest(key))
		}
	}
	return digests
}

// micros stores a time; nil is NULL.
func micros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// when scans a time that may be missing into a field.
type when struct{ into **time.Time }

// Scan implements sql.Scanner.
func (w when) Scan(value any) error {
	*w.into = nil
	if us, ok := value.(int64); ok {
		t := fromMicros(us)
		*w.into = &t
	}
	return nil
}

// instant scans a time that is there into a field.
type instant struct{ into *time.Time }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	us, _ := value.(int64)
	*i.into = fromMicros(us)
	return nil
}

// reference scans the id of another object into a field; an empty one is none.
type reference struct{ into **idmap.Ref }

// Scan implements sql.Scanner.
func (r reference) Scan(value any) error {
	id, _ := value.(string)
	*r.into = idmap.RefTo(id)
	return nil
}

// document scans JSON into a field; an empty text leaves it alone.
type document struct{ into any }

// Scan implements sql.Scanner.
func (d document) Scan(value any) error {
	text, _ := value.(string)
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), d.into)
}

// listText stores a list as JSON; none is an empty text.
func listText[T any](values []T) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	text, err := json.Marshal(values)
	return string(text), err
}

// jsonText stores a value as JSON. encoding/json would quietly replace what is no text, and the store must not.
func jsonText(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	escapes := bytes.ReplaceAll(text, []byte(`\\`), nil) // a backslash of the text itself begins no escape
	if bytes.Contains(escapes, []byte(`\ufffd`)) || bytes.Contains(escapes, []byte(`\u0000`)) {
		return "", errNotText
	}
	return string(text), nil
}
