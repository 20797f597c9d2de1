package testenv

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// programFolders are where packages of PostgreSQL put its programs, most of
// which are not on PATH: Debian's, the PostgreSQL project's for Red Hat's family,
// Alpine's, and Homebrew's on both kinds of Mac.
var programFolders = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/libexec/postgresql*",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// ensurePostgres returns the folder of the newest PostgreSQL's programs, and
// installs PostgreSQL first if there is none.
func ensurePostgres(ctx context.Context) (string, error) {
	if folder, ok := findPostgres(programFolders); ok {
		return folder, nil
	}
	if err := installPostgres(ctx); err != nil {
		return "", fmt.Errorf("no PostgreSQL found, and it could not be installed "+
			"(install the PostgreSQL server's package, or set %s to a server's URL): %w", PostgresEnv, err)
	}
	folder, ok := findPostgres(programFolders)
	if !ok {
		return "", fmt.Errorf("PostgreSQL was installed, but its initdb was not found (put it on PATH, or set %s to a server's URL)", PostgresEnv)
	}
	return folder, nil
}

// findPostgres returns the folder of the newest PostgreSQL among those that match
// patterns, else the one on PATH.
func findPostgres(patterns []string) (string, bool) {
	var found []string
	for _, pattern := range patterns {
		folders, _ := filepath.Glob(pattern)
		found = append(found, folders...)
	}
	found = slices.DeleteFunc(found, lacksPrograms)
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(versionIn(a), versionIn(b)) }), true
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", false
	}
	folder := filepath.Dir(initdb)
	return folder, !lacksPrograms(folder)
}

// lacksPrograms reports whether folder is without one of the programs that we run.
func lacksPrograms(folder string) bool {
	return slices.ContainsFunc([]string{"initdb", "postgres", "pg_isready"}, func(name string) bool {
		_, err := os.Stat(filepath.Join(folder, name))
		return err != nil
	})
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)?`)

// versionIn returns the version that a path of programFolders names, 0 if none.
func versionIn(folder string) float64 {
	version, _ := strconv.ParseFloat(versionNumber.FindString(folder), 64)
	return version
}
