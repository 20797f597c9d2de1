package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func mappingOf(userID string) idmap.UserMapping {
	m := idmap.UserMapping{ID: "of " + userID, Email: "jane@contoso.com", UserID: userID}
	m.Source.Connection.ID, m.Destination.Connection.ID = "contoso", "sales"
	return m
}

func TestAdoptedNames(t *testing.T) {
	t.Parallel()
	for userID, want := range map[string]string{
		"jane.doe":              "jane_doe",
		"JANE.DOE":              "jane_doe",
		" jane--doe ":           "jane_doe",
		"jane.doe@contoso.com":  "jane_doe_contoso_com",
		"e\u0301milie":          "émilie",
		"Straße":                "strasse",
		"иван":                  "иван",
		"田中":                    "田中",
		"007":                   "user_007",
		"\u0301a":               "user_\u0301a",
		"😀":                     "user",
		"__":                    "user",
		"for_each":              "for_each",
		`"}${file("x")}`:        "file_x",
		strings.Repeat("x", 99): strings.Repeat("x", 99),
	} {
		found := nameAdopted([]idmap.UserMapping{mappingOf(userID)})[0].name
		slug, digest := found[:max(0, len(found)-shortDigest-1)], found[max(0, len(found)-shortDigest):]
		if slug != want || strings.Trim(digest, "0123456789abcdef") != "" {
			t.Errorf("the name of %q is %q, want %q and %d hex digits", userID, found, want, shortDigest)
		}
	}
}

func TestAdoptedNamesSayWhichMapping(t *testing.T) {
	t.Parallel()
	first := mappingOf("jane.doe")
	other := map[string]idmap.UserMapping{"user": mappingOf("jane_doe"), "source": first, "destination": first}
	for part, m := range other {
		switch part {
		case "source":
			m.Source.Connection.ID = "fabrikam"
		case "destination":
			m.Destination.Connection.ID = "service"
		}
		if adoptedName(m, shortDigest) == adoptedName(first, shortDigest) {
			t.Errorf("a mapping of another %s has the same name", part)
		}
	}
	same := first
	same.ID, same.Email, same.UserID, same.EmailSource = "another", "j@contoso.com", "Jane.Doe", idmap.EmailFromUsername
	if adoptedName(same, shortDigest) != adoptedName(first, shortDigest) {
		t.Error("the name is made of what may change")
	}
}

// Whatever the user id, the text is configuration, and says what is stored. Of Unicode's forms HCL keeps the composed one,
// which is the same user id.
func TestAdoptedBlocksAreReadBack(t *testing.T) {
	t.Parallel()
	read := func(t interface{ Fatalf(string, ...any) }, userID string) {
		a := nameAdopted([]idmap.UserMapping{mappingOf(userID)})[0]
		file, diags := hclsyntax.ParseConfig(a.blocks(nil), "adopted.tf", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%q: %s\n%s", userID, diags, a.blocks(nil))
		}
		blocks := file.Body.(*hclsyntax.Body).Blocks //nolint:forcetypeassert // what the parser makes
		value, diags := blocks[1].Body.Attributes["user_id"].Expr.Value(nil)
		if diags.HasErrors() || idmap.Fold(value.AsString()) != idmap.Fold(userID) {
			t.Fatalf("%q is read back as %q: %s\n%s", userID, value.AsString(), diags, a.blocks(nil))
		}
		if blocks[1].Labels[1] != a.name || !hclsyntax.ValidIdentifier(a.name) {
			t.Fatalf("%q has the name %q, read back as %q", userID, a.name, blocks[1].Labels[1])
		}
	}
	for _, userID := range []string{`a"b`, "${x}", "$${x}", "$$${x}", "%{ if x }", "%%{x", `\`, `\n`, "a\nb", "a\u2028b", "$", "${"} {
		read(t, userID)
	}
	rapid.Check(t, func(t *rapid.T) { read(t, rapid.String().Draw(t, "user id")) })
}

// The names of mappings that would have one name are told apart, and those of all others stay.
func TestAdoptedNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for n := 0; ; n++ {
		userID := "a" + separators(n) + "b"
		name := adoptedName(mappingOf(userID), shortDigest)
		other, twice := seen[name]
		if seen[name] = userID; !twice {
			continue
		}
		named := nameAdopted([]idmap.UserMapping{mappingOf(other), mappingOf("jane"), mappingOf(userID)})
		names := []string{named[0].name, named[1].name, named[2].name}
		if names[1] != adoptedName(mappingOf("jane"), shortDigest) {
			t.Errorf("the name of another mapping is %q now", names[1])
		}
		if slices.Sort(names); len(slices.Compact(names)) != 3 {
			t.Errorf("%q and %q have one name", other, userID)
		}
		return
	}
}

// separators is another text for each n that leaves no letter in a name.
func separators(n int) string {
	return strings.NewReplacer("0", ".", "1", "-").Replace(fmt.Sprintf("%b", n+1))
}
