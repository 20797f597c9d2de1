package directory

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ParseAccounts reads a file of accounts, in the order of the file. Values are kept as typed but for surrounding
// blanks; aliases of a scheme other than SMTP: (such as x500: or sip:) are dropped, since they are no mail addresses.
//
// What is wrong with the file is one *idmap.Error of KindRule that names every row at fault by its line, in Field as
// "line 12, column email", up to 1,000 of them. A failure to read r is returned as it is.
func ParseAccounts(r io.Reader, format Format) ([]idmap.Account, error) {
	return parse(r, format, form[idmap.Account]{
		columns: accountColumns, required: 1, check: newAccountChecks(), noun: "account", whole: "directory",
		maxRows: maxRows, tooMany: "one connection takes. Split the directory into several connections",
	})
}

// ParseGroups reads a file of groups. It keeps and refuses as ParseAccounts does.
func ParseGroups(r io.Reader, format Format) ([]idmap.Group, error) {
	return parse(r, format, form[idmap.Group]{
		columns: groupColumns, required: 1, check: newGroupChecks(), noun: "group", whole: "directory",
		maxRows: maxRows, tooMany: "one connection takes. Split the directory into several connections",
	})
}

// maxRows and maxRowBytes bound the memory that a file can take. An account with a thousand long addresses has some 300 kB.
const (
	maxRows     = 1_000_000
	maxRowBytes = 8 << 20
)

// form says what a file of one kind of rows looks like, and the words for it.
type form[T any] struct {
	columns  []column[T]
	required int // so many columns, the first ones, stand in every CSV file
	check    checks[T]
	noun     string // what a row is
	whole    string // what all rows are
	maxRows  int
	tooMany  string // ends the sentence "more than"
}

// header names the columns as a CSV file has to.
func (f form[T]) header() string {
	if f.required == len(f.columns) {
		return names(f.columns)
	}
	return names(f.columns[:f.required]) + ", and any of " + names(f.columns[f.required:])
}

// emptyFile refuses a file without anything. Taken as an empty directory, a file that was cut off by accident would
// delete every account.
func (f form[T]) emptyFile() error {
	return idmap.Refusef(idmap.CodeInvalid, "",
		"The file is empty. It has a row for each %s. For a %s without any, give a CSV file with nothing but its header.", f.noun, f.whole)
}

// checks says what is wrong with a row that could be read.
type checks[T any] func(row *T, at *place)

// source reads the rows of one format. It returns io.EOF after the last row. Where ok is false the row could not be
// read, which is noted, and the next call goes on behind it.
type source[T any] interface {
	next(found *findings) (row row[T], ok bool, err error)
}

type row[T any] struct {
	value T
	place
}

// place is where a row stands in its file.
type place struct {
	line  int
	lines map[string]int  // of the fields that stand on a later line, behind a line break in quotation marks
	bad   map[string]bool // fields that could not be read; what they hold is not what the file says
	found *findings
}

// add notes a fault of a field.
func (p *place) add(field, format string, args ...any) {
	line := p.line
	if later, ok := p.lines[field]; ok {
		line = later
	}
	p.found.add(line, field, format, args...)
}

// unreadable notes that a field could not be read.
func (p *place) unreadable(field string, err error) {
	p.add(field, "The %s %s.", field, err)
	if p.bad == nil {
		p.bad = map[string]bool{}
	}
	p.bad[field] = true
}

func parse[T any](r io.Reader, format Format, form form[T]) ([]T, error) {
	var all []T
	err := eachRow(r, format, form, func(row row[T]) { all = append(all, row.value) })
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachRow hands the good rows over, in the order of the file. Behind a row at fault it hands over none: of a file that is
// refused nothing is kept.
func eachRow[T any](r io.Reader, format Format, form form[T], keep func(row[T])) error {
	bounded := &rowReader{r: r, left: maxRowBytes}
	buffered := bufio.NewReaderSize(bounded, 64<<10)
	if err := skipMark(buffered); err != nil {
		return err
	}
	var found findings
	rows, err := open(buffered, format, form, &found)
	switch {
	case errors.Is(err, errLongRow):
		return longRow("The first row")
	case err != nil:
		return err
	}
	for n := 1; ; n++ {
		bounded.left = maxRowBytes
		row, ok, err := rows.next(&found)
		switch {
		case errors.Is(err, io.EOF):
			return found.err()
		case errors.Is(err, errLongRow):
			return longRow(fmt.Sprintf("Row %d", n))
		case err != nil:
			return fmt.Errorf("reading the file: %w", err)
		case n > form.maxRows:
			return idmap.Refusef(idmap.CodeInvalid, "", "The file has more than %d rows, which is more than %s.", form.maxRows, form.tooMany)
		case !ok:
			continue
		}
		if form.check(&row.value, &row.place); found.none() {
			keep(row)
		}
	}
}

var errLongRow = errors.New("the row is too long")

func longRow(which string) error {
	return idmap.Refusef(idmap.CodeInvalid, "", "%s of the file is longer than %d MiB. Is there a quotation mark, or a line break, missing?", which, maxRowBytes>>20)
}

// rowReader ends the reading of a row that does not end: behind a quotation mark that is never closed, the rest of the file
// is one field.
type rowReader struct {
	r    io.Reader
	left int
}

func (r *rowReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errLongRow
	}
	n, err := r.r.Read(p)
	r.left -= n
	return n, err
}

func open[T any](r *bufio.Reader, format Format, form form[T], found *findings) (source[T], error) {
	switch format {
	case CSV:
		found.where = "column"
		return openCSV(r, form, found)
	case JSONLines:
		found.where = "field"
		return &jsonSource[T]{r: r, form: form}, nil
	}
	return nil, idmap.Refusef(idmap.CodeInvalid, "", "The format %s is unknown. Directory files are csv or jsonl.", quote(string(format)))
}

// skipMark drops the byte order mark that Windows programs put before UTF-8, and refuses UTF-16 by its mark.
func skipMark(r *bufio.Reader) error {
	start, err := r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the file: %w", err)
	}
	switch {
	case bytes.Equal(start, []byte("\xEF\xBB\xBF")):
		_, _ = r.Discard(3) // buffered, cannot fail
	case bytes.HasPrefix(start, []byte("\xFF\xFE")), bytes.HasPrefix(start, []byte("\xFE\xFF")):
		return idmap.Refusef(idmap.CodeInvalid, "", "The file is UTF-16. It must be UTF-8. Save the file as UTF-8.")
	}
	return nil
}

func names[T any](columns []column[T]) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = c.name
	}
	return strings.Join(all, ", ")
}

func find[T any](columns []column[T], name string) (column[T], bool) {
	for _, c := range columns {
		if c.name == name {
			return c, true
		}
	}
	return column[T]{}, false
}
