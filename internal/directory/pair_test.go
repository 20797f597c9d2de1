package directory_test

import (
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const pairHeader = "source_id,source_username,source_name,source_caption,destination_id,destination_username,destination_name,destination_caption\n"

func TestParsePairs(t *testing.T) {
	jane := idmap.MapException{
		Source:      idmap.Principal{ID: "u1", Username: "jane", Name: "jane@example.com", Caption: `Jane "J" Doe, Dr.`},
		Destination: idmap.Principal{ID: `CORP\\jdoe`},
	}
	row := `"u1","jane","jane@example.com","Jane ""J"" Doe, Dr.","CORP\\jdoe","","",""`
	bob := idmap.MapException{Source: idmap.Principal{Name: "bob"}, Destination: idmap.Principal{Caption: "Bob"}}
	tests := []struct {
		name, file string
		want       []idmap.MapException
		lines      []int
	}{
		{"quoted", pairHeader + row + "\n", []idmap.MapException{jane}, []int{2}},
		{"mark and CRLF", "\uFEFF" + strings.ReplaceAll(pairHeader+row+"\n"+`,,bob,,,,,Bob`, "\n", "\r\n"), []idmap.MapException{jane, bob}, []int{2, 3}},
		{
			"another order, blank lines",
			"destination_caption,destination_name,destination_username,destination_id,source_caption,source_name,source_username,source_id\n\nBob,,,,, bob ,,\n",
			[]idmap.MapException{bob},
			[]int{3},
		},
		{"a header only", pairHeader, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, lines, err := directory.ParsePairs(strings.NewReader(test.file))
			if err != nil || !reflect.DeepEqual(got, test.want) || !slices.Equal(lines, test.lines) {
				t.Errorf("got  %+v on %v, %v\nwant %+v on %v", got, lines, err, test.want, test.lines)
			}
		})
	}
}

func TestParsePairsNamesWhatIsAtFault(t *testing.T) {
	tests := []struct {
		name, file string
		fields     []string
		says       string
	}{
		{"empty", "", []string{""}, "The file is empty. It has a row for each exception. For a map without any"},
		{"no header", "1,,,,2,,,\n", []string{
			"line 1, column 1", "line 1", "line 1", "line 1", "line 1, column 2", "line 1", "line 1",
			"line 1",
		}, `The column "1" is unknown`},
		{
			"columns missing", "source_id,source_name,destination_id,destination_username,destination_name,destination_caption\n1,,2,,,\n",
			[]string{"line 1, column source_username"},
			"The header does not name the columns source_username, source_caption.",
		},
		{"a column too many", strings.TrimSpace(pairHeader) + ",note\n", []string{"line 1, column note"}, `"note" is unknown`},
		{"a column twice", strings.Replace(pairHeader, "source_username", "source_id", 1), []string{"line 1, column source_id"}, "twice"},
		{
			"rows of a report without a destination", pairHeader + "1,,,,2,,,\n3,,ann@example.com,,,,,\n4,,,, ,,,\n",
			[]string{"line 3", "line 4"},
			"The destination names nobody",
		},
		{"no source", pairHeader + ",,,,2,,,\n", []string{"line 2"}, "The source names nobody"},
		{"nothing", pairHeader + ",,,,,,,\n", []string{"line 2", "line 2"}, "names nobody"},
		{"too few fields", pairHeader + "1,2\n1,,,,2,,,\n", []string{"line 2"}, "has 2 fields, the header names 8"},
		{"an open quote", pairHeader + "\"1,,,,2,,,\n", []string{"line 2"}, "does not end properly"},
		{"no line break", strings.Repeat("x", 9<<20), []string{""}, "The first row of the file is longer than 8 MiB"},
		{"NUL", pairHeader + "\x00,,,,2,,,\n", []string{"line 2, column source_id"}, "U+0000"},
		{"Latin-1", pairHeader + "1,,,,2,,,M\xFCller\n", []string{"line 2, column destination_caption"}, "UTF-8"},
		{"a long name", pairHeader + "1,,,,2,," + strings.Repeat("x", 1001) + ",\n", []string{"line 2, column destination_name"}, "at most 1000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, lines, err := directory.ParsePairs(strings.NewReader(test.file))
			if got != nil || lines != nil {
				t.Errorf("a file at fault gave %d exceptions", len(got))
			}
			wantFields(t, err, test.fields...)
			if says := idmap.ViolationsOf(err)[0].Description; !strings.Contains(says, test.says) {
				t.Errorf("the sentence %q does not say %q", says, test.says)
			}
		})
	}
}

