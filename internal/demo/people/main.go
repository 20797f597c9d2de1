// Command people writes the directories of examples/migration: a file server and the cloud that its files move to, with
// the trouble that two systems of one company really have. The same files come out of every run.
//
//	go run ./internal/demo/people FOLDER
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: people FOLDER")
		os.Exit(2)
	}
	if err := newCompany().write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "people:", err)
		os.Exit(1)
	}
}
