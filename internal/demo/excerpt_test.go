package main

import (
	"slices"
	"strings"
	"testing"
)

// said is what Terraform says, with its colours, warning and all.
const said = "\x1b[33m╷\x1b[0m\n" +
	"\x1b[33m│\x1b[0m \x1b[1m\x1b[33mWarning: \x1b[0mProvider development overrides are in effect\n" +
	"\x1b[33m│\x1b[0m \n" +
	"\x1b[33m╵\x1b[0m\n" +
	"idmap_connection.mail: Refreshing state... [id=1]\n" +
	"  # idmap_user_mapping.sales[\"a\"] will be updated in-place\n" +
	"  ~ resource \"idmap_user_mapping\" \"sales\" {\n" +
	"      \x1b[33m~\x1b[0m email = \"a@contoso.com\" -> \"b@contoso.com\"\n" +
	"        # (2 unchanged attributes hidden)\n" +
	"    }\n" +
	"\n" +
	"  # idmap_user_mapping.sales[\"ab\"] will be created\n" +
	"  + resource \"idmap_user_mapping\" \"sales\" {\n" +
	"    }\n" +
	"\x1b[1mPlan:\x1b[0m 1 to add, 1 to change, 0 to destroy.\n" +
	"\x1b[31m╷\x1b[0m\n" +
	"\x1b[31m│\x1b[0m \x1b[1m\x1b[31mError: \x1b[0mEmail Previously\n" +
	"\x1b[31m│\x1b[0m Assigned\n" +
	"\x1b[31m│\x1b[0m \n" +
	"\x1b[31m│\x1b[0m   with idmap_user_mapping.sales[\"a\"],\n" +
	"\x1b[31m│\x1b[0m \n" +
	"\x1b[31m│\x1b[0m Email \"a@contoso.com\" belongs to the user \"Priya\n" +
	"\x1b[31m│\x1b[0m Raman\".\n" +
	"\x1b[31m╵\x1b[0m\n" +
	"╷\n│ Error: Claimed Twice\n╵\n"

func TestErrorBoxes(t *testing.T) {
	boxes := errorBoxes(said)
	if len(boxes) != 2 {
		t.Fatalf("got %d boxes, want the two errors: %q", len(boxes), boxes)
	}
	if !strings.HasPrefix(boxes[0], "\x1b[31m╷") || !strings.HasSuffix(boxes[0], "╵\x1b[0m") {
		t.Errorf("the box is not as it was: %q", boxes[0])
	}
	if got, want := plain(boxes[1]), "╷\n│ Error: Claimed Twice\n╵"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := errorBoxes("╷\n│ Error: cut o"); len(got) != 0 {
		t.Errorf("a box that does not end gives %q", got)
	}
}

func TestSentenceAndSummaryOfABox(t *testing.T) {
	box := errorBoxes(said)[0]
	if got, want := sentence(box), `Error: Email Previously Assigned with idmap_user_mapping.sales["a"], Email "a@contoso.com" belongs to the user "Priya Raman".`; got != want {
		t.Errorf("sentence:\n got %s\nwant %s", got, want)
	}
	if got, want := summaryOf(box), "Email Previously Assigned"; got != want {
		t.Errorf("summary: got %q, want %q", got, want)
	}
}

func TestPlanned(t *testing.T) {
	block := plain(planned(said, mapping("a")))
	if !strings.HasPrefix(block, "  # idmap_user_mapping.sales[\"a\"] will be updated") || !strings.HasSuffix(block, "\n    }\n") || strings.Contains(block, `["ab"]`) {
		t.Errorf("got %q", block)
	}
	if got := planned(said, mapping("b")); got != "" {
		t.Errorf("of a resource that is not in the plan it gives %q", got)
	}
}

func TestLinesWith(t *testing.T) {
	found, more := linesWith(said, "idmap_user_mapping.sales[", 2)
	if len(found) != 2 || more != 1 {
		t.Errorf("got %q and %d more", found, more)
	}
	if got, want := plain(lineWith(said, "Plan: 1 to add")), "Plan: 1 to add, 1 to change, 0 to destroy."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := lineWith(said, "nowhere"); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestElide(t *testing.T) {
	const line = "äbcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct {
		at, columns int
		want        string
	}{
		{0, 26, line},
		{0, 10, "äbcdefgh…"},
		{12, 10, "…ijklmnop…"},
		{25, 10, "…stuvwxyz"},
	} {
		if got := elide(line, c.at, c.columns); got != c.want {
			t.Errorf("%d columns around %d: got %q, want %q", c.columns, c.at, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	got := wrap("who is  who, über\nall", 8)
	if want := []string{"who is", "who,", "über all"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
