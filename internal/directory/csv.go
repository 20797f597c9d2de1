package directory

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

type csvSource[T any] struct {
	r       *csv.Reader
	columns []column[T] // in the order of the header
}

// openCSV reads the header. A header at fault ends the reading: no row behind it could be understood.
func openCSV[T any](r *bufio.Reader, form form[T], found *findings) (source[T], error) {
	s := &csvSource[T]{r: csv.NewReader(r)}
	s.r.FieldsPerRecord = -1 // counted by hand, so that reading goes on behind a row of the wrong length
	s.r.ReuseRecord = true
	header, err := s.r.Read()
	var syntax *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil, form.emptyFile()
	case errors.As(err, &syntax):
		found.add(syntax.Line, "", "The header cannot be read: %s.", quoting(syntax))
		return nil, found.err()
	case err != nil:
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		found.add(1, "", "The header names one column, %s: the fields seem to be separated by semicolons or tabs. They must be separated by commas.", quote(header[0]))
		return nil, found.err()
	}
	for i, name := range header {
		line, _ := s.r.FieldPos(i)
		s.addColumn(strings.TrimSpace(name), line, form.columns, found)
	}
	if found.none() { // a column that is unknown is mostly one that is missing, by another name
		line, _ := s.r.FieldPos(0)
		s.checkRequired(line, form, found)
	}
	return s, found.err()
}

// checkRequired notes the columns without which a row says nothing.
func (s *csvSource[T]) checkRequired(line int, form form[T], found *findings) {
	var missing []column[T]
	for _, c := range form.columns[:form.required] {
		if _, ok := find(s.columns, c.name); !ok {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return
	}
	noun := "column"
	if len(missing) > 1 {
		noun = "columns"
	}
	found.add(line, missing[0].name, "The header does not name the %s %s. The first line of a CSV file names its columns, separated by commas: %s.",
		noun, names(missing), form.header())
}

func (s *csvSource[T]) addColumn(name string, line int, columns []column[T], found *findings) {
	if err := readable(name); err != nil {
		found.add(line, "", "The header %s.", err)
		return
	}
	c, ok := find(columns, name)
	if !ok {
		found.add(line, clip(name), "The column %s is unknown. The columns are %s, separated by commas. Rename or remove it.", quote(name), names(columns))
		return
	}
	if _, twice := find(s.columns, name); twice {
		found.add(line, name, "The header names the column %s twice. Remove one of them.", quote(name))
		return
	}
	s.columns = append(s.columns, c)
}

func (s *csvSource[T]) next(found *findings) (row[T], bool, error) {
	var row row[T]
	record, err := s.r.Read()
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		found.add(syntax.StartLine, "", "The row cannot be read: %s.", quoting(syntax))
		return row, false, nil
	}
	if err != nil {
		return row, false, err
	}
	row.line, _ = s.r.FieldPos(0)
	row.found = found
	if len(record) != len(s.columns) {
		found.add(row.line, "", "The row has %d fields, the header names %d. Put a field that has a comma, a quotation mark or a line break in quotation marks.",
			len(record), len(s.columns))
		return row, false, nil
	}
	for i, c := range s.columns {
		if line, _ := s.r.FieldPos(i); line != row.line {
			row.moved(c.name, line)
		}
		if err := c.at(&row.value).setText(record[i]); err != nil {
			row.unreadable(c.name, err)
		}
	}
	return row, true, nil
}

func (p *place) moved(field string, line int) {
	if p.lines == nil {
		p.lines = map[string]int{}
	}
	p.lines[field] = line
}

// quoting says what is wrong with quotation marks: with the count of fields our own, nothing else is left to the
// reader to complain about.
func quoting(err *csv.ParseError) string {
	if errors.Is(err, csv.ErrBareQuote) {
		return fmt.Sprintf("a quotation mark stands inside a field that does not begin with one, at position %d; put the whole field in quotation marks and write the mark twice", err.Column)
	}
	if err.Line != err.StartLine {
		return fmt.Sprintf("a field in quotation marks does not end properly, up to line %d; end it with a quotation mark, and write a mark inside it twice", err.Line)
	}
	return fmt.Sprintf("a field in quotation marks does not end properly, at position %d; end it with a quotation mark, and write a mark inside it twice", err.Column)
}