func TestParseExclusions(t *testing.T) {
	const file = "location,id,username,name,caption\nSource,1,,,\ndestination,,,ann@example.com,Ann\n"
	ann := idmap.Principal{Name: "ann@example.com", Caption: "Ann"}
	want := []idmap.MapExclusion{
		{Location: idmap.LocationSource, SID: idmap.Principal{ID: "1"}}, {Location: idmap.LocationDestination, SID: ann},
	}
	got, lines, err := directory.ParseExclusions(strings.NewReader(file), "")
	if err != nil || !reflect.DeepEqual(got, want) || !slices.Equal(lines, []int{2, 3}) {
		t.Errorf("got %+v on %v, %v", got, lines, err)
	}
	got, _, err = directory.ParseExclusions(strings.NewReader("id,username,name,caption\n,,ann@example.com,Ann\n"), idmap.LocationDestination)
	if err != nil || !reflect.DeepEqual(got, want[1:]) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, _, err = directory.ParseExclusions(strings.NewReader(file), idmap.LocationSource)
	wantFields(t, err, "line 1, column location")
	_, _, err = directory.ParseExclusions(strings.NewReader("id,username,name,caption,location\n1,,,,\n2,,,,left\n,,,,source\n"), "")
	wantFields(t, err, "line 2, column location", "line 3, column location", "line 4")
}

// rows is a file that never ends, of one row over and over.
func rows(header, row string) io.Reader {
	return io.MultiReader(strings.NewReader(header), &endless{row: row})
}

type endless struct {
	row string
	at  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.row[e.at:])
	e.at = (e.at + n) % len(e.row)
	return n, nil
}

func TestEndlessPairsAreRefusedInBoundedMemory(t *testing.T) {
	for name, row := range map[string]string{"good": "1,,,,2,,,\n", "bad": "1,,,,,,,\n", "open quote": "\"x\n"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := directory.ParsePairs(rows(pairHeader, row))
		runtime.GC()
		runtime.ReadMemStats(&after)
		if !idmap.IsKind(err, idmap.KindRule) {
			t.Errorf("%s: got %v", name, err)
		}
		if after.HeapAlloc > before.HeapAlloc+16<<20 {
			t.Errorf("%s: %d bytes are kept, before it were %d", name, after.HeapAlloc, before.HeapAlloc)
		}
	}
	_, _, err := directory.ParsePairs(rows(pairHeader, "1,,,,2,,,\n"))
	wantFields(t, err, "")
	if says := err.Error(); !strings.Contains(says, "more than 250000 rows") {
		t.Error(says)
	}
}

func TestManyBadPairs(t *testing.T) {
	_, _, err := directory.ParsePairs(strings.NewReader(pairHeader + strings.Repeat("1,,,,,,,\n", 5000)))
	if n := len(idmap.ViolationsOf(err)); n != 1001 {
		t.Errorf("%d violations, want 1001", n)
	}
}

func TestPairsReaderFailureIsReturned(t *testing.T) {
	broken := errors.New("broken pipe")
	if _, _, err := directory.ParsePairs(io.MultiReader(strings.NewReader(pairHeader), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the reader", err)
	}
}

func TestPairWriter(t *testing.T) {
	tests := []struct {
		name                string
		source, destination idmap.Principal
		want                string
	}{
		{
			"an account with everything",
			idmap.Principal{Type: "account", ID: "1", Username: "jd", Email: "jd@example.com", Name: `Jane "J" Doe`},
			idmap.Principal{ID: "2", Name: "Jane", Username: "jdoe"},
			`"1","jd","jd@example.com","Jane ""J"" Doe","2","jdoe","jdoe","Jane"`,
		},
		{"only names", idmap.Principal{Name: "jane@example.com"}, idmap.Principal{Name: "jdoe"}, `"","","jane@example.com","","jdoe","","jdoe",""`},
		{"groups", idmap.Principal{ID: "1", Name: "team", Caption: "The Team"}, idmap.Principal{ID: "2", Name: "Team"}, `"1","","team","The Team","2","","Team",""`},
		{"no destination", idmap.Principal{ID: "1"}, idmap.Principal{}, `"1","","","","","","",""`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := written(t, test.source, &test.destination); got != pairHeaderQuoted+test.want+"\n" {
				t.Errorf("wrote %s", got)
			}
		})
	}
	if got := written(t, idmap.Principal{ID: "1"}, nil); got != pairHeaderQuoted+`"1","","","","","","",""`+"\n" {
		t.Errorf("wrote %s", got)
	}
	var empty strings.Builder
	if err := directory.NewPairWriter(&empty).Close(); err != nil || empty.String() != pairHeaderQuoted {
		t.Errorf("wrote %s, %v", empty.String(), err)
	}
}

