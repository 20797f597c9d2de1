package plantruth

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the page, instead of comparing it")

// pages are where the page stands: as a template, and as the documentation that is made from it.
var pages = []string{filepath.FromSlash("../../templates/guides/plan-truth.md"), filepath.FromSlash("../../docs/guides/plan-truth.md")}

const intro = `---
page_title: "What a plan knows"
description: |-
  Every rule of mappings and maps in every situation that Terraform knows: what the plan says, and what only the apply can.
---

# What a plan knows

What a plan can know is never found only at apply, and a plan that should pass passes. This page shows it, rule by rule and
situation by situation. Each cell is what a run of Terraform gave, with the real provider on a real backend. A test repeats these
runs, and fails where a cell is not what stands here. After each run it also sees to it that Terraform's state and the backend
agree, that nothing is tainted, and that the next plan is empty.

## How to read the tables

A row is a code that a refusal or a warning ends with. A column is something that Terraform does, or that others do meanwhile;
the end of the page says what. The rule of the row is brought about in the way that fits the column: by values that
break it, or because the directories, or others, have changed since the apply what the rule looks at. A directory may have given an
address to somebody else.

| cell | meaning |
|---|---|
| plan | The plan refuses. Nothing is touched. |
| warned | The plan warns, and may be applied. |
| passes | Neither the plan nor the apply refuses, or warns with a code. Warnings whose headline ends with "Exists Already" are not counted: within a day of its create, a resource that is renamed, replaced or keyed anew may give one. In a row in which no rule is broken, this is what must be. |
| apply | The apply refuses. The note says why no plan could know. |
| warned at apply | The apply warns, and the plan does not. |
| warned, apply | The plan warns of what the apply refuses. |
| update | The plan has a change, although nothing was to be changed. |
| another code | The plan warns with another code than that of the row; the note says with which. |
| plan, another code | The plan refuses with another code than that of the row; the note says with which. |
| – | The rule cannot come about in this way; the note says why. It was run with values that break no rule, and neither the plan nor the apply said a word, but perhaps "Exists Already". |

The objects of the tables are as their create made them, less than a day before. What was changed since, imported, or is older
can be replaced and destroyed as well, with two exceptions. Under another name, without a ` + "`moved`" + ` block, the plan refuses it.
With ` + "`create_before_destroy`" + ` and ` + "`-replace`" + ` (or another connection of one exclusive platform) the apply refuses, since Terraform does not tell a provider which comes first; nothing is
lost, but Terraform then keeps the object as a deposed one, and plans are refused. Do not combine the two. Where it has happened, ` + "`terraform state rm`" + `
lets Terraform forget the object, and an ` + "`import`" + ` block takes it back.

With ` + "`-target`" + ` Terraform shows the provider only the targets and what they depend on: of two resources that are wrong together,
the plan of one target knows one, and the plan of the other refuses it once the first is there.

Two aliases of the provider are two processes, and neither knows what the other plans. A mapping under one alias that needs the new
file of a connection under the other is refused until that file is applied.

An ` + "`import`" + ` block with an identity needs Terraform 1.12 and is not in the tables, which Terraform 1.11 made: a mapping or a map
has no other identity than its id, so it is as with the id. The identity of ` + "`idmap_user_mappings`" + ` is that of its connections. ` + "`unsupported_option`" + ` is a rule of account maps only, and
` + "`group_id_required`" + ` one of group maps: the other kind has no argument that could break it. ` + "`account_mismatch`" + ` is none of
` + "`idmap_user_mappings`" + `, where no entry names an account.

In the tables of many user mappings in one resource, the rule is broken by one entry, beside another one that breaks none. Where an
apply refuses the first, the second is written all the same. Terraform has a new resource as a tainted one then, and
` + "`terraform untaint`" + ` keeps what was made, which these runs do.
`

// render writes the page.
func (m *matrix) render() string {
	var text strings.Builder
	text.WriteString(intro)
	for _, noun := range []struct{ resource, title string }{
		{userMapping, "User mappings"}, {userMappings, "Many user mappings in one resource"}, {accountMap, "Account maps"}, {groupMap, "Group maps"},
	} {
		fmt.Fprintf(&text, "\n## %s\n", noun.title)
		for _, group := range groups {
			m.renderTables(&text, noun.resource, noun.title, group)
		}
	}
	text.WriteString("\n## The situations\n")
	for _, group := range groups {
		fmt.Fprintf(&text, "\n### %s\n\n", group)
		for _, s := range m.situations {
			if s.group == group {
				fmt.Fprintf(&text, "- **%s**: %s\n", s.head, s.does)
			}
		}
	}
	return text.String()
}

// columns is how many situations one table has, so that it can be read.
const columns = 6

func (m *matrix) renderTables(text *strings.Builder, noun, title, group string) {
	var situations []situation
	for _, s := range m.situations {
		if s.group == group && (s.only == "" || s.only == noun) {
			situations = append(situations, s)
		}
	}
	if len(situations) == 0 {
		return
	}
	fmt.Fprintf(text, "\n### %s: %s\n", title, strings.ToLower(group[:1])+group[1:])
	var notes []string
	for some := range slices.Chunk(situations, columns) {
		text.WriteString("\n| |")
		for _, s := range some {
			text.WriteString(" " + s.head + " |")
		}
		text.WriteString("\n|---|" + strings.Repeat("---|", len(some)) + "\n")
		for _, r := range m.rows {
			if r.noun != noun {
				continue
			}
			switch {
			case r.breaks() && r.title != "":
				fmt.Fprintf(text, "| `%s`, *%s* |", r.code, r.title)
			case r.breaks():
				fmt.Fprintf(text, "| `%s` |", r.code)
			default:
				fmt.Fprintf(text, "| *%s* |", r.title)
			}
			for _, s := range some {
				c := m.cells[r][s.head]
				note := ""
				if c.note != "" {
					i := slices.Index(notes, c.note)
					if i < 0 {
						i, notes = len(notes), append(notes, c.note)
					}
					note = fmt.Sprintf(" [%d]", i+1)
				}
				fmt.Fprintf(text, " %s%s |", c.outcome, note)
			}
			text.WriteString("\n")
		}
	}
	text.WriteString("\n")
	for i, note := range notes {
		fmt.Fprintf(text, "%d. %s%s.\n", i+1, strings.ToUpper(note[:1]), note[1:])
	}
}

// check holds the page against the cells, or writes it.
func (m *matrix) check(t *testing.T) {
	t.Helper()
	for _, r := range m.rows {
		for _, s := range m.situations {
			if c := m.cells[r][s.head]; s.has(r) && (c.outcome == "" || c.note == "" && !slices.Contains([]outcome{planned, warned, passes}, c.outcome)) {
				t.Errorf("%s %s, %s: the cell is empty, or says not why: %+v", r.noun, r.label(), s.head, c)
			}
		}
	}
	for _, s := range m.situations {
		for key := range s.but {
			if !m.used[s.head+" "+key] {
				t.Errorf("%s: nothing comes of the exception of %s", s.head, key)
			}
		}
	}
	for _, path := range pages {
		if *update && !t.Failed() {
			if err := os.WriteFile(path, []byte(m.render()), 0o644); err != nil {
				t.Error(err)
			}
			continue
		}
		stands, err := os.ReadFile(path)
		if err != nil || string(stands) != m.render() {
			t.Errorf("%s is not what came of the runs (%v). Run make plan-truth, look at what changed, and commit it.", path, err)
		}
	}
}
