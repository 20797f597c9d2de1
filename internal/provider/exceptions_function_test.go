package provider

import (
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"pgregory.net/rapid"
)

const csvHeader = `"source_id","source_username","source_name","source_caption","destination_id","destination_username","destination_name","destination_caption"` + "\n"

// pointers are exceptions as Terraform gives them to a function: one may be null.
func pointers(exceptions map[string]string) map[string]*string {
	given := map[string]*string{}
	for source, destination := range exceptions {
		given[source] = &destination
	}
	return given
}

// TestExceptionsCSVRoundTrip: whatever to_csv accepts, from_csv gives back as it was.
func TestExceptionsCSVRoundTrip(t *testing.T) {
	t.Parallel()
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z" ,.;@é\\-]{1,12}`), rapid.StringMatching(`[a-c]{1,2}@(B|b)\.example`))
		exceptions := rapid.MapOfN(name, name, 0, 8).Draw(t, "exceptions")
		text, err := exceptionsToCSV(pointers(exceptions))
		if err != nil {
			return
		}
		accepted++
		back, err := exceptionsFromCSV(text)
		if err != nil || !maps.Equal(back, exceptions) {
			t.Fatalf("%v came back as %v (%v) from\n%s", exceptions, back, err, text)
		}
	})
	if accepted < 10 {
		t.Errorf("only %d maps were accepted", accepted)
	}
}

// TestExceptionsToCSVAccepts: names as directories have them are never refused.
func TestExceptionsToCSVAccepts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[!-~é]|[!-~ß日][ -~éß日]{0,30}[!-~é]`)
		exceptions := rapid.MapOfN(rapid.StringMatching(`[a-z0-9"][a-z0-9",\\]{0,9}`), name, 0, 8).Draw(t, "exceptions")
		if _, err := exceptionsToCSV(pointers(exceptions)); err != nil {
			t.Fatalf("%v was refused: %v", exceptions, err)
		}
	})
}

func TestExceptionsToCSV(t *testing.T) {
	t.Parallel()
	text, err := exceptionsToCSV(pointers(map[string]string{"jane@example.com": "JDOE", "DOM\\bob": `Bob "B" Roe`}))
	want := csvHeader +
		`"DOM\bob","","DOM\bob","","Bob ""B"" Roe","","Bob ""B"" Roe",""` + "\n" +
		`"","","jane@example.com","","JDOE","","JDOE",""` + "\n"
	if err != nil || text != want {
		t.Errorf("%v\n%s\nwant\n%s", err, text, want)
	}
	if text, err = exceptionsToCSV(nil); err != nil || text != csvHeader {
		t.Errorf("none: %v\n%s", err, text)
	}
}

func TestExceptionsToCSVRefuses(t *testing.T) {
	t.Parallel()
	_, err := exceptionsToCSV(pointers(map[string]string{"": "b", "c": " d", "e\nf": "g", "Jane@x.example": "h", "JANE@x.example": "i", "Jane": "j", "JANE": "k", "long": strings.Repeat("x", 1001)}))
	if err == nil {
		t.Fatal("accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, words := range [][]string{
		{`"" = "b"`, "empty"}, {`"JANE@x.example" and "Jane@x.example"`, "spelling"}, {`" d"`, "blanks"}, {`"e\nf"`, "line break"}, {`"long"`, "1001 characters"},
	} {
		for _, word := range words {
			if i >= len(lines) || !strings.Contains(lines[i], word) {
				t.Errorf("line %d lacks %s in:\n%v", i+1, word, err)
			}
		}
	}
}

func TestExceptionsFromCSV(t *testing.T) {
	t.Parallel()
	exceptions, err := exceptionsFromCSV("\uFEFF" + csvHeader + strings.Join([]string{
		`"id1","user1","a@example.com","A A","id2","user2","b@example.com","B B"`,
		`,user3,c@example.com,C C,,user4,d@example.com,D D`,
		`,user5,,E E,,user6,,F F`,
		`,,,G G,,,,"H, H"`,
	}, "\r\n"))
	want := map[string]string{"id1": "id2", "c@example.com": "d@example.com", "user5": "user6", "G G": "H, H"}
	if err != nil || !maps.Equal(exceptions, want) {
		t.Errorf("%v (%v), want %v", exceptions, err, want)
	}
	ids := map[string]string{"aB": "x", "AB": "X", "ab": "x"}
	if exceptions, err = exceptionsFromCSV(csvHeader + "aB,,,,x,,,\nAB,,,,X,,,\nab,,,,x,,,\n"); err != nil || !maps.Equal(exceptions, ids) {
		t.Errorf("ids that differ in case give %v (%v)", exceptions, err)
	}
	if text, err := exceptionsToCSV(pointers(ids)); err != nil || strings.Count(text, "\n") != 4 {
		t.Errorf("ids that differ in case: %v\n%s", err, text)
	}
	if exceptions, err = exceptionsFromCSV(csvHeader); err != nil || exceptions == nil || len(exceptions) != 0 {
		t.Errorf("a header alone gives %v (%v)", exceptions, err)
	}
}

// TestExceptionsFromCSVRefuses: every row at fault is named by its line.
func TestExceptionsFromCSVRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want []string // in this order
	}{
		"nothing":       {"", []string{"empty"}},
		"another table": {"id,name\n1,2\n", []string{"Line 1", "source_id"}},
		"bad rows": {
			csvHeader + "a,,,,b,,,\n" + ",,,,c,,,\n" + "d,,,,,,,\n" + "e,f\n" + "g,,,,h,,,\n",
			[]string{"Line 3", "source", "Line 4", "destination", "Line 5", "2 fields"},
		},
		"same source": {
			csvHeader + "Jane,,,,b,,,\n" + "x,,,,y,,,\n" + ",JANE,,,c,,,\n" + ",,,jane,d,,,\n",
			[]string{"Line 4", `"JANE"`, "line 2", `"Jane"`, "Line 5", `"jane"`, "line 2"},
		},
		"same id": {
			csvHeader + "aB,,,,b,,,\n" + "AB,,,,c,,,\n" + "AB,,,,d,,,\n" + ",,,aB,e,,,\n",
			[]string{"Line 4", `"AB"`, "line 3", "Line 5", `"aB"`, "line 2"},
		},
		"same address": {
			csvHeader + ",,jane@Example.com,,b,,,\n" + ",,SMTP:jane@example.com,,c,,,\n",
			[]string{"Line 3", "line 2"},
		},
	} {
		_, err := exceptionsFromCSV(test.text)
		rest := ""
		if err != nil {
			rest = err.Error()
		}
		for _, word := range test.want {
			_, after, found := strings.Cut(rest, word)
			if !found {
				t.Errorf("%s: there is no %s, or not in its place, in:\n%v", name, word, err)
				break
			}
			rest = after
		}
	}
}

func TestAccExceptionsFunctions(t *testing.T) {
	s := newScenario(t)
	good := `
