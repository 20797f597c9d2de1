package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const signInColumns = `id, happened_on, source_connection_id, destination_connection_id, email, user_id, client, ` +
	`source_address, outcome, reasons, user_mapping_id, mapping_created, session_id`

var signIns = table[idmap.SignIn]{
	name: "sign_ins", columns: signInColumns, scan: scanSignIn,
	id: func(e idmap.SignIn) string { return e.ID },
}

func scanSignIn(r row) (e idmap.SignIn, err error) {
	err = r.Scan(&e.ID, instant{&e.On}, &e.Source.Connection.ID, &e.Destination.Connection.ID, &e.Email, &e.UserID,
		&e.Client, &e.SourceAddress, &e.Outcome, document{&e.Reasons}, reference{&e.UserMapping}, &e.MappingCreated,
		reference{&e.Session})
	return e, err
}

// signInValues are the values of signInColumns, then email_key and user_key.
func signInValues(e idmap.SignIn) (values []any, err error) {
	reasons := ""
	if len(e.Reasons) > 0 {
		reasons, err = jsonText(e.Reasons)
	}
	return []any{
		e.ID, micros(&e.On), e.Source.Connection.ID, e.Destination.Connection.ID, e.Email, e.UserID,
		e.Client, e.SourceAddress, string(e.Outcome), reasons, refID(e.UserMapping), e.MappingCreated, refID(e.Session),
		indexKey(idmap.EmailKey(e.Email)), indexKey(idmap.Fold(e.UserID)),
	}, err
}

// refID is what reference scans.
func refID(r *idmap.Ref) string {
	if r == nil {
		return ""
	}
	return r.ID
}

// longestKey is the longest key that is stored as it is, in bytes. PostgreSQL takes no more than 2,700 in an index, and
// folding makes a text up to 18 times as long.
const longestKey = 2000

func indexKey(key string) string {
	if len(key) <= longestKey {
		return key
	}
	return digest(key)
}

// reasonCode is the form of a code: what has another one is in no entry, and could look like a part of one.
var reasonCode = regexp.MustCompile(`^[a-z_]+$`)

// signInWhere takes all of the filter but the connection on either side. The narrowest column that is asked for leads,
// and the others are kept from choosing an index: an engine without statistics would as well read all entries of a
// connection to find those of a user.
func signInWhere(f idmap.SignInFilter) (w where, led bool) {
	if f.Reason != "" {
		w.nothing = !reasonCode.MatchString(string(f.Reason)) || f.Outcome == idmap.OutcomeAllowed
		w.contains("reasons", `"code":"`+string(f.Reason)+`"`)
		f.Outcome = idmap.OutcomeDenied // nothing else has reasons
	}
	for _, c := range []struct{ column, value string }{
		{"user_mapping_id", f.UserMappingID},
		{"email_key", indexKey(f.EmailKey)},
		{"user_key", indexKey(f.UserKey)},
		{"outcome", string(f.Outcome)},
		{"destination_connection_id", f.DestinationConnectionID},
		{"source_connection_id", f.SourceConnectionID},
	} {
		switch {
		case c.value == "":
		case !led && c.column == "outcome" && c.value == string(idmap.OutcomeDenied):
			w.and("outcome = 'denied'") // no ?, since the index has only these
			led = true
		case led, c.column == "outcome":
			w.and(c.column+" || '' = ?", c.value)
		default:
			w.and(c.column+" = ?", c.value)
			led = true
		}
	}
	w.equal("client", f.Client)
	if f.From != nil {
		w.and("happened_on >= ?", micros(f.From))
	}
	if f.To != nil {
		w.and("happened_on < ?", micros(f.To))
	}
	return w, led
}

// signInWheres returns conditions that no two hold for one entry. A connection on either side makes two of them, since
// a disjunction would read and sort all entries of the connection.
func signInWheres(f idmap.SignInFilter) []where {
	w, led := signInWhere(f)
	switch id := f.ConnectionID; {
	case id == "":
		return []where{w}
	case led:
		w.and("(source_connection_id || '' = ? OR destination_connection_id || '' = ?)", id, id)
		return []where{w}
	default:
		source, destination := w.clone(), w.clone()
		source.and("source_connection_id = ?", id)
		destination.and("destination_connection_id = ? AND source_connection_id || '' <> ?", id, id)
		return []where{source, destination}
	}
}

func (s *session) ListSignIns(ctx context.Context, f idmap.SignInFilter, page idmap.Page) ([]idmap.SignIn, error) {
	var found []idmap.SignIn
	for _, w := range signInWheres(f) {
		if page.After != "" {
			on, id, ok := cutSignInKey(page.After)
			w.and("(happened_on, id) < (?, ?)", on, id)
			w.nothing = w.nothing || !ok
		}
		some, err := listInOrder(ctx, s, signIns, w, "happened_on DESC, id DESC", page.Limit)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(a, b idmap.SignIn) int {
		return cmp.Or(b.On.Compare(a.On), strings.Compare(b.ID, a.ID))
	})
	return found[:min(len(found), page.Limit)], s.failed
}

// cutSignInKey takes idmap.SignIn.Key apart; it reports whether the text is one.
func cutSignInKey(key string) (on int64, id string, ok bool) {
	text, id, _ := strings.Cut(key, ",")
	on, err := strconv.ParseInt(text, 10, 64)
	return on, id, err == nil && id != "" && strconv.FormatInt(on, 10) == text
}

func (s *session) CountSignIns(ctx context.Context, f idmap.SignInFilter, atMost int) (n int, err error) {
	for _, w := range signInWheres(f) {
		bounded := where{args: append(w.args, max(0, atMost-n)), nothing: w.nothing}
		some, err := count(ctx, s, "(SELECT 1 FROM sign_ins"+w.String()+" LIMIT ?) AS bounded", bounded)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, s.failed
}

// SignInConnections skips from one connection to the next in their index.
func (s *session) SignInConnections(ctx context.Context) (ids []string, err error) {
	next := func(r row) error {
		var id *string
		err := r.Scan(&id)
		if id != nil {
			ids = append(ids, *id)
		}
		return err
	}
	for last := ""; ; last = ids[len(ids)-1] {
		before := len(ids)
		err := s.query(ctx, next, `SELECT MIN(destination_connection_id) FROM sign_ins WHERE destination_connection_id > ?`, last)
		if err != nil || len(ids) == before {
			return ids, err
		}
	}
}

func (s *session) InsertSignIns(ctx context.Context, entries []idmap.SignIn) error {
	rows := make([][]any, len(entries))
	for i, e := range entries {
		if e.ID == "" || e.Outcome != idmap.OutcomeAllowed && e.Outcome != idmap.OutcomeDenied {
			return s.fail(ctx, fmt.Errorf("sign-in %q has no id, or the outcome %q", e.ID, e.Outcome))
		}
		values, err := signInValues(e)
		if err != nil {
			return s.fail(ctx, err)
		}
		rows[i] = values
	}
	return s.insert(ctx, "sign_ins", signInColumns+", email_key, user_key", "", rows, nil)
}

func (s *session) DeleteSignIns(ctx context.Context, destinationConnectionID string, before time.Time, limit int) (int, error) {
	return s.exec(ctx, `DELETE FROM sign_ins WHERE (happened_on, id) IN (SELECT happened_on, id FROM sign_ins `+
		`WHERE destination_connection_id = ? AND happened_on < ? ORDER BY happened_on LIMIT ?)`,
		destinationConnectionID, micros(&before), max(0, limit))
}
