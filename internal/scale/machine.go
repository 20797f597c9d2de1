package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
)

var modelLine = regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`)

// thisMachine says what is measured on.
func thisMachine(ctx context.Context) (machine, error) {
	m := machine{Processor: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	info, _ := os.ReadFile("/proc/cpuinfo") // Linux alone has it
	if found := modelLine.FindSubmatch(info); found != nil {
		m.Processor = string(found[1])
	}
	text, err := exec.CommandContext(ctx, "terraform", "version", "-json").Output()
	if err != nil {
		return m, fmt.Errorf("asking Terraform for its version: %w", err)
	}
	var version struct {
		Version string `json:"terraform_version"`
	}
	err = json.Unmarshal(text, &version)
	m.Terraform = version.Version
	return m, err
}
