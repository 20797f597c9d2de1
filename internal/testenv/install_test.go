//go:build unix

package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstallPostgresUsesThePackageManager(t *testing.T) {
	t.Setenv("PATH", pathWith(t, "brew", `echo "$0 $*" >"$(dirname "$0")/called"`))
	if err := installPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	called, err := os.ReadFile(filepath.Join(os.Getenv("PATH"), "called"))
	if err != nil || !strings.Contains(string(called), "brew install postgresql") {
		t.Errorf("the package manager was called as %q (%v)", called, err)
	}
}

func TestInstallPostgresSaysWhyItCannot(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := installPostgres(t.Context()); err == nil || !strings.Contains(err.Error(), "package managers") {
		t.Errorf("without any package manager: %v", err)
	}
}

// pathWith returns a folder that holds, beside a shell's own needs, one program.
func pathWith(t *testing.T, name, script string) string {
	t.Helper()
	folder := t.TempDir()
	for _, program := range []string{"sh", "dirname"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(folder, program)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}
