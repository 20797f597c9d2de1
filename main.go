// Command terraform-provider-idmap is a Terraform provider for identity mappings and, with a command, the mapping
// backend that the provider talks to.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/provider"
)

// Set by the linker when a release is built.
var (
	version = "dev"
	commit  = ""
)

const (
	address = "registry.terraform.io/idmap/idmap"
	// cookie is what Terraform sets for its plugins; the plugin library looks at its value.
	cookie = "TF_PLUGIN_MAGIC_COOKIE"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:]))
}

// run chooses between the plugin and the command line, and returns the exit code.
func run(ctx context.Context, args []string) int {
	program := &cli.Program{Version: build(), Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	switch {
	case debugs(args):
		return servePlugin(ctx, true)
	case len(args) > 0:
		return program.Run(ctx, args)
	case os.Getenv(cookie) == "":
		return program.StartedByHand(ctx)
	}
	return servePlugin(ctx, false)
}

// debugs reports whether the arguments are the flag that providers customarily have for debuggers.
func debugs(args []string) bool {
	return len(args) == 1 && (args[0] == "-debug" || args[0] == "--debug" || args[0] == "-debug=true")
}

// servePlugin serves the provider until Terraform is done with it. The provider gets a function that opens the embedded
// backend, since it imports no server.
func servePlugin(ctx context.Context, debug bool) int {
	embedded := cli.NewEmbedded(version, cli.NewLog(os.Stderr, slog.LevelWarn))
	err := quietFramework()
	if !debug {
		go endWithTerraform()
	}
	if err == nil {
		err = providerserver.Serve(ctx, provider.New(version, embedded.Open), providerserver.ServeOpts{Address: address, Debug: debug})
	}
	if closed := embedded.Close(); err == nil {
		err = closed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}

// endWithTerraform ends the process when Terraform, which started it, is gone. Killed, Terraform ends none of its
// providers, and one that waits for its next call would wait for ever.
func endWithTerraform() {
	terraform := os.Getppid()
	for os.Getppid() == terraform {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

func build() string {
	if commit == "" {
		return version
	}
	return fmt.Sprintf("%s (commit %s)", version, commit)
}
