package storetest

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// Migrations runs the migrations of an empty database one by one and adds, after each, the rows that it made room for.
// What the store then reads must be what was there before the migrations that came after it.
func Migrations(t *testing.T, db *sql.DB, provider *goose.Provider, open func(t *testing.T) store.Store) {
	steps := [][]raw{rawDirectory(), rawMapping(), rawLedger(), rawRecords(), rawMap(), rawSignIn()}
	equal(t, "migrations with rows", len(steps), len(provider.ListSources()))
	for _, rows := range steps {
		if _, err := provider.UpByOne(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			r.insert(t, db)
		}
	}
	newWorld(t, open(t)).checkFilled()
}

// raw is a row as some release wrote it.
type raw struct {
	table   string
	columns string
	values  []any
}

func (r raw) insert(t *testing.T, db *sql.DB) {
	t.Helper()
	marks := make([]string, len(r.values))
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	query := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", r.table, r.columns, strings.Join(marks, ", ")) //nolint:gosec // nothing of it comes from outside
	if _, err := db.ExecContext(t.Context(), query, r.values...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func us(second int) int64 { return at(second).UnixMicro() }

func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func rawDirectory() []raw {
	conn := func(id string) raw {
		return raw{"connections", "id, name, name_key, name_digest, platform_id, authoritative, mail_domain, sign_in_disabled, sign_in_mapping, on_sign_out, sign_in_history_days, directory, directory_version, revision, created_on, modified_on", []any{
			id, "Connection " + id, "connection " + id, digest("connection " + id), "generic", false, "", false, "", "", 0, "", "random", 1, us(1), us(1),
		}}
	}
	const addresses = "connection_id, owner_kind, owner_id, position, address_key"
	return []raw{
		conn("mail"), conn("app"),
		{"accounts", "connection_id, id, username, email, aliases, name, given_name, surname, user_type, disabled, admin, built_in, readonly, external, sign_in_permitted, deleted_on, revision, user_key, name_digest, search", []any{
			"mail", "A-1", "Ålice", "Alice@Example.com", `["smtp:a.one@example.com","no address"]`, "Alice Ö", "Alice", "Ö",
			"non_interactive", true, true, true, true, true, true, us(7), 4, "ålice", digest("alice ö"), "alice ö",
		}},
		{"directory_addresses", addresses, []any{"mail", "account", "A-1", 0, "alice@example.com"}},
		{"groups", "connection_id, id, name, caption, addresses, built_in, disabled, readonly, revision, name_digest, caption_digest, search", []any{
			"mail", "g", "Staff", "All  Staff", `["g@example.com"]`, false, false, false, 1, digest("staff"), digest("all staff"), "staff",
		}},
		{"directory_addresses", addresses, []any{"mail", "group", "g", 0, "g@example.com"}},
	}
}

func rawMapping() []raw {
	return []raw{{"user_mappings", "id, source_connection_id, source_account_id, destination_connection_id, destination_account_id, email, email_key, email_domain, email_source, email_scope, user_id, user_key, origin, revision, created_on, modified_on, search", []any{
		"m", "mail", "", "app", "", "a@example.com", "a@example.com", "example.com", "explicit", "app", "a", "a", "api", 1, us(1), us(1), "a@example.com",
	}}}
}

func rawLedger() []raw {
	return []raw{
		{"email_assignments", "id, connection_id, address_key, address, seen_by, first_seen_on, last_seen_on, released_by, release_reason, revision, search", []any{
			"e", "mail", "a@example.com", "a@example.com", "mapping", us(10), us(10), "", "", 1, "a@example.com",
		}},
		{"email_assignment_holders", "assignment_id, connection_id, account_id, user_key, name", []any{"e", "app", "", "a", "Name of a"}},
	}
}

func rawRecords() []raw {
	entry, answer := auditEntry(1, "user_mapping", "m"), answered(record("t", "k"), "m")
	return []raw{
		{"audit", "id, happened_on, who, action, kind, object_id, before_json, after_json, reason", []any{
			entry.ID, us(1), entry.Who, entry.Action, entry.Kind, entry.ObjectID, string(entry.Before), string(entry.After), entry.Reason,
		}},
		{"tokens", "id, name, name_key, name_digest, scopes, secret_hash, expires_on, created_on", []any{
			"t", "Token t", "token t", digest("token t"), `["read","admin"]`, "hash", us(5), us(1),
		}},
		{"idempotency_keys", "actor, request_key, request_hash, object_id, answer, created_on", []any{
			"t", "k", answer.RequestHash, answer.ObjectID, string(answer.Answer), us(1),
		}},
	}
}

func rawMap() []raw {
	const mapBy = `{"id":true,"name":true,"username":true,"email":true,"caption":true,"default":true,"fuzzy":true,"external_passthrough":true,` +
		`"passthrough":true,"built_in":true,"ldap":true,"external_resolve":"first","fuzzy_threshold":0.700000000000001}`
	source, destination := rawPrincipal("s-1", "Ålice"), rawPrincipal("d-1", `B"o\b`)
	subject, target := rawPrincipal("s", "Ålice"), rawPrincipal("d", "bob")
	called := strings.Replace(subject, `"type":"account","id":"s",`, "", 1)
	kept := `{"id":"map1","name":"Straße 1","source":{"connection":{"id":"mail"},"default":` + source + `},"destination":{"connection":{"id":"app"},` +
		`"default":` + destination + `},"unmapped_policy":"passthrough","map_by":` + mapBy + `,"exceptions":[{"id":"i","source":` + subject +
		`,"destination":` + target + `}],"exclusions":[],"revision":3,"created_on":"2026-02-03T04:05:01.123456Z","modified_on":"2026-02-03T04:05:01.123456Z"}`
	return []raw{
		{"maps", "id, kind, name, name_key, name_digest, source_connection_id, source_default, destination_connection_id, destination_default, unmapped_policy, map_by, revision, created_on, modified_on", []any{
			"map1", "account_map", "Straße 1", "strasse 1", digest("strasse 1"), "mail", source, "app", destination, "passthrough", mapBy, 1, us(1), us(1),
		}},
		{"map_items", "map_id, id, role, subject_id, subject_digest, target_id, subject, target, search", []any{
			"map1", "i", "exception", "s", digest(called), "d", subject, target, "ålice",
		}},
		{"map_revisions", "map_id, revision, kind, map_json", []any{"map1", 3, "account_map", kept}},
		{"jobs", "id, name, name_key, kind, status, source_connection_id, destination_connection_id, account_map_id, account_map_revision, group_map_id, group_map_revision, revision, created_on, modified_on", []any{
			"j1", `Größe " 100%`, `grösse " 100%`, "transfer", "idle", "mail", "app", "map1", 3, "map2", 4, 1, us(1), us(1),
		}},
	}
}

func rawSignIn() []raw {
	return []raw{
		{"sign_ins", "happened_on, id, source_connection_id, destination_connection_id, email, email_key, user_id, user_key, client, source_address, outcome, reasons, user_mapping_id, mapping_created, session_id", []any{
			us(3), "i", "mail", "app", "A@Example.com", "a@example.com", "A", "a", "outlook", "192.0.2.1", "denied",
			`[{"code":"mapping_required","field":"email","description":"Größe 100%"}]`, "m", true, "s",
		}},
		{"sessions", "id, user_mapping_id, client, source_address, first_used_on, last_used_on, use_count", []any{
			"s", "m", "outlook", "192.0.2.1", us(2), us(4), 7,
		}},
	}
}

func rawPrincipal(id, name string) string {
	return fmt.Sprintf(`{"type":"account","id":%q,"name":%q,"username":%q,"email":%q,"caption":%q}`,
		id, name, "user "+name, "SMTP:"+name+"@Example.com", "caption "+name)
}

// schema is every column of the current release. A migration changes it here too, once for both engines.
var schema = map[string]string{
	"connections":              "authoritative created_on directory directory_version id mail_domain modified_on name name_digest name_key on_sign_out platform_id revision sign_in_disabled sign_in_history_days sign_in_mapping",
	"accounts":                 "admin aliases built_in connection_id deleted_on disabled email external given_name id name name_digest readonly revision search sign_in_permitted surname user_key user_type username",
	"groups":                   "addresses built_in caption caption_digest connection_id deleted_on disabled id name name_digest readonly revision search",
	"directory_addresses":      "address_key connection_id owner_id owner_kind position",
	"user_mappings":            "created_on destination_account_id destination_connection_id email email_domain email_key email_scope email_source id last_sign_in_on modified_on origin revision search source_account_id source_connection_id user_id user_key",
	"email_assignments":        "address address_key connection_id first_seen_on id last_seen_on release_reason released_by released_on revision search seen_by",
	"email_assignment_holders": "account_id assignment_id connection_id name user_key",
	"audit":                    "action after_json before_json happened_on id kind object_id reason who",
	"tokens":                   "created_on expires_on id name name_digest name_key scopes secret_hash",
	"idempotency_keys":         "actor answer created_on object_id request_hash request_key",
	"maps":                     "created_on destination_connection_id destination_default id kind map_by modified_on name name_digest name_key revision source_connection_id source_default unmapped_policy",
	"map_items":                "id map_id role search subject subject_digest subject_id target target_id",
	"map_revisions":            "kind map_id map_json revision",
	"sign_ins":                 "client destination_connection_id email email_key happened_on id mapping_created outcome reasons session_id source_address source_connection_id user_id user_key user_mapping_id",
	"sessions":                 "client first_used_on id last_used_on source_address use_count user_mapping_id",
	"jobs":                     "account_map_id account_map_revision created_on destination_connection_id group_map_id group_map_revision id kind modified_on name name_key revision source_connection_id status",
}

// Schema compares the tables of a migrated database, and their columns, with those that both engines must have. The
// query answers pairs of a table and a column; the tables of goose do not count.
func Schema(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(table, "idmap_schema_") {
			columns[table] = append(columns[table], column)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for table, names := range columns {
		slices.Sort(names)
		got[table] = strings.Join(names, " ")
	}
	equal(t, "schema", got, schema)
}