var pairHeaderQuoted = `"` + strings.ReplaceAll(strings.TrimSpace(pairHeader), ",", `","`) + "\"\n"

func written(tb interface {
	Helper()
	Fatal(...any)
}, source idmap.Principal, destination *idmap.Principal,
) string {
	tb.Helper()
	var out strings.Builder
	w := directory.NewPairWriter(&out)
	if err := errors.Join(w.Write(source, destination), w.Close()); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func TestPairWriterReportsFailure(t *testing.T) {
	w := directory.NewPairWriter(failing{})
	if err := errors.Join(w.Write(idmap.Principal{ID: strings.Repeat("x", 1<<20)}, nil), w.Close()); err == nil {
		t.Error("a full disk is no error")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// TestPairsRoundTrip: what is written is read back as the same principals, in the sense of the format, and is written
// again as the same text.
func TestPairsRoundTrip(t *testing.T) {
	word := rapid.Custom(func(t *rapid.T) string {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(`a@"',;\ ü.`))), rapid.SampledFrom([]string{"", "jane@example.com"})).Draw(t, "word")
		// The format has no NUL, one kind of line break, and no blanks around a value.
		return strings.TrimSpace(strings.NewReplacer("\r", "", "\x00", "").Replace(s))
	})
	email := rapid.SampledFrom([]string{"", "", "jane@example.com", "\"a,b\"@example.com"})
	principal := rapid.Custom(func(t *rapid.T) idmap.Principal {
		p := idmap.Principal{ID: word.Draw(t, "id"), Username: word.Draw(t, "username"), Name: word.Draw(t, "name"), Email: email.Draw(t, "email"), Caption: word.Draw(t, "caption")}
		if p.Text() == "" {
			p.ID = "x"
		}
		return p
	})
	rapid.Check(t, func(t *rapid.T) {
		source, destination := principal.Draw(t, "source"), principal.Draw(t, "destination")
		text := written(t, source, &destination)
		read, _, err := directory.ParsePairs(strings.NewReader(text))
		if err != nil || len(read) != 1 {
			t.Fatalf("read %v, %v from %s", read, err, text)
		}
		sameNames(t, source, read[0].Source)
		sameNames(t, destination, read[0].Destination)
		if again := written(t, read[0].Source, &read[0].Destination); again != text {
			t.Fatalf("written again:\n%s\nfirst:\n%s", again, text)
		}
	})
}

// sameNames: what was read has every id, username, email and caption of what was written; a display name may have become
// the caption.
func sameNames(t *rapid.T, was, is idmap.Principal) {
	t.Helper()
	switch {
	case is.Username != was.Username, is.Email != "",
		was.ID != "" && is.ID != was.ID,
		was.Email != "" && is.Name != was.Email,
		was.Email == "" && (was.Username == "" || strings.Contains(was.Name, "@")) && is.Name != was.Name,
		was.Caption != "" && is.Caption != was.Caption,
		was.Caption == "" && is.Name != was.Name && is.Caption != was.Name:
		t.Fatalf("wrote %+v\nread  %+v", was, is)
	}
}

// FuzzParsePairs: no input makes the parser panic; what is accepted can be written and read back as the same.
func FuzzParsePairs(f *testing.F) {
	for _, seed := range []string{"", pairHeader, pairHeader + "1,,,,2,,,\n", "\uFEFF" + pairHeader + "\"a\nb\",,x,,,,\"c\"\"d\",\r\n", pairHeader + "\"\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		read, lines, err := directory.ParsePairs(strings.NewReader(file))
		if len(read) != len(lines) || err != nil && (len(read) > 0 || len(idmap.ViolationsOf(err)) == 0) {
			t.Fatalf("%d exceptions on %d lines, %v", len(read), len(lines), err)
		}
		for _, e := range read {
			text := written(t, e.Source, &e.Destination)
			again, _, err := directory.ParsePairs(strings.NewReader(text))
			if err != nil || written(t, again[0].Source, &again[0].Destination) != text {
				t.Fatalf("read %+v\nreread %+v, %v", e, again, err)
			}
		}
	})
}
