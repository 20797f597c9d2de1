// Package storetest is the conformance suite of store.Store. Every MUST of the port has a test here with its words in
// its name, so an engine that passes is one that the rest of the product can trust.
package storetest

import (
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// Run runs the suite. Open returns an empty store, a new one for each call, and closes it when the test ends. Excused
// are the tests, by name, that the engine need not pass, each with the reason.
func Run(t *testing.T, open func(t *testing.T) store.Store, excused map[string]string) {
	known := map[string]bool{}
	for _, topic := range []struct {
		name  string
		tests map[string]func(world)
	}{
		{"connections", connectionTests},
		{"directory", directoryTests},
		{"directory versions", directoryVersionTests},
		{"user mappings", userMappingTests},
		{"uniqueness", uniquenessTests},
		{"sign-ins", signInTests},
		{"sessions", sessionTests},
		{"session usage", sessionUsageTests},
		{"ledger", ledgerTests},
		{"ledger model", ledgerModelTests},
		{"audit", auditTests},
		{"tokens", tokenTests},
		{"idempotency keys", idempotencyTests},
		{"maps", mapTests},
		{"map items", mapItemTests},
		{"map revisions", mapRevisionTests},
		{"jobs", jobTests},
		{"identifiers", identifierTests},
		{"filters", filterTests},
		{"paging", pagingTests},
		{"transactions", transactionTests},
		{"concurrency", concurrencyTests},
		{"concurrency of maps", mapConcurrencyTests},
		{"concurrency of sign-ins", signInConcurrencyTests},
	} {
		t.Run(topic.name, func(t *testing.T) {
			for name, test := range topic.tests {
				known[name] = true
				if reason := excused[name]; reason != "" {
					t.Logf("excused: %s, since %s", name, reason)
					continue
				}
				t.Run(name, func(t *testing.T) { test(newWorld(t, open(t))) })
			}
		})
	}
	for name, reason := range excused {
		if !known[name] || reason == "" {
			t.Errorf("%q is excused, and is no test, or there is no reason", name)
		}
	}
}

// Reopen runs the tests of what outlives a store. Open opens the same database each time, empty at first; the tests
// close it.
func Reopen(t *testing.T, open func(t *testing.T) store.Store) {
	first := newWorld(t, open(t))
	first.fill()
	want := first.everything()
	if err := first.s.Close(); err != nil {
		t.Fatal(err)
	}
	second := newWorld(t, open(t))
	defer func() { _ = second.s.Close() }()
	equal(t, "the database after it was opened again", second.everything(), want)
	second.checkFilled()
}
