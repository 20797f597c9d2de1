//go:build unix

package testenv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenTofuIsTheOneThatIsNamed(t *testing.T) {
	named := filepath.Join(t.TempDir(), "tofu")
	t.Setenv(OpenTofuEnv, named)
	if path, err := OpenTofu(t.Context()); err == nil {
		t.Errorf("a file that is not there is %s", path)
	}
	if err := os.WriteFile(named, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if path, err := OpenTofu(t.Context()); path != named || err != nil {
		t.Errorf("%s, %v", path, err)
	}
}

func TestOpenTofuIsTheOneOnPath(t *testing.T) {
	t.Setenv(OpenTofuEnv, "")
	t.Setenv("PATH", pathWith(t, "tofu", ""))
	if path, err := OpenTofu(t.Context()); path != filepath.Join(os.Getenv("PATH"), "tofu") || err != nil {
		t.Errorf("%s, %v", path, err)
	}
}

// TestOpenTofuIsBuilt has a go that builds nothing, and says how it was called: the real one takes minutes.
func TestOpenTofuIsBuilt(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(OpenTofuEnv, "")
	t.Setenv("HOME", cache)
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("PATH", pathWith(t, "go", `
cd "$(dirname "$0")"
echo "$*" >>called
case $1 in
mod) echo '{"Dir": "'"$PWD"'"}' ;;
build) while [ "$1" != -o ]; do shift; done; echo built >"$2" ;;
esac`))
	for range 2 {
		path, err := OpenTofu(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if built, err := os.ReadFile(path); string(built) != "built\n" || err != nil || !strings.HasPrefix(path, cache) {
			t.Errorf("%s has %q, %v", path, built, err)
		}
	}
	called, err := os.ReadFile(filepath.Join(os.Getenv("PATH"), "called"))
	if err != nil || strings.Count(string(called), "\n") != 2 || !strings.HasPrefix(string(called), "mod download -json "+openTofuModule+"@v"+openTofuVersion+"\n") {
		t.Errorf("go was called with\n%s%v", called, err)
	}
}

func TestOpenTofuSaysWhyItCannotBeBuilt(t *testing.T) {
	cache := t.TempDir()
	t.Setenv(OpenTofuEnv, "")
	t.Setenv("HOME", cache)
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("PATH", pathWith(t, "go", "echo no network >&2; exit 1"))
	if path, err := OpenTofu(t.Context()); err == nil || !strings.Contains(err.Error(), "no network") || !strings.Contains(err.Error(), OpenTofuEnv) {
		t.Errorf("%s, %v", path, err)
	}
}
