package server

import "context"

// Seed fills a database in which the program has made its tables and the connections "mail" and "sales". It stores people
// in both directories, and mappings of the first of them. MappingID, Email and UserID name those of a number.
func Seed(ctx context.Context, postgres bool, database string, mappings, people int) error {
	e := sqliteIn("")
	if postgres {
		e = postgresOn(database, false)
	}
	e.database = database
	return e.fill(ctx, mappings, people)
}

// MappingID is the id of the mapping of a number.
func MappingID(i int) string { return mappingID(i) }

// Email is the email of the person of a number.
func Email(i int) string { return email(i) }

// UserID is the user id of the person of a number.
func UserID(i int) string { return userID(i) }

// ExecutePostgres runs statements on one connection to a PostgreSQL database.
func ExecutePostgres(ctx context.Context, database string, statements ...string) error {
	return execute(ctx, "pgx", database, statements...)
}
