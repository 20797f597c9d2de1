package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// originOfConfiguration returns what tells one configuration from another on the same backend, as far as a provider can
// know: the working directory and the workspace. It is the same in every run of the configuration on this machine. It is
// the same for two configurations as well that each run in a container of its own, in the same folder, such as
// /workspace.
func originOfConfiguration() string {
	directory, err := os.Getwd()
	if err != nil {
		directory = "" // a key that is less its own, no reason to stop
	}
	return directory + "\x00" + workspace()
}

// workspace returns the selected workspace, as Terraform itself finds it.
func workspace() string {
	if name := os.Getenv("TF_WORKSPACE"); name != "" {
		return name
	}
	data := os.Getenv("TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	name, err := os.ReadFile(filepath.Join(data, "environment")) //nolint:gosec // Terraform's own folder, named by the user
	if err != nil {
		return "default"
	}
	return strings.TrimSpace(string(name))
}

// requestKey returns the Idempotency-Key of a create: the same whenever this configuration sends that body. A run
// whose answer was lost is thereby resumed by the next one, which is given the object that it made, instead of being
// refused because of it. Another configuration of the same origin that uses the same token sends the same key, and would
// be given the same object: so a plan that meets the object says so.
func (w *walk) requestKey(kind string, body any) string {
	text, _ := json.Marshal(body) // nouns always marshal
	sum := sha256.Sum256([]byte(w.origin + "\x00" + kind + "\x00" + string(text)))
	return hex.EncodeToString(sum[:])
}

// madeSince reports whether an object was made by the request that it answers, which began then. Where clocks differ it may be
// false of one that was, which costs the caller a second look.
func madeSince(began time.Time, createdOn *time.Time) bool {
	const apart = time.Second
	return createdOn != nil && createdOn.After(began.Add(-apart)) && createdOn.Before(time.Now().Add(apart))
}
