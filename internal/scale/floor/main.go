// Command floor is a provider with the schemas of ours that does nothing: it answers at once, without any I/O, and
// without a look at what is planned. What Terraform takes with it, Terraform takes for itself; the benchmark holds ours
// against that.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
)

func main() {
	// As ours does: the framework's own log of large values would be the better part of the time.
	err := os.Setenv("TF_LOG_SDK_FRAMEWORK", "DEBUG")
	if err == nil {
		err = providerserver.Serve(context.Background(), newFloor, providerserver.ServeOpts{Address: "registry.terraform.io/idmap/idmap"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
