package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// place says where in a request a field of its nth item stands, and what its sentence begins with, if need be. nil: where
// the backend says, at items[n].
type place func(n int, field string) (at, begin string)

// of moves a finding about an item, such as items[3].source, to its place. Others stay.
func (p place) of(v idmap.Violation) idmap.Violation {
	item, field, _ := strings.Cut(v.Field, ".")
	number, isItem := strings.CutPrefix(item, "items[")
	n, err := strconv.Atoi(strings.TrimSuffix(number, "]"))
	if p == nil || !isItem || err != nil {
		return v
	}
	at, begin := p(n, field)
	v.Field, v.Description = at, begin+v.Description
	return v
}

func (p place) findings(found []idmap.Violation) []idmap.Violation { return each(found, p.of) }

// refusal is err with its findings at their places.
func (p place) refusal(err error) error {
	e, ok := errors.AsType[*idmap.Error](err)
	if !ok {
		return err
	}
	moved := *e
	moved.Violations = p.findings(e.Violations)
	return &moved
}

// listedAs is the place of items that the request lists under another name.
func listedAs(name string) place {
	return func(n int, field string) (string, string) {
		return strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", name, n, field), "."), ""
	}
}
