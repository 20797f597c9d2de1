package idmap_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestCheckNames: a tag cannot name constants, so the API's own list is written out there.
func TestCheckNames(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[idmap.SignInCheck]().FieldByName("Name")
	var want []idmap.CheckName
	for name := range strings.SplitSeq(field.Tag.Get("enum"), ",") {
		want = append(want, idmap.CheckName(name))
	}
	if got := idmap.CheckNames(); !slices.Equal(got, want) || len(got) != 8 {
		t.Errorf("the checks are %v, and the API says %v", got, want)
	}
}
