package directory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

type jsonSource[T any] struct {
	r     *bufio.Reader
	form  form[T]
	line  int
	lines bool // a line that is not blank was seen
}

func (s *jsonSource[T]) next(found *findings) (row[T], bool, error) {
	line, err := s.nextLine()
	if err != nil {
		return row[T]{}, false, err
	}
	row := row[T]{place: place{line: s.line, found: found}}
	fields, err := members(line)
	if err != nil {
		found.add(s.line, "", "The line %s. Each line is one JSON object, such as {\"id\":\"…\"}.", err)
		return row, false, nil
	}
	seen := map[string]bool{}
	for _, field := range fields {
		c, ok := find(s.form.columns, field.name)
		switch {
		case !ok:
			found.add(s.line, clip(field.name), "The field %s is unknown. The fields are %s. Rename or remove it.", quote(field.name), names(s.form.columns))
			continue
		case seen[field.name]:
			found.add(s.line, field.name, "The object has the field %s twice. Remove one of them.", quote(field.name))
			continue
		}
		seen[field.name] = true
		if string(field.value) == "null" {
			continue // as if it were left out
		}
		if err := c.at(&row.value).setJSON(field.value); err != nil {
			row.unreadable(field.name, err)
		}
	}
	return row, true, nil
}

// nextLine returns the next line that is not blank. A file without any is refused; after the last line it is io.EOF.
func (s *jsonSource[T]) nextLine() ([]byte, error) {
	for {
		line, err := s.r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(line) > 0 {
			s.line++
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			s.lines = true
			return line, nil
		}
		if err != nil && !s.lines {
			return nil, s.form.emptyFile()
		}
		if err != nil {
			return nil, io.EOF
		}
	}
}

type member struct {
	name  string
	value json.RawMessage
}

// members takes a JSON object apart. Package json would match names without regard to case, and let the last of two
// equal ones win; a directory that is written wrongly must not be read as something else.
func members(line []byte) ([]member, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("is not valid UTF-8")
	}
	if !json.Valid(line) {
		return nil, fmt.Errorf("is no JSON object: %s", quote(string(line)))
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("is no JSON object: %s", quote(string(line)))
	}
	var all []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		m := member{}
		m.name, _ = name.(string) // the name of a member of valid JSON is a string
		if err := decoder.Decode(&m.value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}
