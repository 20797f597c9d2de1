package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// A story is what a demo tells, with an example of ours.
type story struct {
	title   string
	example string // folder in examples
	steps   func(*demo) []step
}

// A step checks what it says.
type step = func(context.Context) error

// A demo is one show: a folder with everything in it, and the server.
type demo struct {
	story     story
	screen    *screen
	folder    string
	company   company
	terraform terraform
	server    *server
	binary    string  // of the product
	job       string  // id of the transfer job, once there is one
	addIn     *server // as the add-in sees it, whose token signs users in
	session   string  // id of the session that began last
}

// tell tells the story, step by step, up to the first thing that is not as said.
func (d *demo) tell(ctx context.Context) error {
	d.screen.title(d.story.title, "Everything happens in a folder of its own and on 127.0.0.1, and is gone afterwards.")
	for _, step := range append([]step{d.setUp}, d.story.steps(d)...) {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close stops what runs and removes the folder, however far the demo came.
func (d *demo) close() error {
	var failures []error
	if d.server != nil {
		failures = append(failures, d.server.stop())
		d.server = nil
	}
	if d.folder != "" {
		failures = append(failures, os.RemoveAll(d.folder))
		d.folder = ""
	}
	return errors.Join(failures...)
}

// setUp makes what a user has after an installation: the binary, Terraform, a server
// and a configuration.
func (d *demo) setUp(ctx context.Context) error {
	d.screen.step("Build and start", "One binary is both the provider and the server. The first build on a machine takes a minute or two.")
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if d.folder, err = os.MkdirTemp("", "idmap-demo-"); err != nil {
		return err
	}
	if d.binary, err = d.build(ctx, root); err != nil {
		return err
	}
	d.screen.command("terraform-provider-idmap serve --database contoso.db")
	if d.server, err = startServer(ctx, d.binary, filepath.Join(d.folder, "contoso.db")); err != nil {
		return err
	}
	d.screen.ok("the server listens on %s", strings.TrimPrefix(d.server.endpoint, "http://"))
	if d.company, err = copyCompany(filepath.Join(root, "examples", d.story.example), filepath.Join(d.folder, "contoso")); err != nil {
		return err
	}
	return d.setUpTerraform(ctx, filepath.Dir(d.binary))
}

// moduleRoot returns the folder of our go.mod.
func moduleRoot(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking Go for the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(file))), nil
}

func (d *demo) build(ctx context.Context, root string) (binary string, err error) {
	binary = filepath.Join(d.folder, "bin", "terraform-provider-idmap")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	d.screen.command("go build")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, ".")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the binary cannot be built: %w\n%s", err, said)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return "", err
	}
	d.screen.ok("terraform-provider-idmap, %d MB, nothing to install beside it", info.Size()>>20)
	return binary, nil
}

// setUpTerraform points Terraform at the binary, as developers of a provider do: no
// registry is asked and `terraform init` is not needed.
func (d *demo) setUpTerraform(ctx context.Context, plugins string) error {
	path, err := testenv.Terraform(ctx)
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"idmap/idmap\" = %q\n  }\n  direct {}\n}\n", filepath.ToSlash(plugins))
	settingsFile := filepath.Join(d.folder, "terraform.tfrc")
	if err := os.WriteFile(settingsFile, []byte(settings), 0o644); err != nil {
		return err
	}
	d.terraform = terraform{path: path, folder: d.company.folder, env: cleanEnvironment(
		"TF_CLI_CONFIG_FILE="+settingsFile, "CHECKPOINT_DISABLE=1", "TF_INPUT=0",
		"TF_VAR_embedded_database=", "IDMAP_ENDPOINT="+d.server.endpoint, "IDMAP_TOKEN="+d.server.token,
	)}
	version, err := d.terraform.run(ctx, "version")
	if err != nil || version.exit != 0 {
		return errors.Join(err, version.otherwise("Terraform at %s does not run", path))
	}
	d.screen.ok("%s is configured to use both", lineWith(version.output, "Terraform v"))
	return nil
}

// destroy removes all that Terraform has made, and checks that the server's lists are empty then.
func (d *demo) destroy(ctx context.Context, resources int, lists ...string) error {
	d.screen.command("terraform destroy")
	o, err := d.terraform.run(ctx, "destroy", "-auto-approve")
	summary := fmt.Sprintf("Destroy complete! Resources: %d destroyed.", resources)
	if err == nil && (o.exit != 0 || lineWith(o.output, summary) == "") {
		err = o.otherwise("the destroy should end with %q", summary)
	}
	if err != nil {
		return err
	}
	d.screen.quote(lineWith(o.output, "Destroy complete!"))
	return d.nothingLeft(ctx, lists)
}

// nothingLeft checks that nothing is left on the server, and ends it.
func (d *demo) nothingLeft(ctx context.Context, lists []string) error {
	for _, list := range lists {
		total, err := d.server.total(ctx, list)
		if err != nil {
			return err
		}
		if total != 0 {
			return fmt.Errorf("the server should have no %s any more, and has %d", list, total)
		}
	}
	d.screen.ok("the server has no %s any more", strings.ReplaceAll(strings.Join(lists, ", no "), "_", " "))
	folder := d.folder
	if err := d.close(); err != nil {
		return err
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the folder %s should be gone", folder)
	}
	d.screen.ok("the server has stopped cleanly, and the folder is gone")
	return nil
}
