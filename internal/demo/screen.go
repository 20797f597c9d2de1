package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// width is how many columns a line of ours takes at most: what Terraform's boxes take
// where it writes to no terminal, and our indentation.
const width = 82

// indent is how far what belongs to a step stands behind its headline.
const indent = "    "

// The styles of a terminal.
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

// A screen is what the audience sees. It has colours if it is a terminal, NO_COLOR is
// not set and TERM is not dumb.
type screen struct {
	out    io.Writer
	colour bool
	began  time.Time
	mark   time.Time // the last step or check
	steps  int
}

func newScreen(out *os.File) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	now := time.Now()
	return &screen{
		out: out, began: now, mark: now,
		colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// title opens the show.
func (s *screen) title(text, subtitle string) {
	fmt.Fprintf(s.out, "\n%s\n%s\n", s.styled(bold, text), subtitle)
}

// step opens a step: its headline, and in a few words what it is about.
func (s *screen) step(headline, about string) {
	s.steps++
	s.mark = time.Now()
	fmt.Fprintf(s.out, "\n%s\n", s.styled(bold+";"+cyan, fmt.Sprintf("%2d  %s", s.steps, headline)))
	s.remark(about)
}

// remark says something in between.
func (s *screen) remark(text string) {
	for _, line := range wrap(text, width-len(indent)) {
		fmt.Fprintf(s.out, "%s%s\n", indent, line)
	}
}

// command shows what a user would type.
func (s *screen) command(line string) {
	fmt.Fprintf(s.out, "\n%s%s\n", indent, s.styled(bold, "$ "+line))
}

// quote shows a part of what a program said, in its own colours.
func (s *screen) quote(text string) {
	if !s.colour {
		text = plain(text)
	}
	for line := range strings.Lines(text) {
		fmt.Fprintf(s.out, "%s%s\n", indent, strings.TrimRight(line, " \n"))
	}
	if s.colour {
		fmt.Fprint(s.out, "\x1b[0m")
	}
}

// aside is like quote, but for what matters less.
func (s *screen) aside(text string) {
	for line := range strings.Lines(plain(text)) {
		fmt.Fprintln(s.out, indent+s.styled(dim, strings.TrimRight(line, "\n")))
	}
}

// change shows the lines of a file that somebody changed. Where one line replaces
// another and they are too long, it shows the part that differs.
func (s *screen) change(c change) {
	at := 0
	if len(c.removed) == 1 && len(c.added) == 1 {
		at = commonPrefix(c.removed[0], c.added[0])
	}
	fmt.Fprintf(s.out, "\n%s%s\n", indent, s.styled(bold, c.file))
	for _, line := range c.removed {
		fmt.Fprintln(s.out, indent+s.styled(red, "- "+elide(line, at, width-len(indent)-2)))
	}
	for _, line := range c.added {
		fmt.Fprintln(s.out, indent+s.styled(green, strings.TrimRight("+ "+elide(line, at, width-len(indent)-2), " ")))
	}
}

// ok ticks off what was checked, with the time since the last tick.
func (s *screen) ok(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	took := time.Since(s.mark)
	s.mark = time.Now()
	fmt.Fprintf(s.out, "%s%s %s%s\n", indent, s.styled(green, "✓"), text, s.seconds(took, utf8.RuneCountInString(text)+len(indent)+2))
}

// seconds is a duration at the right margin of a line that has that many columns. What
// nobody waits for is not worth a number.
func (s *screen) seconds(took time.Duration, columns int) string {
	if took < 50*time.Millisecond {
		return ""
	}
	text := fmt.Sprintf("%.1f s", took.Seconds())
	gap := max(1, width-columns-len(text))
	return strings.Repeat(" ", gap) + s.styled(dim, text)
}

// failure ends a show that went wrong.
func (s *screen) failure(err error) {
	fmt.Fprintf(s.out, "\n%s %s\n", s.styled(bold+";"+red, "✗ Not as said:"), err)
}

// theEnd ends a show that went well.
func (s *screen) theEnd() {
	fmt.Fprintf(s.out, "\n%s\n\n", s.styled(bold, fmt.Sprintf("All as said: %d steps in %.0f s.", s.steps, time.Since(s.began).Seconds())))
}

func (s *screen) styled(style, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// wrap breaks a text into lines of at most that many characters, where words allow.
func wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// elide shows that many characters of a line that has more: those around a place in it.
func elide(line string, at, columns int) string {
	runes := []rune(line)
	if len(runes) <= columns {
		return line
	}
	columns -= 2 // for what stands where something is left out
	from := min(max(0, at-columns/2), len(runes)-columns)
	shown := string(runes[from : from+columns])
	if from > 0 {
		shown = "…" + shown
	}
	if from+columns < len(runes) {
		shown += "…"
	}
	return shown
}

// commonPrefix returns with how many characters both texts begin alike.
func commonPrefix(a, b string) int {
	n, other := 0, []rune(b)
	for _, r := range a {
		if n == len(other) || other[n] != r {
			break
		}
		n++
	}
	return n
}
