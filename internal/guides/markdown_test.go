package guides

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/hashicorp/go-version"
)

// root is the folder of the module.
const root = "../.."

// render does what tfplugindocs does with a template of a guide.
func render(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) != ".tmpl" {
		return string(text)
	}
	codeFile := func(language, file string) (string, error) {
		shown, err := os.ReadFile(filepath.Join(root, file))
		return "```" + language + "\n" + strings.TrimSpace(string(shown)) + "\n```", err
	}
	parsed, err := template.New(path).Funcs(template.FuncMap{
		"codefile": codeFile,
		"tffile":   func(file string) (string, error) { return codeFile("terraform", file) },
	}).Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var rendered strings.Builder
	if err := parsed.Execute(&rendered, nil); err != nil {
		t.Fatal(err)
	}
	return rendered.String()
}

// block is a fenced block of a guide.
type block struct {
	line     int // of its first fence
	language string
	text     string
	file     string           // that the words before it name; "" if none
	since    *version.Version // of Terraform that its section needs; nil: any
}

var (
	// fileName is a file that the words before a block name.
	fileName = regexp.MustCompile("`([\\w./-]+\\.(?:tf|csv|hcl))`")
	// sectionSince is a version of Terraform in a heading.
	sectionSince = regexp.MustCompile(`^#.*\(Terraform (\d+\.\d+) or later\)`)
)

// blocksOf returns the fenced blocks of a guide. The file of a block is the last one that the paragraph before it names.
func blocksOf(t *testing.T, text string) []block {
	t.Helper()
	var (
		blocks []block
		open   *block
		since  *version.Version
		named  string
		blank  bool
	)
	number := 0
	for line := range strings.Lines(text) {
		number++
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case open != nil && isFence:
			blocks, open, named = append(blocks, *open), nil, ""
		case open != nil:
			open.text += line
		case isFence:
			open = &block{line: number, language: strings.TrimSpace(fence), file: named, since: since}
		case strings.HasPrefix(line, "#"):
			since, named = nil, ""
			if found := sectionSince.FindStringSubmatch(line); found != nil {
				since = version.Must(version.NewVersion(found[1]))
			}
		case strings.TrimSpace(line) == "":
			blank = true
		default:
			if blank {
				named, blank = "", false
			}
			for _, found := range fileName.FindAllStringSubmatch(line, -1) {
				named = found[1]
			}
		}
	}
	if open != nil || len(blocks) == 0 {
		t.Fatalf("%d blocks, and the last one is not closed: %v", len(blocks), open != nil)
	}
	return blocks
}
