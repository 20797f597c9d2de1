// Package sqlstore is the SQL that the two engines share: one text for SQLite and for PostgreSQL. An engine owns the
// connections, the transactions and the meaning of its error codes; everything else is here, a file a noun.
//
// What keeps one text honest: $N placeholders, upserts with RETURNING, keys that are compared by their bytes, times as
// microseconds, JSON as text. Nothing is read to decide whether to write: the statement itself decides, so the text is
// correct at READ COMMITTED and at SERIALIZABLE.
package sqlstore
