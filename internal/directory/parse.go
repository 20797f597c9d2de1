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
	return parse(r, format, accountColumns, newAccountChecks())
}

// ParseGroups reads a file of groups. It keeps and refuses as ParseAccounts does.
func ParseGroups(r io.Reader, format Format) ([]idmap.Group, error) {
	return parse(r, format, groupColumns, newGroupChecks())
}

// maxRows bounds the memory that a file can take.
const maxRows = 1_000_000

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

func parse[T any](r io.Reader, format Format, columns []column[T], check checks[T]) ([]T, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	if err := skipMark(buffered); err != nil {
		return nil, err
	}
	var found findings
	rows, err := open(buffered, format, columns, &found)
	if err != nil {
		return nil, err
	}
	var all []T
	for {
		row, ok, err := rows.next(&found)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the directory file: %w", err)
		}
		if !ok {
			continue
		}
		if check(&row.value, &row.place); found.none() {
			all = append(all, row.value) // of a file that is refused nothing is kept
		}
		if len(all) > maxRows {
			return nil, idmap.Refusef(idmap.CodeInvalid, "", "The file has more than %d rows, which is more than one connection takes. Split the directory into several connections.", maxRows)
		}
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return all, nil
}

func open[T any](r *bufio.Reader, format Format, columns []column[T], found *findings) (source[T], error) {
	switch format {
	case CSV:
		found.where = "column"
		return openCSV(r, columns, found)
	case JSONLines:
		found.where = "field"
		return &jsonSource[T]{r: r, columns: columns}, nil
	}
	return nil, idmap.Refusef(idmap.CodeInvalid, "", "The format %s is unknown. Directory files are csv or jsonl.", quote(string(format)))
}

// skipMark drops the byte order mark that Windows programs put before UTF-8, and refuses UTF-16 by its mark.
func skipMark(r *bufio.Reader) error {
	start, err := r.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the directory file: %w", err)
	}
	switch {
	case bytes.Equal(start, []byte("\xEF\xBB\xBF")):
		_, _ = r.Discard(3) // buffered, cannot fail
	case bytes.HasPrefix(start, []byte("\xFF\xFE")), bytes.HasPrefix(start, []byte("\xFE\xFF")):
		return idmap.Refusef(idmap.CodeInvalid, "", "The file is UTF-16. Directory files are UTF-8. Save the file as UTF-8.")
	}
	return nil
}

// emptyFile refuses a file without anything. Taken as an empty directory, a file that was cut off by accident would
// delete every account.
func emptyFile() error {
	return idmap.Refusef(idmap.CodeInvalid, "",
		"The file is empty. A directory file has a row for each account or group. For a directory without any, send a CSV file with nothing but its header.")
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
