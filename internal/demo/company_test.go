package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// examples is where the examples are that the demo plays.
const examples = "../../examples"

// Every refusal starts from the example as it is, so no edit may depend on another one.
func TestRefusalsFitTheExample(t *testing.T) {
	for example, refusals := range map[string][]refusal{"quickstart": quickstartRefusals, "migration": migrationRefusals} {
		t.Run(example, func(t *testing.T) { refusalsFit(t, example, refusals) })
	}
}

func refusalsFit(t *testing.T, example string, refusals []refusal) {
	c, err := copyCompany(filepath.Join(examples, example), filepath.Join(t.TempDir(), "contoso"))
	if err != nil {
		t.Fatal(err)
	}
	before := contents(t, c.folder)
	for _, r := range refusals {
		changes, undo, err := c.edit(r.edits)
		if err != nil {
			t.Errorf("%s: %v", r.headline, err)
			continue
		}
		if len(changes) != len(r.edits) || len(changes[0].added) == 0 {
			t.Errorf("%s: the edits change %+v", r.headline, changes)
		}
		if err := undo(); err != nil {
			t.Errorf("%s: taking it back: %v", r.headline, err)
		}
	}
	if after := contents(t, c.folder); !slices.Equal(before, after) {
		t.Error("the files are not as they were")
	}
}

func TestEditTakesBackWhatItDidBeforeItFailed(t *testing.T) {
	c := company{t.TempDir()}
	path := filepath.Join(c.folder, "a.csv")
	if err := os.WriteFile(path, []byte("x\ny\nx\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, impossible := range []edit{{"a.csv", "x", "z"}, {"a.csv", "nowhere", "z"}, {"missing.csv", "x", "z"}} {
		if _, _, err := c.edit([]edit{{"a.csv", "y", "Y"}, {file: "new.tf", new: "z"}, impossible}); err == nil {
			t.Errorf("%+v succeeds", impossible)
		}
		if got, want := contents(t, c.folder), []string{"a.csv", "x\ny\nx\n"}; !slices.Equal(got, want) {
			t.Errorf("after %+v there is %q, want %q", impossible, got, want)
		}
	}
}

func TestChangeOf(t *testing.T) {
	for _, c := range []struct {
		before, after  string
		removed, added []string
	}{
		{"a\nb\nc\n", "a\nB\nc\n", []string{"b"}, []string{"B"}},
		{"a\nb\n", "a\n", []string{"b"}, nil},
		{"a\n", "a\nb\n", nil, []string{"b"}},
		{"", "a\n\nb\n", nil, []string{"a", "", "b"}},
		{"a\nb\nc\n", "a\nc\n", []string{"b"}, nil},
	} {
		got := changeOf("f", c.before, c.after)
		if !slices.Equal(got.removed, c.removed) || !slices.Equal(got.added, c.added) {
			t.Errorf("%q to %q: got -%q +%q, want -%q +%q", c.before, c.after, got.removed, got.added, c.removed, c.added)
		}
	}
}

// contents returns the names and texts of all files in a folder.
func contents(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, entry.Name(), string(content))
	}
	return all
}
