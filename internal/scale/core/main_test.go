package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestMeasure runs each case small: it is created, and planned again without a change.
func TestMeasure(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := measure(t.Context(), &out, 20, 1, ""); err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| .+ \| [0-9.]+ s \| [0-9.]+ s \|$`).FindAllString(out.String(), -1)
	if want := len(cases(1, "")); len(rows) != want {
		t.Errorf("%d rows, want %d:\n%s", len(rows), want, &out)
	}
}

func TestMeasureTellsWhatTerraformSays(t *testing.T) {
	t.Parallel()
	broken := workload{name: "broken", files: map[string]string{"main.tf": `resource "none" "x" {}`}}
	if _, err := broken.run(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "terraform apply") {
		t.Errorf("a configuration that Terraform refuses: %v", err)
	}
}
