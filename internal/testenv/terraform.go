package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// terraformVersion is installed where there is no Terraform. It is pinned, so
// that a new release cannot change the outcome of an old commit's tests.
const terraformVersion = "1.11.4"

// Terraform returns the path of a Terraform binary: the one that [TerraformEnv]
// names, else the one on PATH, else one of a fixed version that it installs into
// the user's cache directory and finds there the next time. The download's
// checksum and signature are verified.
func Terraform(ctx context.Context) (string, error) {
	if path := os.Getenv(TerraformEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s does not name a Terraform binary: %w", TerraformEnv, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("terraform"); err == nil {
		return filepath.Abs(path)
	}
	path, err := cached(ctx, "terraform-"+terraformVersion, product.Terraform.BinaryName(), downloadTerraform)
	if err != nil {
		return "", fmt.Errorf("no Terraform on PATH, and it could not be installed "+
			"(install Terraform %s or later, or set %s to its path): %w", terraformVersion, TerraformEnv, err)
	}
	return path, nil
}

// downloadTerraform installs Terraform in folder.
func downloadTerraform(ctx context.Context, folder string) (string, error) {
	fmt.Fprintf(os.Stderr, "testenv: no Terraform on PATH, installing version %s\n", terraformVersion)
	return (&releases.ExactVersion{
		Product:    product.Terraform,
		Version:    version.Must(version.NewVersion(terraformVersion)),
		InstallDir: folder,
	}).Install(ctx)
}

// cached returns a program that is kept under a name in the user's cache
// directory, after installing it there if it is missing. It is installed beside
// its place and then moved there, so that of two at once neither finds half a
// binary.
func cached(ctx context.Context, name, program string, install func(ctx context.Context, folder string) (string, error)) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "terraform-provider-idmap", name, program)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(filepath.Dir(path), "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	installed, err := install(ctx, folder)
	if err != nil {
		return "", err
	}
	return path, os.Rename(installed, path)
}
