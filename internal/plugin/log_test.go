package plugin

import (
	"cmp"
	"os"
	"testing"
)

// TestLogAsTerraform: nothing is written that Terraform would not show, and everything that somebody asks for.
func TestLogAsTerraform(t *testing.T) {
	for name, test := range map[string]struct {
		environment         map[string]string
		libraries, provider string
		framework           string // where it is not the libraries'
	}{
		"nobody asks":       {nil, "OFF", "OFF", ""},
		"debug":             {map[string]string{"TF_LOG": "debug"}, "DEBUG", "DEBUG", ""},
		"trace":             {map[string]string{"TF_LOG": "trace"}, "TRACE", "TRACE", ""},
		"trace as JSON":     {map[string]string{"TF_LOG": "JSON"}, "TRACE", "TRACE", ""},
		"nonsense":          {map[string]string{"TF_LOG": "1"}, "TRACE", "TRACE", ""},
		"of providers":      {map[string]string{"TF_LOG_PROVIDER": "INFO", "TF_LOG": "TRACE"}, "INFO", "INFO", ""},
		"of the libraries":  {map[string]string{libraryLog: "TRACE"}, "TRACE", "OFF", ""},
		"of the framework":  {map[string]string{frameworkLog: "TRACE"}, "OFF", "OFF", "TRACE"},
		"of this provider":  {map[string]string{providerLog: "WARN", "TF_LOG": "ERROR"}, "ERROR", "WARN", ""},
		"of something else": {map[string]string{"TF_LOG_CORE": "TRACE"}, "OFF", "OFF", ""},
	} {
		for _, variable := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_CORE", libraryLog, frameworkLog, protocolLog, providerLog} {
			t.Setenv(variable, test.environment[variable])
		}
		if err := logAsTerraform(); err != nil {
			t.Fatal(err)
		}
		for variable, want := range map[string]string{
			libraryLog: test.libraries, protocolLog: test.libraries, frameworkLog: cmp.Or(test.framework, test.libraries), providerLog: test.provider,
		} {
			if got := os.Getenv(variable); got != want {
				t.Errorf("%s: %s is %q, want %q", name, variable, got, want)
			}
		}
	}
}
