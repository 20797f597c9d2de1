package directory

import (
	"regexp"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxAddresses is the most addresses of one row. It is that of internal/rules, so that reading a file finds what storing
// it would refuse.
const maxAddresses = 1000

var (
	scheme        = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):`)
	x400Attribute = regexp.MustCompile(`^[A-Za-z0-9:. -]+=`)
)

// checkAddresses returns the mail addresses among the proxy addresses of a row, as typed. Those of another scheme than
// SMTP: are no mail addresses and are dropped: mail directories list them in the same attribute. What has no scheme and
// is no address is a fault.
func checkAddresses(field string, addresses []string, at *place) []string {
	var kept []string
	inX400 := false
	for _, address := range addresses {
		// An X.400 address has semicolons of its own, so a CSV file gives it in pieces, such as "P=Contoso".
		if inX400 && x400Attribute.MatchString(address) && !strings.Contains(address, "@") {
			continue
		}
		name := schemeOf(address)
		inX400 = name == "x400"
		if name != "" && name != "smtp" {
			continue
		}
		if _, err := idmap.CanonicalEmail(address); err != nil {
			at.add(field, "The address %s in %s is no address: %s. Write an address such as alice@example.com, or remove it.", quote(address), field, err)
			continue
		}
		kept = append(kept, address)
	}
	if len(kept) > maxAddresses {
		at.add(field, "There are %d addresses in %s, at most %d are allowed. Remove some.", len(kept), field, maxAddresses)
	}
	return kept
}

func schemeOf(address string) string {
	if m := scheme.FindStringSubmatch(address); m != nil {
		return strings.ToLower(m[1])
	}
	return ""
}
