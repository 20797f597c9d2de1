package plugin

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// The environment variables of the levels at which the libraries of a plugin log, the parts of them, and its provider.
const (
	libraryLog   = "TF_LOG_SDK"
	frameworkLog = "TF_LOG_SDK_FRAMEWORK"
	protocolLog  = "TF_LOG_SDK_PROTO"
	providerLog  = "TF_LOG_PROVIDER_IDMAP"
)

// logAsTerraform makes the log end where Terraform's does. The libraries write everything, a line for each element of each
// value, and Terraform reads all of it, only to drop what nobody asked for. With thousands of resources that is an eighth
// of the provider's time; with one map of 10,000 exceptions, seconds. Who sets the variables of a plugin's log gets what
// they say.
//
// The level of a part is set, too, though the libraries' bounds it: only by its own does a part know that a line is dropped
// before it makes it, and the framework (v1.19) makes one in a time that grows with the elements so far.
func logAsTerraform() error {
	level := terraformLevel()
	libraries := cmp.Or(os.Getenv(libraryLog), level)
	for name, level := range map[string]string{libraryLog: libraries, frameworkLog: libraries, protocolLog: libraries, providerLog: level} {
		if os.Getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, level); err != nil {
			return err
		}
	}
	return nil
}

// terraformLevel is the least level that Terraform shows of its providers' logs.
func terraformLevel() string {
	level := os.Getenv("TF_LOG_PROVIDER")
	if level == "" {
		level = os.Getenv("TF_LOG")
	}
	level = strings.ToUpper(level)
	switch {
	case level == "":
		return "OFF"
	case slices.Contains([]string{"DEBUG", "INFO", "WARN", "ERROR", "OFF"}, level):
		return level
	}
	return "TRACE" // which Terraform takes JSON for, and what it does not know
}