locals {
  pairs = { "jane@example.com" = "JDOE", "DOM\\bob" = "Bob \"B\" Roe, Jr.", "Иван" = "100000002" }
}
resource "terraform_data" "late" {
  input = "late@example.com"
}
output "same" {
  value = provider::idmap::exceptions_from_csv(provider::idmap::exceptions_to_csv(local.pairs)) == tomap(local.pairs)
}
output "none" {
  value = length(provider::idmap::exceptions_from_csv(provider::idmap::exceptions_to_csv({})))
}
output "late" {
  value = provider::idmap::exceptions_from_csv(provider::idmap::exceptions_to_csv({ (local.pairs["jane@example.com"]) = terraform_data.late.output }))["JDOE"]
}
`
	call := func(expression string) string {
		return "output \"x\" {\n  value = provider::idmap::" + expression + "\n}\n"
	}
	s.run(
		resource.TestStep{Config: good, Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckOutput("same", "true"),
			resource.TestCheckOutput("none", "0"),
			resource.TestCheckOutput("late", "late@example.com"),
		)},
		resource.TestStep{Config: call(`exceptions_from_csv("a,b\n")`), PlanOnly: true, ExpectError: refusal("exceptions_from_csv", "", "Line 1")},
		resource.TestStep{Config: call(`exceptions_from_csv(null)`), PlanOnly: true, ExpectError: refusal("must not be null", "")},
		resource.TestStep{Config: call(`exceptions_to_csv({ a = null })`), PlanOnly: true, ExpectError: refusal("exceptions_to_csv", "", `Exception "a" = null: The destination is null. A name is required.`)},
		resource.TestStep{Config: call(`exceptions_to_csv({ "a@x.example" = "b", "A@x.example" = "c" })`), PlanOnly: true, ExpectError: refusal("exceptions_to_csv", "", "spelling alone. A source has one destination. Remove one of them.")},
		resource.TestStep{Config: good}, // what is destroyed in the end
	)
}

// TestAccFunctionExamples applies what the documentation shows.
func TestAccFunctionExamples(t *testing.T) {
	t.Parallel()
	for _, name := range folders(t, "functions") {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			s.stageExamples()
			s.run(resource.TestStep{Config: example(t, "functions", name, "function.tf")})
		})
	}
}
