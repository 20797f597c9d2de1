package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/store"
	"github.com/idmap/terraform-provider-idmap/internal/store/postgres"
	"github.com/idmap/terraform-provider-idmap/internal/store/sqlite"
)

// database says where mappings are kept, as --database does: a file for SQLite, a postgres:// URL for PostgreSQL.
type database string

var (
	urlScheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://`)
	// keywords are what a connection string of libpq begins with.
	keywords = regexp.MustCompile(`^(host|hostaddr|port|dbname|user|password|sslmode|service)\s*=`)
)

// scheme returns the scheme of a URL in lower case, and "" for a file.
func (d database) scheme() string {
	if found := urlScheme.FindStringSubmatch(string(d)); found != nil {
		return strings.ToLower(found[1])
	}
	return ""
}

// check refuses what is neither a file nor a PostgreSQL database. It never repeats the value, which may have a password
// in it.
func (d database) check() error {
	const required = "a database is the path of an SQLite file, such as idmap.db, or a URL, such as postgres://user:password@host:5432/idmap"
	switch scheme := d.scheme(); {
	case scheme != "" && scheme != "postgres" && scheme != "postgresql":
		return fmt.Errorf("the database is a URL that begins with %s://, and there is no engine for that; %s", scheme, required)
	case keywords.MatchString(string(d)):
		return fmt.Errorf("the database is a list of keywords and values; %s", required)
	}
	return nil
}

// open opens the store, which the caller closes. An SQLite file is created if it is missing.
func (d database) open(ctx context.Context) (store.Store, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if d.scheme() != "" {
		return opened(postgres.Open(ctx, string(d)))
	}
	return opened(sqlite.Open(ctx, string(d)))
}

// opened keeps a failed open from answering an interface that holds nil.
func opened[S store.Store](s S, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// exists refuses a file that is not there, for commands that would only find nothing in a new one.
func (d database) exists() error {
	if d.scheme() != "" {
		return nil
	}
	if _, err := os.Stat(string(d)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database file %q; correct the path, or make the database with `%s serve`", string(d), name)
	}
	return nil
}

// String names a database that was opened, for a person, and never a password.
func (d database) String() string {
	if d.scheme() == "" {
		return "SQLite file " + string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return "PostgreSQL"
	}
	text := "PostgreSQL"
	if path := strings.Trim(u.Path, "/"); path != "" {
		text += " database " + path
	}
	if u.Host != "" {
		text += " on " + u.Host
	}
	return text
}
