package directory

import (
	"bufio"
	"io"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// PairWriter writes the published CSV of eight columns, every field in quotation marks. ParsePairs reads it.
type PairWriter struct {
	w     *bufio.Writer
	begun bool
}

// NewPairWriter returns a writer that has not written the header yet: the first Write, or Close, does.
func NewPairWriter(w io.Writer) *PairWriter { return &PairWriter{w: bufio.NewWriter(w)} }

// Write writes a row; a nil destination leaves its columns empty.
func (w *PairWriter) Write(source idmap.Principal, destination *idmap.Principal) error {
	fields := fieldsOf(source)
	if destination == nil {
		destination = &idmap.Principal{}
	}
	if err := w.begin(); err != nil {
		return err
	}
	return w.row(append(fields, fieldsOf(*destination)...))
}

// Close writes what is buffered.
func (w *PairWriter) Close() error {
	if err := w.begin(); err != nil {
		return err
	}
	return w.w.Flush()
}

func (w *PairWriter) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	header := make([]string, len(pairColumns))
	for i, c := range pairColumns {
		header[i] = c.name
	}
	return w.row(header)
}

// row is written by hand since package csv quotes only where it must.
func (w *PairWriter) row(fields []string) error {
	for i, field := range fields {
		if i > 0 {
			_ = w.w.WriteByte(',') // the buffer keeps its first error, and the last write returns it
		}
		_, _ = w.w.WriteString(`"` + strings.ReplaceAll(field, `"`, `""`) + `"`)
	}
	return w.w.WriteByte('\n')
}

// fieldsOf returns id, username, name and caption in the sense of the format: name is the account name, which is the email
// where there is one, and caption the display name. A name that is no email has to stand as the id too, if there is none.
func fieldsOf(p idmap.Principal) []string {
	name := p.Name
	switch {
	case p.Email != "":
		name = p.Email
	case p.Username != "" && !strings.Contains(p.Name, "@"):
		name = p.Username
	}
	id, caption := p.ID, p.Caption
	if id == "" && !strings.Contains(name, "@") {
		id = name
	}
	if caption == "" && p.Name != name {
		caption = p.Name
	}
	return []string{id, p.Username, name, caption}
}
