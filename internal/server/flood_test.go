package server_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// times is a list of so many equal items.
func times(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

// TestFloods sends a few MiB of faults: the answer is short, and so is the way to it. It measures, so it runs alone.
func TestFloods(t *testing.T) {
	a, source, destination, id := mapped(t)
	const many = 1 << 20
	empty, whole := times(many, "{}"), strings.TrimSuffix(mapOf(source, destination, "x", `{"id":true}`), "}")
	maps, mappings := "/v1/account_maps", "/v1/user_mappings"
	for _, c := range []struct {
		name, method, path, body, says string
		faults                         int
	}{
		{"validate maps", "POST", maps + "/validate", `{"items":` + empty + `}`, "longer than 20 items", 21},
		{"preview", "POST", maps + "/preview", `{"map":` + whole + `,"exceptions":` + empty + `}}`, "map.exceptions[49].destination is missing", 101},
		{"many exceptions", "POST", maps, whole + `,"exceptions":` + times(250_001, `{"source":{},"destination":{}}`) + `}`, "longer than 250000 items", 1},
		{"items", "POST", maps + "/" + id + "/exceptions", `{"items":` + empty + `}`, "may have more faults", 101},
		{"a patch", "PATCH", maps + "/" + id, `{"exceptions":` + empty + `}`, "may have more faults", 101},
		{"validate mappings", "POST", mappings + "/validate", `{"items":` + empty + `}`, "may have more faults", 101},
		{"apply mappings", "POST", mappings + "/batch", `{"items":` + empty + `}`, "may have more faults", 101},
		{"look up", "POST", mappings + "/lookup", `{"items":` + empty + `}`, "longer than 1000 items", 1},
		{"fields", "POST", maps, flood(many / 8), "may have more faults", 101},
		{"overlooked fields", "POST", "/v1/jobs", flood(many / 8), "more than 1000 fields", 1},
		{"depth", "POST", "/v1/jobs", `{"x":` + strings.Repeat("[", many) + strings.Repeat("]", many) + `}`, "deeper than 100", 1},
		{"a long name", "POST", maps, `{"` + strings.Repeat("x", many) + `":1}`, "no such field", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := a.call(t, c.method, c.path, c.body)
			runtime.ReadMemStats(&after)
			if got.Status != 400 || len(got.rows("errors")) != c.faults || !strings.Contains(string(got.Body), c.says) {
				t.Errorf("answered %d with %d faults, want %d of which one is %q: %.600s", got.Status, len(got.rows("errors")), c.faults, c.says, got.Body)
			}
			if len(got.Body) > 20_000 || len(got.text("detail")) > 1000 {
				t.Errorf("the answer has %d bytes, its detail %d", len(got.Body), len(got.text("detail")))
			}
			if took := (after.TotalAlloc - before.TotalAlloc) / uint64(len(c.body)); took > 250 { // a merge patch is parsed before it is refused; huma.Validate took a thousand times as much
				t.Errorf("%d bytes took %d times as much", len(c.body), took)
			}
		})
	}
}

// flood is an object with so many fields that nobody knows.
func flood(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `,"x%d":1`, i)
	}
	return "{" + text.String()[1:] + "}"
}
