package server

import (
	"net/http"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/backend"
)

// NewBounded returns a server that takes less than others. It changes what all servers are made with for as long as that
// takes, so only a test that runs alone calls it.
func NewBounded(b *backend.Backend, working, workingOfOne, waiting, waitingOfOne int, patience time.Duration) http.Handler {
	defer func(usual bounds) { serverBounds = usual }(serverBounds)
	serverBounds = bounds{working: working, workingOfOne: workingOfOne, waiting: waiting, waitingOfOne: waitingOfOne, patience: patience}
	return New(b, Options{})
}
