package testenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// openTofuVersion is built where there is no OpenTofu. It is pinned for the same reason as Terraform's.
const openTofuVersion = "1.12.6"

// openTofuModule is where Go finds its source.
const openTofuModule = "github.com/opentofu/opentofu"

// OpenTofu returns the path of an OpenTofu binary: the one that [OpenTofuEnv] names, else the one on PATH, else one of a
// fixed version that it builds into the user's cache directory, which takes some minutes, and finds there the next time.
// The source comes as a Go module, whose checksum Go verifies.
func OpenTofu(ctx context.Context) (string, error) {
	if path := os.Getenv(OpenTofuEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s does not name an OpenTofu binary: %w", OpenTofuEnv, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("tofu"); err == nil {
		return filepath.Abs(path)
	}
	path, err := cached(ctx, "opentofu-"+openTofuVersion, "tofu", buildOpenTofu)
	if err != nil {
		return "", fmt.Errorf("no OpenTofu on PATH, and it could not be built "+
			"(install OpenTofu %s or later, or set %s to its path): %w", openTofuVersion, OpenTofuEnv, err)
	}
	return path, nil
}

// buildOpenTofu builds the binary into folder. It builds in the folder where Go keeps the module: go install refuses a
// module with replace directives, which OpenTofu's has.
func buildOpenTofu(ctx context.Context, folder string) (string, error) {
	fmt.Fprintf(os.Stderr, "testenv: no OpenTofu on PATH, building version %s, which takes some minutes\n", openTofuVersion)
	said, err := runGo(ctx, folder, "mod", "download", "-json", openTofuModule+"@v"+openTofuVersion)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(said, &module); err != nil {
		return "", err
	}
	path := filepath.Join(folder, "tofu")
	_, err = runGo(ctx, module.Dir, "build", "-ldflags", "-s -w -X "+openTofuModule+"/version.dev=no", "-o", path, "./cmd/tofu")
	return path, err
}

// runGo runs go in a folder, away from our own module, and returns its output.
func runGo(ctx context.Context, folder string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = folder, &stderr
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s%s", args[0], err, out, &stderr)
	}
	return out, nil
}
