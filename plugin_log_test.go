package main

import (
	"os"
	"testing"
)

// TestQuietFramework: what the framework logs by itself is limited, and what somebody asks for is not.
func TestQuietFramework(t *testing.T) {
	for name, test := range map[string]struct {
		environment map[string]string
		want        string
	}{
		"nobody asks":       {nil, "DEBUG"},
		"debug":             {map[string]string{"TF_LOG": "debug"}, "DEBUG"},
		"trace":             {map[string]string{"TF_LOG": "trace"}, ""},
		"trace as JSON":     {map[string]string{"TF_LOG": "JSON"}, ""},
		"of providers":      {map[string]string{"TF_LOG_PROVIDER": "TRACE"}, ""},
		"of the libraries":  {map[string]string{"TF_LOG_SDK": "TRACE"}, ""},
		"of the framework":  {map[string]string{frameworkLog: "TRACE"}, "TRACE"},
		"less, as it is":    {map[string]string{frameworkLog: "ERROR"}, "ERROR"},
		"of something else": {map[string]string{"TF_LOG_CORE": "TRACE"}, "DEBUG"},
	} {
		for _, variable := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_CORE", frameworkLog} {
			t.Setenv(variable, test.environment[variable])
		}
		if err := quietFramework(); err != nil || os.Getenv(frameworkLog) != test.want {
			t.Errorf("%s: %q, want %q (%v)", name, os.Getenv(frameworkLog), test.want, err)
		}
	}
}
