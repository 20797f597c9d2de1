package sqlstore

import (
	"context"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// row is a row of an answer, to be scanned.
type row interface{ Scan(into ...any) error }

// table is how a noun is read: where from, which columns, and how a row becomes an object.
type table[T any] struct {
	name    string
	columns string
	scan    func(row) (T, error)
	id      func(T) string
}

// marked replaces each ? with $1, $2 and so on, where the engine wants that. Our statements have no other use of that
// character.
func (d Dialect) marked(query string) string {
	if !d.Numbered {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// repeated returns n times item, separated by commas.
func repeated(item string, n int) string {
	return strings.TrimSuffix(strings.Repeat(item+", ", n), ", ")
}

// chunks returns those of the keys that a row can have, as many at once as one look-up asks for.
func (d Dialect) chunks(keys []string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for chunk := range slices.Chunk(storableKeys(keys), d.Keys) {
			if !yield(d.padded(chunk)) {
				return
			}
		}
	}
}

// keyed returns the statements that have the keys in the place of the one IN (*) of a statement, each with those values.
func (d Dialect) keyed(statement string, keys []string) iter.Seq2[string, []any] {
	return func(yield func(string, []any) bool) {
		if d.Arrays {
			if keys = storableKeys(keys); len(keys) > 0 {
				yield(strings.Replace(statement, "IN (*)", "= ANY (?)", 1), []any{keys})
			}
			return
		}
		for chunk := range d.chunks(keys) {
			if !yield(strings.Replace(statement, "(*)", "("+repeated("?", len(chunk))+")", 1), anys(chunk)) {
				return
			}
		}
	}
}

// padded repeats the last key up to the next power of two, where that makes for fewer different statements.
func (d Dialect) padded(keys []string) []string {
	if !d.KeepsStatements {
		return keys
	}
	n := 1
	for n < len(keys) {
		n *= 2
	}
	padded := slices.Grow(slices.Clip(keys), n-len(keys))
	for len(padded) < n {
		padded = append(padded, keys[len(keys)-1])
	}
	return padded
}

// where is a conjunction.
type where struct {
	conditions []string
	args       []any
	nothing    bool // a value that no row can have
}

// clone returns a copy to which other conditions can be added.
func (w *where) clone() where {
	return where{slices.Clone(w.conditions), slices.Clone(w.args), w.nothing}
}

// and adds a condition with a ? for each argument.
func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
	w.nothing = w.nothing || !storable(args...)
}

// equal adds column = value, unless value is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.and(column+" = ?", value)
	}
}

// set adds that a nullable column is set, or that it is not; nil adds nothing.
func (w *where) set(column string, want *bool) {
	switch {
	case want == nil:
	case *want:
		w.and(column + " IS NOT NULL")
	default:
		w.and(column + " IS NULL")
	}
}

