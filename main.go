// Command terraform-provider-idmap is a Terraform provider for identity mappings and, with a command, the mapping
// backend that the provider talks to.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	tfprovider "github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/idmap/terraform-provider-idmap/internal/cli"
	"github.com/idmap/terraform-provider-idmap/internal/plugin"
	"github.com/idmap/terraform-provider-idmap/internal/provider"
)

// Set by the linker when a release is built.
var (
	version = "dev"
	commit  = ""
)

// cookie is what Terraform sets for its plugins; the plugin library looks at its value.
const cookie = "TF_PLUGIN_MAGIC_COOKIE"

func main() {
	os.Exit(run(context.Background(), os.Args[1:]))
}

// run chooses between the plugin and the command line, and returns the exit code.
func run(ctx context.Context, args []string) int {
	program := &cli.Program{Version: build(), Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	switch {
	case debugs(args):
		return servePlugin(plugin.ServeDebugged)
	case len(args) > 0:
		return program.Run(ctx, args)
	case os.Getenv(cookie) == "":
		return program.StartedByHand(ctx)
	}
	return servePlugin(plugin.Serve)
}

// debugs reports whether the arguments are the flag that providers customarily have for debuggers.
func debugs(args []string) bool {
	return len(args) == 1 && (args[0] == "-debug" || args[0] == "--debug" || args[0] == "-debug=true")
}

// servePlugin serves the provider until Terraform is done with it. The provider gets a function that opens the embedded
// backend, since it imports no server.
func servePlugin(serve func(tfprovider.Provider) error) int {
	embedded := cli.NewEmbedded(version, cli.NewLog(os.Stderr, slog.LevelWarn))
	err := serve(provider.New(version, embedded.Open)())
	if closed := embedded.Close(); err == nil {
		err = closed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		return 1
	}
	return 0
}

func build() string {
	if commit == "" {
		return version
	}
	return fmt.Sprintf("%s (commit %s)", version, commit)
}
