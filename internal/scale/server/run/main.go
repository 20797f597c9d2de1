// Command run measures the server alone: go run ./internal/scale/server/run -program PATH [-mappings N]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/idmap/terraform-provider-idmap/internal/scale/server"
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func main() {
	program := flag.String("program", "", "path of the built program")
	var o server.Options
	flag.IntVar(&o.Mappings, "mappings", 0, "mappings in the database")
	flag.IntVar(&o.Creates, "creates", 0, "creates of each measure")
	flag.Parse()
	o.Postgres, o.Sync = os.Getenv(testenv.PostgresEnv), true
	if _, err := server.Measure(context.Background(), *program, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