// contains adds that a folded column contains a folded text, unless it is empty.
func (w *where) contains(column, text string) {
	if text == "" {
		return
	}
	w.nothing = w.nothing || len(text) > longestSearch
	w.and(column+` LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(text)+"%")
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// list reads a page in the order of the id, ascending.
func list[T any](ctx context.Context, s *session, t table[T], w where, page idmap.Page) ([]T, error) {
	if page.After != "" {
		w.and("id > ?", page.After)
	}
	if !page.Last {
		return listInOrder(ctx, s, t, w, "id", page.Limit)
	}
	found, err := listInOrder(ctx, s, t, w, "id DESC", page.Limit)
	slices.Reverse(found)
	return found, err
}

func listInOrder[T any](ctx context.Context, s *session, t table[T], w where, order string, limit int) ([]T, error) {
	var found []T
	if w.nothing {
		return found, s.failed
	}
	query := "SELECT " + t.columns + " FROM " + t.name + w.String() + " ORDER BY " + order + " LIMIT ?"
	err := s.query(ctx, func(r row) error {
		object, err := t.scan(r)
		found = append(found, object)
		return err
	}, query, append(w.args, limit)...)
	return found, err
}

// count counts rows.
func count(ctx context.Context, s *session, table string, w where) (n int, err error) {
	if w.nothing {
		return 0, s.failed
	}
	err = s.query(ctx, func(r row) error { return r.Scan(&n) }, "SELECT COUNT(*) FROM "+table+w.String(), w.args...)
	return n, err
}

// lookup gathers the objects that have any of some keys, each once.
type lookup[T any] struct {
	session  *session
	table    table[T]
	expected int // how many objects there may be; where there are some, there are mostly as many as keys
	found    []T
	seen     map[string]bool
	err      error
}

func newLookup[T any](s *session, t table[T]) *lookup[T] {
	return &lookup[T]{session: s, table: t}
}

func (l *lookup[T]) add(object T) {
	if l.seen == nil {
		l.found, l.seen = make([]T, 0, l.expected), make(map[string]bool, l.expected)
	}
	if id := l.table.id(object); !l.seen[id] {
		l.seen[id] = true
		l.found = append(l.found, object)
	}
}

// any finds objects by one kind of key. The condition has one (*), which becomes the list of keys; args are those of
// its ?, all before the (*).
func (l *lookup[T]) any(ctx context.Context, keys []string, condition string, args ...any) {
	if !storable(args...) {
		return
	}
	l.expected = len(keys)
	for condition, values := range l.session.dialect.keyed(condition, keys) {
		l.run(ctx, condition, append(slices.Clone(args), values...))
	}
}

func (l *lookup[T]) run(ctx context.Context, condition string, args []any) {
	if l.err != nil {
		return
	}
	query := "SELECT " + l.table.columns + " FROM " + l.table.name + " WHERE " + condition
	l.err = l.session.query(ctx, func(r row) error {
		object, err := l.table.scan(r)
		l.add(object)
		return err
	}, query, args...)
}

func (l *lookup[T]) answer() ([]T, error) {
	if l.err == nil {
		l.err = l.session.failed
	}
	return l.found, l.err
}

// ids reads a column of ids by keys. The statement has one IN (*), as the condition of lookup.any.
func (s *session) ids(ctx context.Context, keys []string, statement string, args ...any) ([]string, error) {
	var found []string
	if !storable(args...) {
		return found, s.failed
	}
	for query, values := range s.dialect.keyed(statement, keys) {
		err := s.query(ctx, func(r row) error {
			var id string
			err := r.Scan(&id)
			found = append(found, id)
			return err
		}, query, append(slices.Clone(args), values...)...)
		if err != nil {
			return nil, err
		}
	}
	return found, s.failed
}

// insert writes rows with as few statements as the dialect allows. The columns are those of each row; tail follows the
// values. If each is given, it is called for each row that the tail returns.
func (s *session) insert(ctx context.Context, into, columns, tail string, rows [][]any, each func(row) error) error {
	for len(rows) > 0 {
		n, values, args := s.dialect.values(rows)
		query := "INSERT INTO " + into + " (" + columns + ") " + values + " " + tail
		if each == nil {
			if _, err := s.exec(ctx, query, args...); err != nil {
				return err
			}
		} else if err := s.query(ctx, each, query, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return s.failed
}

// values says the first n of the rows in SQL, as many as one INSERT may carry.
func (d Dialect) values(rows [][]any) (n int, query string, args []any) {
	if d.Arrays {
		n = min(len(rows), rowsAtOnce)
		if query, args, ok := arrays(rows[:n]); ok {
			return n, query, args
		}
	}
	n = min(len(rows), max(1, d.Values/len(rows[0])))
	if d.KeepsStatements { // few different texts: a power of two
		n = 1 << (bits.Len(uint(n)) - 1)
	}
	return n, "VALUES " + repeated("("+repeated("?", len(rows[0]))+")", n), slices.Concat(rows[:n]...)
}

// overwrite returns the SET list of an upsert that replaces every column but some.
func overwrite(columns string, but ...string) string {
	var sets []string
	for column := range strings.SplitSeq(columns, ",") {
		column = strings.TrimSpace(column)
		if !slices.Contains(but, column) {
			sets = append(sets, column+" = excluded."+column)
		}
	}
	return strings.Join(sets, ", ")
}

// execEach runs a statement once for every chunk of keys. The statement has one (*), as in lookup.any.
func (s *session) execEach(ctx context.Context, keys []string, query string, args ...any) error {
	for query, values := range s.dialect.keyed(query, keys) {
		if _, err := s.exec(ctx, query, append(slices.Clone(args), values...)...); err != nil {
			return err
		}
	}
	return s.failed
}
