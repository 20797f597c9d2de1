package main

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestLinks follows each link from a page to another one of this repository, to its heading too.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, page := range pages(t) {
		for _, target := range linksOf(readPage(t, page)) {
			u, err := url.Parse(target)
			if err != nil || u.Scheme != "" || u.Host != "" {
				continue // not ours to follow
			}
			links++
			to := page
			if u.Path != "" {
				to = filepath.Join(filepath.Dir(page), filepath.FromSlash(u.Path))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there: %v", page, target, err)
			} else if u.Fragment != "" && !slices.Contains(anchorsOf(readPage(t, to)), u.Fragment) {
				t.Errorf("%s links to %s, and %s has the anchors %q", page, target, to, anchorsOf(readPage(t, to)))
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links were found", links)
	}
}

// pages are the files that people read: all in Markdown, but for the templates of those that are generated.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && (path == "templates" || path != "." && strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	fenced   = regexp.MustCompile("(?ms)^```.*?^```$")
	code     = regexp.MustCompile("`[^`\n]+`")
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	explicit = regexp.MustCompile(`<a id="([^"]+)">`)
)

// readPage returns a page without its blocks of code.
func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

func linksOf(page string) []string {
	var all []string
	for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(page, "code"), -1) {
		all = append(all, found[1])
	}
	return all
}

// anchorsOf returns what a link may name on a page: its headings, in the form that web sites give them, and explicit ones.
func anchorsOf(page string) []string {
	var all []string
	for _, found := range heading.FindAllStringSubmatch(page, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(found[1])))
	}
	for _, found := range explicit.FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	return all
}
