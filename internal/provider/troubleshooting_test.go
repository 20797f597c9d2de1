package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const troubleshooting = "../../templates/guides/troubleshooting.md"

// trouble is a section of the guide: a code, or a headline that has none, with its cause and its cure.
type trouble struct {
	headlines []string
	cause     string
	cure      string
}

var (
	boldWords = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	// titleCase is how headlines are written, and nothing else in the sources of the provider.
	titleCase = regexp.MustCompile(`^[A-Z][A-Za-z-]+( ([A-Z][A-Za-z-]*|a|an|as|at|by|in|of|to))+$`)
)

// TestTroubleshootingHasEveryCode: a code stands in the guide with its headlines and its meaning, word by word, and with
// what to do; and the guide has no code that does not exist.
func TestTroubleshootingHasEveryCode(t *testing.T) {
	t.Parallel()
	sections := troubles(t)
	for _, info := range idmap.Codes() {
		title := "`" + string(info.Code) + "`"
		section, ok := sections[title]
		if !ok {
			t.Errorf("the guide lacks %s", title)
			continue
		}
		headlines := []string{summaryOf(info.Code)}
		if own, ok := groupMaps.ownSummaries()[info.Code]; ok {
			headlines = append(headlines, own)
		}
		if !slices.Equal(section.headlines, headlines) || section.cause != info.Meaning {
			t.Errorf("%s has the headlines %q and the cause %q, want %q and %q", title, section.headlines, section.cause, headlines, info.Meaning)
		}
		if section.cure == "" {
			t.Errorf("%s has no cure", title)
		}
		delete(sections, title)
	}
	for title := range sections {
		if strings.HasPrefix(title, "`") {
			t.Errorf("the guide has %s, which is no code", title)
		}
	}
}

// TestTroubleshootingHasEveryHeadline: whatever the provider writes above an error or a warning stands in the guide, and
// the guide has no headline that nobody can meet any more.
func TestTroubleshootingHasEveryHeadline(t *testing.T) {
	t.Parallel()
	missing := headlines(t)
	if len(missing) < len(summaries) {
		t.Fatalf("only %d headlines were found in the sources", len(missing))
	}
	known := map[string]bool{}
	for title, section := range troubles(t) {
		if !strings.HasPrefix(title, "`") {
			section.headlines = []string{title}
		}
		for _, headline := range section.headlines {
			known[headline] = true
			if !missing[headline] {
				t.Errorf("the guide has %q, and the provider has not", headline)
			}
		}
	}
	for headline := range missing {
		if !known[headline] {
			t.Errorf("the guide lacks %q", headline)
		}
	}
}

// troubles reads the sections of the guide by their titles.
func troubles(t *testing.T) map[string]trouble {
	t.Helper()
	text, err := os.ReadFile(troubleshooting)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]trouble{}
	for chapter := range strings.SplitSeq(string(text), "\n## ") {
		for _, part := range strings.Split(chapter, "\n### ")[1:] {
			title, body, _ := strings.Cut(part, "\n")
			if _, twice := sections[title]; twice {
				t.Errorf("the guide has %s twice", title)
			}
			sections[title] = section(body)
		}
	}
	return sections
}

func section(body string) trouble {
	first, cure, _ := strings.Cut(strings.TrimSpace(body), "\n\n")
	names, cause, ok := strings.Cut(first, ": ")
	if !ok || !strings.HasPrefix(first, "**") {
		return trouble{cure: first}
	}
	s := trouble{cause: cause, cure: strings.TrimSpace(cure)}
	for _, found := range boldWords.FindAllStringSubmatch(names, -1) {
		s.headlines = append(s.headlines, found[1])
	}
	return s
}

// headlines returns the texts in the sources of this package that are written as headlines are.
func headlines(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(literal.Value); err == nil && titleCase.MatchString(text) {
				found[text] = true
			}
			return true
		})
	}
	return found
}
