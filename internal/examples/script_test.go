package examples

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// year is the example.
const year = folder + "/a-year"

// A chapter is one of README.md: what is typed in it, and what its plan is to be.
type chapter struct {
	title    string   // "2. Hires"
	name     string   // of the file with what is to be planned, "02-hires"
	commands []string // in their order
	shown    []string // lines of the plan that the page shows
}

var (
	heading = regexp.MustCompile(`^## (\d+\. .+)`)
	link    = regexp.MustCompile(`\(chapters/([a-z0-9-]+)\.txt\)`)
)

// readChapters reads README.md. What is typed stands in blocks of sh, what is seen in blocks of text.
func readChapters(t *testing.T) []chapter {
	t.Helper()
	file, err := os.Open(filepath.Join(year, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []chapter
	block := ""
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if found := heading.FindStringSubmatch(line); found != nil {
			all = append(all, chapter{title: found[1]})
		}
		if language, fence := strings.CutPrefix(line, "```"); fence {
			block = language
			continue
		}
		if len(all) > 0 {
			all[len(all)-1].read(block, line)
		}
	}
	return all
}

func (c *chapter) read(block, line string) {
	if found := link.FindStringSubmatch(line); found != nil {
		c.name = found[1]
	}
	switch {
	case line == "":
	case block == "sh":
		c.commands = append(c.commands, line)
	case block == "text":
		c.shown = append(c.shown, line)
	}
}
