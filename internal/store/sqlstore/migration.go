package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// VersionTable is the table in which goose keeps which migrations a database has.
const VersionTable = "idmap_schema_version"

// ErrNewerSchema says that a newer release has migrated the database.
var ErrNewerSchema = errors.New("the database was written by a newer release")

// Migrate brings the schema of a database up to date. Options are those of the engine, such as its lock. It fails with
// ErrNewerSchema if the database is ahead of this release.
func Migrate(ctx context.Context, db *sql.DB, engine goose.Dialect, d Dialect, options ...goose.ProviderOption) error {
	provider, err := NewMigrations(db, engine, d, options...)
	if err != nil {
		return err
	}
	current, err := settled(ctx, provider)
	if err != nil || current {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	_, err = settled(ctx, provider) // a newer release may have migrated it meanwhile
	return err
}

// NewMigrations returns the migrations of a database, to be run one by one.
func NewMigrations(db *sql.DB, engine goose.Dialect, d Dialect, options ...goose.ProviderOption) (*goose.Provider, error) {
	migrations, err := d.migrations()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(engine, db, nil, append(options,
		goose.WithTableName(VersionTable),
		goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(migrations...),
		goose.WithSlog(slog.New(slog.DiscardHandler)))...)
}

// settled reports whether the database has all migrations.
func settled(ctx context.Context, provider *goose.Provider) (bool, error) {
	sources := provider.ListSources()
	latest := sources[len(sources)-1].Version
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the version of the database's schema: %w", err)
	}
	if version > latest {
		return false, fmt.Errorf("%w: its schema is at version %d, and this release knows versions up to %d; "+
			"use the release that wrote it, or a newer one", ErrNewerSchema, version, latest)
	}
	return version == latest, nil
}

// migrations renders the texts for the dialect.
func (d Dialect) migrations() ([]*goose.Migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var migrations []*goose.Migration
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, err
		}
		statements := strings.Split(strings.ReplaceAll(string(text), "{{key}}", d.KeyType), ";\n")
		migrations = append(migrations, goose.NewGoMigration(version, &goose.GoFunc{RunTx: run(statements)}, nil))
	}
	return migrations, nil
}

// run executes statements one by one: PostgreSQL does not prepare several at once.
func run(statements []string) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range statements {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
}
