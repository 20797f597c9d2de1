package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

const allAccountColumns = "id,username,email,aliases,name,given_name,surname,user_type,disabled,admin,built_in,external,sign_in_permitted\n"

func TestParseAccounts(t *testing.T) {
	full := idmap.Account{
		ID: "a1", Username: "Alice", Email: "SMTP:Alice@Example.com", Aliases: []string{"SMTP:al@example.com", "smtp:a@example.com", "b@example.com"},
		Name: "Alice, the 1st", GivenName: "Alice", Surname: "Ångström", UserType: idmap.UserTypeNonInteractive,
		Disabled: true, Admin: true, BuiltIn: true, External: true, SignInPermitted: new(true),
	}
	row := `a1, Alice ,SMTP:Alice@Example.com,SMTP:al@example.com; smtp:a@example.com ;;b@example.com,"Alice, the 1st",Alice,Ångström,Non_Interactive,TRUE,true,true,True,True`
	tests := []struct {
		name   string
		format directory.Format
		file   string
		want   []idmap.Account
	}{
		{"every column", directory.CSV, allAccountColumns + row + "\n", []idmap.Account{full}},
		{"no line break at the end", directory.CSV, allAccountColumns + row, []idmap.Account{full}},
		{"other order", directory.CSV, "email, id\nA@example.com,1\n", []idmap.Account{{ID: "1", Email: "A@example.com"}}},
		{"byte order mark and CRLF", directory.CSV, "\uFEFFid,name\r\n1,Ann\r\n2,Bob\r\n", []idmap.Account{{ID: "1", Name: "Ann"}, {ID: "2", Name: "Bob"}}},
		{"header only", directory.CSV, "id,email\n", nil},
		{"blank lines", directory.CSV, "\nid\n\n1\n\n\n2\n", []idmap.Account{{ID: "1"}, {ID: "2"}}},
		{"ids differ in case", directory.CSV, "id,username\na,\nA,u\nu,v\n", []idmap.Account{{ID: "a"}, {ID: "A", Username: "u"}, {ID: "u", Username: "v"}}},
		{"many addresses", directory.CSV, "id,aliases\n1," + strings.Join(addresses(1000), ";") + ";sip:x\n", []idmap.Account{{ID: "1", Aliases: addresses(1000)}}},
		{"false booleans", directory.CSV, "id,disabled,admin\n1,False,\n", []idmap.Account{{ID: "1"}}},
		{
			"a permission that is known, and one that is not", directory.CSV, "id,sign_in_permitted\n1,FALSE\n2,\n3, \n4,true\n",
			[]idmap.Account{{ID: "1", SignInPermitted: new(false)}, {ID: "2"}, {ID: "3"}, {ID: "4", SignInPermitted: new(true)}},
		},
		{"JSON false and null permissions", directory.JSONLines, `{"id":"1","sign_in_permitted":false}` + "\n" + `{"id":"2","sign_in_permitted":null}`, []idmap.Account{{ID: "1", SignInPermitted: new(false)}, {ID: "2"}}},
		{"emoji", directory.CSV, "id,name,username,email\n😀,🧑 Ann,👍,😀@example.com\n", []idmap.Account{{ID: "😀", Name: "🧑 Ann", Username: "👍", Email: "😀@example.com"}}},
		{"right to left name", directory.CSV, "id,name\n1,\u200fעברית\u200f\n", []idmap.Account{{ID: "1", Name: "\u200fעברית\u200f"}}},
		{"SQL", directory.CSV, "id,name\n'; DROP TABLE x; --,\"Robert'); --\"\n", []idmap.Account{{ID: "'; DROP TABLE x; --", Name: "Robert'); --"}}},
		{
			"other schemes are dropped", directory.CSV,
			"id,aliases\n1,x500:/o=Org/ou=A;sip:a@example.com;X400:C=us;A= ;P=Org;O=Exchange;S=Ann;SMTP:a@example.com\n",
			[]idmap.Account{{ID: "1", Aliases: []string{"SMTP:a@example.com"}}},
		},
		{
			"JSON lines", directory.JSONLines,
			`{"id":"a1","username":"Alice","email":"SMTP:Alice@Example.com","aliases":["SMTP:al@example.com","smtp:a@example.com","","b@example.com"],` +
				`"name":"Alice, the 1st","given_name":"Alice","surname":"Ångström","user_type":"non_interactive","disabled":true,"admin":true,"built_in":true,"external":true,"sign_in_permitted":true}`,
			[]idmap.Account{full},
		},
		{"JSON null is left out", directory.JSONLines, `{"id":"1","email":null,"aliases":null,"admin":null}`, []idmap.Account{{ID: "1"}}},
		{"JSON blank lines, CRLF, mark", directory.JSONLines, "\uFEFF\r\n{\"id\":\"1\"}\r\n\n  \n{ \"id\" : \" 2 \" }\r\n", []idmap.Account{{ID: "1"}, {ID: "2"}}},
		{"JSON other schemes", directory.JSONLines, `{"id":"1","aliases":["X400:C=us;A= ;S=Ann","a@example.com"]}`, []idmap.Account{{ID: "1", Aliases: []string{"a@example.com"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseAccounts(strings.NewReader(test.file), test.format)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func addresses(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("a%d@example.com", i)
	}
	return all
}

func TestParseGroups(t *testing.T) {
	want := []idmap.Group{
		{ID: "g1", Name: "sales", Caption: "Sales", Addresses: []string{"sales@example.com", "s@example.com"}, Disabled: true, BuiltIn: true},
		{ID: "g2"},
	}
	for format, file := range map[directory.Format]string{
		directory.CSV: "id,name,caption,addresses,disabled,built_in\ng1,sales,Sales,sales@example.com;s@example.com;sip:x,true,true\ng2,,,,,\n",
		directory.JSONLines: `{"id":"g1","name":"sales","caption":"Sales","addresses":["sales@example.com","s@example.com"],"disabled":true,"built_in":true}` +
			"\n" + `{"id":"g2"}`,
	} {
		got, err := directory.ParseGroups(strings.NewReader(file), format)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", format, got, err, want)
		}
	}
	_, err := directory.ParseGroups(strings.NewReader("id,name,addresses\ng1,a\x00b,x\ng1,,\n,,\n"), directory.CSV)
	wantFields(t, err, "line 2, column name", "line 2, column addresses", "line 3, column id", "line 4, column id")
	_, err = directory.ParseGroups(strings.NewReader("id,caption,addresses\n1,"+strings.Repeat("x", 1001)+","+strings.Join(addresses(1001), ";")+"\n"), directory.CSV)
	wantFields(t, err, "line 2, column addresses", "line 2, column caption")
	_, err = directory.ParseGroups(strings.NewReader("id,email\n"), directory.CSV)
	wantFields(t, err, "line 1, column email")
}

// The places at which a bad file is at fault, in order, and words of the first sentence.
func TestBadAccounts(t *testing.T) {
	const csv, lines = directory.CSV, directory.JSONLines
	tests := []struct {
		name   string
		format directory.Format
		file   string
		fields []string
		says   string
	}{
		{"empty", csv, "", []string{""}, "The file is empty"},
		{"mark only", csv, "\uFEFF", []string{""}, "The file is empty"},
		{"blank lines only", csv, "\n\n", []string{""}, "The file is empty"},
		{"UTF-16", csv, "\xFF\xFEi\x00d\x00", []string{""}, "UTF-16"},
		{"no header", csv, "1,Ann\n", []string{"line 1, column 1", "line 1, column Ann"}, `"1" is unknown`},
		{"missing column", csv, "email\na@example.com\n", []string{"line 1, column id"}, "does not name the column id"},
		{"unknown column", csv, "id,mail\n1,a@example.com\n", []string{"line 1, column mail"}, "id, username, email"},
		{"column in another case", csv, "ID\n1\n", []string{"line 1, column ID"}, "unknown"},
		{"duplicate column", csv, "id,email,id\n", []string{"line 1, column id"}, "twice"},
		{"semicolons", csv, "id;email\n", []string{"line 1"}, "separated by commas"},
		{"header in Latin-1", csv, "id,\xE9\n", []string{"line 1"}, "UTF-8"},
		{"header with a bare quote", csv, "id,a\"b\n", []string{"line 1"}, "The header cannot be read"},
		{"bad row in the middle", csv, "id,email\n1,a@example.com\n2,nope\n3,c@example.com\n", []string{"line 3, column email"}, `The email "nope" is no address: it has no @`},
		{"all bad rows", csv, "id,disabled,user_type\n1,ja,\n2,,boss\n,,\n4,true,full\n", []string{"line 2, column disabled", "line 3, column user_type", "line 4, column id"}, `"ja"; it must be true, false or empty`},
		{"a permission in other words", csv, "id,sign_in_permitted\n1,yes\n2,\x00\n3,unknown\n", []string{"line 2, column sign_in_permitted", "line 3, column sign_in_permitted", "line 4, column sign_in_permitted"}, `"yes"; it must be true, false or empty`},
		{"a permission in a string", lines, `{"id":"1","sign_in_permitted":"true"}`, []string{"line 1, field sign_in_permitted"}, "true or false"},
		{"two faults in one row", csv, "id,email,admin\n1,nope,0\n", []string{"line 2, column admin", "line 2, column email"}, "true, false"},
		{"lines are counted in the file", csv, "id,name,email\n1,\"two\nlines\",nope\n\n2,,nope\n", []string{"line 3, column email", "line 5, column email"}, ""},
		{"too few fields", csv, "id,name\n1\n2,b\n3,c,d\n", []string{"line 2", "line 4"}, "has 1 fields, the header names 2"},
		{"reading goes on behind a bare quote", csv, "id,name\n1,a\"b\n,x\n", []string{"line 2", "line 3, column id"}, "quotation mark"},
		{"reading goes on behind a broken quote", csv, "id,name\n1,\"a\"b\n,x\n", []string{"line 2", "line 3, column id"}, "quotation mark"},
		{"open quote", csv, "id,name\n1,\"a\n2,b\n3,c\n", []string{"line 2"}, "up to line"},
		{"NUL", csv, "id,name\n1,a\x00b\n", []string{"line 2, column name"}, "U+0000"},
		{"NUL in an id", csv, "id\n\x00\n", []string{"line 2, column id"}, "U+0000"},
		{"NUL in a boolean", csv, "id,admin\n1,\x00\n", []string{"line 2, column admin"}, "U+0000"},
		{"NUL in a dropped alias", csv, "id,aliases\n1,sip:\x00\n", []string{"line 2, column aliases"}, "U+0000"},
		{"Latin-1", csv, "id,name\n1,Andr\xE9\n", []string{"line 2, column name"}, "not valid UTF-8"},
		{"right-to-left mark in an id", csv, "id\n1\u200f\n", []string{"line 2, column id"}, "U+200F"},
		{"right-to-left mark in an email", csv, "id,email\n1,a\u200f@example.com\n", []string{"line 2, column email"}, "U+200F"},
		{"duplicate ids", csv, "id\n1\n2\n1\n 1 \n", []string{"line 4, column id", "line 5, column id"}, "stands on line 2 already"},
		{"one username in two spellings", csv, "id,username\n1,Straße\n2,other\n3, STRASSE\n", []string{"line 4, column username"}, "on line 2"},
		{"an id that is a username", csv, "id,username\njdoe,\n2,JDOE\n", []string{"line 3, column username"}, "on line 2"},
		{"a username that is an id", csv, "id,username\n2,JDOE\njdoe,\n", []string{"line 3, column id"}, "on line 2"},
		{"ids differ in case only", csv, "id\na\nA\n", []string{"line 3, column id"}, "Give this one a username"},
		{"one id twice is one fault", csv, "id\n" + strings.Repeat("a\n", 2), []string{"line 3, column id"}, "stands on line 2 already"},
		{"a username that cannot be read is not the id", lines, "{\"id\":\"a\"}\n{\"id\":\"A\",\"username\":1}", []string{"line 2, field username"}, "a string"},
		{"too many addresses", csv, "id,aliases\n1," + strings.Join(addresses(1001), ";") + "\n", []string{"line 2, column aliases"}, "There are 1001 addresses in aliases, at most 1000"},
		{"an id that folds to less", csv, "id\n" + strings.Repeat("e\u0301", 128) + "\n", []string{"line 2, column id"}, "256 characters"},
		{"long names", csv, "id,given_name,surname\n1," + strings.Repeat("x", 1001) + "," + strings.Repeat("x", 1001) + "\n", []string{"line 2, column given_name", "line 2, column surname"}, "1001 characters"},
		{"malformed alias", csv, "id,aliases\n1,a@example.com;nope;sip:x\n", []string{"line 2, column aliases"}, `"nope"`},
		{"an attribute without an X.400 address", csv, "id,aliases\n1,P=Org\n", []string{"line 2, column aliases"}, ""},
		{"email of another scheme", csv, "id,email\n1,x500:/o=a\n", []string{"line 2, column email"}, "is no address"},
		{"long username", csv, "id,username\n1," + strings.Repeat("x", 256) + "\n", []string{"line 2, column username"}, "256 characters"},
		{"a row without an end", csv, "id,name\n1,\"" + strings.Repeat("x\n", 5<<20), []string{""}, "Row 1 of the file is longer than 8 MiB"},
		{"a file without a line break", csv, strings.Repeat("x", 9<<20), []string{""}, "The first row of the file is longer than 8 MiB"},
		{"a line without an end", lines, "{\"id\":\"1\"}\n" + strings.Repeat("x", 9<<20), []string{""}, "Row 2 of the file is longer"},
		{"1 MB id", csv, "id\n" + strings.Repeat("x", 1<<20) + "\n", []string{"line 2, column id"}, "at most 255"},
		{"1 MB name", csv, "id,name\n1," + strings.Repeat("é", 1<<20) + "\n", []string{"line 2, column name"}, "at most 1000"},

		{"empty JSON", lines, "", []string{""}, "The file is empty"},
		{"blank JSON", lines, "\n \n", []string{""}, "The file is empty"},
		{"broken JSON", lines, "{\"id\":\"1\"}\n\n{\"id\":\n{\"id\":\"\"}\n", []string{"line 3", "line 4, field id"}, "is no JSON object"},
		{"an array", lines, `[{"id":"1"}]`, []string{"line 1"}, "is no JSON object"},
		{"two objects on a line", lines, `{"id":"1"}{"id":"2"}`, []string{"line 1"}, "is no JSON object"},
		{"unknown field", lines, `{"id":"1","ID":"2","revision":3}`, []string{"line 1, field ID", "line 1, field revision"}, "unknown"},
		{"field twice", lines, `{"id":"1","id":"2"}`, []string{"line 1, field id"}, "twice"},
		{
			"wrong types", lines, `{"id":1,"aliases":"a","admin":"true","name":["x"]}`,
			[]string{"line 1, field id", "line 1, field aliases", "line 1, field admin", "line 1, field name"},
			"is 1; it must be a string",
		},
		{"null among the aliases", lines, `{"id":"1","aliases":[null]}`, []string{"line 1, field aliases"}, "array of strings"},
		{"null id", lines, `{"id":null}`, []string{"line 1, field id"}, "empty"},
		{"no id", lines, `{}`, []string{"line 1, field id"}, "empty"},
		{"JSON NUL", lines, `{"id":"1","name":"\u0000"}`, []string{"line 1, field name"}, "U+0000"},
		{"JSON invalid UTF-8", lines, "{\"id\":\"\xE9\"}", []string{"line 1"}, "UTF-8"},
		{"lone surrogate", lines, `{"id":"\ud800"}`, []string{"line 1, field id"}, "U+FFFD"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseAccounts(strings.NewReader(test.file), test.format)
			if got != nil {
				t.Errorf("a file at fault gave %d accounts", len(got))
			}
			wantFields(t, err, test.fields...)
			violations := idmap.ViolationsOf(err)
			if len(violations) > 0 && !strings.Contains(violations[0].Description, test.says) {
				t.Errorf("the sentence %q does not say %q", violations[0].Description, test.says)
			}
			for _, v := range violations {
				if len(v.Description) > 1000 || len(v.Field) > 500 {
					t.Errorf("a sentence of %d bytes at a field of %d", len(v.Description), len(v.Field))
				}
			}
		})
	}
}

func wantFields(t *testing.T, err error, fields ...string) {
	t.Helper()
	if !idmap.IsKind(err, idmap.KindRule) {
		t.Fatalf("got %v, want a refusal of KindRule", err)
	}
	var got []string
	for _, v := range idmap.ViolationsOf(err) {
		got = append(got, v.Field)
		if v.Code != idmap.CodeInvalid || v.Description == "" {
			t.Errorf("code %q, description %q", v.Code, v.Description)
		}
		if v.Field != "" && !strings.HasPrefix(v.Description, "L"+v.Field[1:]+": ") {
			t.Errorf("the sentence %q does not begin with its place %q", v.Description, v.Field)
		}
	}
	if !slices.Equal(got, fields) {
		t.Errorf("at fault %q, want %q", got, fields)
	}
}

func TestManyFaults(t *testing.T) {
	file := "id,email\n" + strings.Repeat("1,nope\n", 5000)
	_, err := directory.ParseAccounts(strings.NewReader(file), directory.CSV)
	violations := idmap.ViolationsOf(err)
	if len(violations) != 1001 { // 5000 emails and 4999 ids, of which 1000 are listed
		t.Fatalf("%d violations, want 1001", len(violations))
	}
	if last := violations[1000].Description; last != "The file has 8999 more faults, which are not listed." {
		t.Errorf("the last one says %q", last)
	}
}

func TestReaderFailureIsReturned(t *testing.T) {
	broken := errors.New("broken pipe")
	for _, format := range []directory.Format{directory.CSV, directory.JSONLines} {
		for _, start := range []string{"", "id\n1\n", `{"id":"1"}` + "\n"} {
			r := io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken))
			if _, err := directory.ParseAccounts(r, format); start != "" && idmap.ViolationsOf(err) != nil && format == directory.CSV {
				continue // the line of JSON is no header
			} else if !errors.Is(err, broken) {
				t.Errorf("%s after %q: got %v, want the error of the reader", format, start, err)
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := directory.ParseAccounts(strings.NewReader("id\n"), "xml")
	wantFields(t, err, "")
}

func TestFormats(t *testing.T) {
	for name, want := range map[string]directory.Format{
		"a.csv": directory.CSV, "dir.x/B.CSV": directory.CSV, "a.jsonl": directory.JSONLines, "a.ndjson": directory.JSONLines,
		"a.json": "", "csv": "", "": "", "a.csv.gz": "",
	} {
		got, err := directory.FormatOf(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("FormatOf(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	for header, want := range map[string]directory.Format{
		"text/csv": directory.CSV, "Text/CSV; charset=UTF-8": directory.CSV, "application/jsonl": directory.JSONLines,
		"application/x-ndjson": directory.JSONLines, "application/json": "", "": "", "text/csv; charset=latin1": "", ";": "",
	} {
		got, err := directory.FormatOfContentType(header)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("FormatOfContentType(%q) = %q, %v; want %q", header, got, err, want)
		}
	}
	for _, format := range []directory.Format{directory.CSV, directory.JSONLines} {
		if got, err := directory.FormatOfContentType(format.ContentType()); err != nil || got != format {
			t.Errorf("the content type of %s is read as %q, %v", format, got, err)
		}
	}
}

// FuzzParse: no input makes the parser panic, a refusal names its faults, and what is accepted can be written as JSON
// lines and read back as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "id\n", allAccountColumns + "1,u,a@b.de,x500:a;b@c.de,n,g,s,stub,true,false,,true,false\n", "\uFEFFid,name\r\n1,\"a\nb\"\r\n",
		`{"id":"1","aliases":["a@b.de"],"admin":true}`, "{\"id\":\"1\"}\n{", "id,name\n1,\"\n", "id\n\x00\n\xff\n",
		"id,aliases\n1,X400:c=a;b=c;a@b.de\n", "\xff\xfe",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, file []byte, asCSV bool) {
		format := directory.JSONLines
		if asCSV {
			format = directory.CSV
		}
		groups, err := directory.ParseGroups(strings.NewReader(string(file)), format)
		if err == nil {
			reread(t, groups, directory.ParseGroups)
		}
		accounts, err := directory.ParseAccounts(strings.NewReader(string(file)), format)
		if err == nil {
			reread(t, accounts, directory.ParseAccounts)
		} else if violations := idmap.ViolationsOf(err); len(violations) == 0 || len(violations) > 1001 {
			t.Fatalf("%d violations: %v", len(violations), err)
		}
	})
}

func reread[T any](t *testing.T, rows []T, parse func(io.Reader, directory.Format) ([]T, error)) {
	t.Helper()
	if len(rows) == 0 {
		return
	}
	var written strings.Builder
	for _, row := range rows {
		if err := json.NewEncoder(&written).Encode(row); err != nil {
			t.Fatal(err)
		}
	}
	again, err := parse(strings.NewReader(written.String()), directory.JSONLines)
	if err != nil || !reflect.DeepEqual(again, rows) {
		t.Fatalf("read   %+v\nreread %+v\nerror %v", rows, again, err)
	}
}
