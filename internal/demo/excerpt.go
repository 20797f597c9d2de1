package main

import (
	"regexp"
	"strings"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// plain returns the text without the colours of a terminal.
func plain(text string) string { return ansi.ReplaceAllString(text, "") }

// errorBoxes returns the boxes that Terraform draws around errors, each as it is. Its
// warnings are left out, above all the one about dev_overrides that every command gives.
func errorBoxes(output string) []string {
	var boxes []string
	for _, box := range diagnosticBoxes(output) {
		if strings.HasPrefix(sentence(box), "Error: ") {
			boxes = append(boxes, box)
		}
	}
	return boxes
}

// diagnosticBoxes returns all boxes, from corner to corner.
func diagnosticBoxes(output string) []string {
	var boxes []string
	var box strings.Builder
	inside := false
	for line := range strings.Lines(output) {
		corner := strings.TrimSpace(plain(line))
		inside = inside || corner == "╷"
		if inside {
			box.WriteString(line)
		}
		if inside && corner == "╵" {
			boxes, inside = append(boxes, strings.TrimRight(box.String(), "\n")), false
			box.Reset()
		}
	}
	return boxes
}

// sentence returns the words of a box in one line: Terraform breaks lines anywhere
// between two words.
func sentence(box string) string {
	var words []string
	for line := range strings.Lines(plain(box)) {
		words = append(words, strings.Fields(strings.TrimLeft(line, "╷│╵"))...)
	}
	return strings.Join(words, " ")
}

// summaryOf returns the headline of a box: what stands behind "Error: " up to the first
// empty line.
func summaryOf(box string) string {
	summary := ""
	for line := range strings.Lines(plain(box)) {
		text := strings.TrimSpace(strings.TrimLeft(line, "╷│╵"))
		if text == "" && summary != "" {
			break
		}
		summary = strings.TrimSpace(summary + " " + text)
	}
	_, text, _ := strings.Cut(summary, ": ")
	return text
}

// planned returns what a plan says about one resource: from the comment over its block
// to the end of the block.
func planned(output, address string) string {
	var block strings.Builder
	inside := false
	for line := range strings.Lines(output) {
		text := strings.TrimRight(plain(line), "\n")
		inside = inside || strings.HasPrefix(text, "  # "+address+" ")
		if inside {
			block.WriteString(line)
		}
		if inside && text == "    }" {
			break
		}
	}
	return block.String()
}

// linesWith returns the first lines, at most n, that contain the text, and how many
// more there are.
func linesWith(output, text string, n int) (lines []string, more int) {
	for line := range strings.Lines(output) {
		switch {
		case !strings.Contains(plain(line), text):
		case len(lines) < n:
			lines = append(lines, strings.TrimRight(line, "\n"))
		default:
			more++
		}
	}
	return lines, more
}

// lineWith returns the first line that contains the text, or "".
func lineWith(output, text string) string {
	lines, _ := linesWith(output, text, 1)
	return strings.Join(lines, "")
}
