package plugin

import (
	"os"
	"testing"
)

// TestLogAsTerraform: nothing is written that Terraform would not show, and everything that somebody asks for.
func TestLogAsTerraform(t *testing.T) {
	for name, test := range map[string]struct {
		environment       map[string]string
		library, provider string
	}{
		"nobody asks":       {nil, "OFF", "OFF"},
		"debug":             {map[string]string{"TF_LOG": "debug"}, "DEBUG", "DEBUG"},
		"trace":             {map[string]string{"TF_LOG": "trace"}, "TRACE", "TRACE"},
		"trace as JSON":     {map[string]string{"TF_LOG": "JSON"}, "TRACE", "TRACE"},
		"nonsense":          {map[string]string{"TF_LOG": "1"}, "TRACE", "TRACE"},
		"of providers":      {map[string]string{"TF_LOG_PROVIDER": "INFO", "TF_LOG": "TRACE"}, "INFO", "INFO"},
		"of the libraries":  {map[string]string{libraryLog: "TRACE"}, "TRACE", "OFF"},
		"of this provider":  {map[string]string{providerLog: "WARN", "TF_LOG": "ERROR"}, "ERROR", "WARN"},
		"of something else": {map[string]string{"TF_LOG_CORE": "TRACE"}, "OFF", "OFF"},
	} {
		for _, variable := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_CORE", libraryLog, providerLog} {
			t.Setenv(variable, test.environment[variable])
		}
		if err := logAsTerraform(); err != nil || os.Getenv(libraryLog) != test.library || os.Getenv(providerLog) != test.provider {
			t.Errorf("%s: %q and %q, want %q and %q (%v)", name, os.Getenv(libraryLog), os.Getenv(providerLog), test.library, test.provider, err)
		}
	}
}
