package main

import (
	"os"
	"strings"
)

// frameworkLog is the environment variable of the level at which the plugin framework logs.
const frameworkLog = "TF_LOG_SDK_FRAMEWORK"

// quietFramework keeps the plugin framework from logging a line for each element of each value, which it does whether
// anybody reads it or not, in a time that grows with the square of their number: a map of 10,000 exceptions would take
// seconds for it. Who asks for traces gets them.
func quietFramework() error {
	for _, name := range []string{frameworkLog, "TF_LOG_SDK"} {
		if os.Getenv(name) != "" {
			return nil
		}
	}
	for _, name := range []string{"TF_LOG", "TF_LOG_PROVIDER"} {
		if level := os.Getenv(name); strings.EqualFold(level, "TRACE") || strings.EqualFold(level, "JSON") {
			return nil
		}
	}
	return os.Setenv(frameworkLog, "DEBUG")
}
