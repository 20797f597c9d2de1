package server

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// TestHistoryIsFoundByAllThatItKeeps: a tag cannot name a constant. What is longer than the history keeps is in no entry,
// and what is shorter must be found.
func TestHistoryIsFoundByAllThatItKeeps(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{
		"Email": idmap.MaxRecordedLength, "UserID": idmap.MaxRecordedLength, "Client": idmap.MaxClientLength,
	} {
		field, _ := reflect.TypeFor[signInsInput]().FieldByName(name)
		if got := field.Tag.Get("maxLength"); got != strconv.Itoa(want) {
			t.Errorf("%s takes %s characters, want %d", name, got, want)
		}
	}
}
