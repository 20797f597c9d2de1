// Command floor is a provider with the schemas of ours that does nothing: it answers at once, without any I/O, and
// without a look at what is planned. What Terraform takes with it, Terraform takes for itself; the benchmark holds ours
// against that.
package main

import (
	"fmt"
	"os"

	"github.com/idmap/terraform-provider-idmap/internal/plugin"
)

func main() {
	if err := plugin.Serve(newFloor()); err != nil { // as ours is: what the libraries of a plugin cost is in both, or in none
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}
