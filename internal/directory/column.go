package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// column is one field of a row of T: its name in the header and in the JSON object, and where its value goes.
type column[T any] struct {
	name string
	at   func(*T) value
}

// value takes what a file says, in either format. The error is a sentence part that follows the name of the field.
type value interface {
	setText(string) error
	setJSON(json.RawMessage) error
}

// text is a string, kept as typed but for surrounding blanks.
type text struct{ to *string }

func (v text) setText(s string) error {
	if err := readable(s); err != nil {
		return err
	}
	*v.to = strings.TrimSpace(s)
	return nil
}

func (v text) setJSON(raw json.RawMessage) error {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return wrongType(raw, "a string")
	}
	return v.setText(s)
}

// flag is a boolean. Empty is false.
type flag struct{ to *bool }

func (v flag) setText(s string) error {
	if err := readable(s); err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "false":
		*v.to = false
	case "true":
		*v.to = true
	default:
		return fmt.Errorf("is %s; it must be true, false or empty", quote(s))
	}
	return nil
}

func (v flag) setJSON(raw json.RawMessage) error {
	if json.Unmarshal(raw, v.to) != nil {
		return wrongType(raw, "true or false")
	}
	return nil
}

// optionalFlag is a boolean that a directory need not know. Empty is unknown, which is neither true nor false.
type optionalFlag struct{ to **bool }

func (v optionalFlag) setText(s string) error {
	var known bool
	if err := (flag{&known}).setText(s); err != nil {
		return err
	}
	if *v.to = nil; strings.TrimSpace(s) != "" {
		*v.to = &known
	}
	return nil
}

func (v optionalFlag) setJSON(raw json.RawMessage) error {
	*v.to = new(bool)
	return flag{*v.to}.setJSON(raw)
}

// list is several strings: in text separated by semicolons, in JSON an array. Empty ones are left out.
type list struct{ to *[]string }

func (v list) setText(s string) error { return v.set(strings.Split(s, ";")) }

func (v list) setJSON(raw json.RawMessage) error {
	var pointers []*string // a null among the strings must not pass for an empty one
	if json.Unmarshal(raw, &pointers) != nil {
		return wrongType(raw, "an array of strings")
	}
	elements := make([]string, len(pointers))
	for i, p := range pointers {
		if p == nil {
			return wrongType(raw, "an array of strings")
		}
		elements[i] = *p
	}
	return v.set(elements)
}

func (v list) set(elements []string) error {
	*v.to = nil
	for _, element := range elements {
		if err := readable(element); err != nil {
			return err
		}
		if element = strings.TrimSpace(element); element != "" {
			*v.to = append(*v.to, element)
		}
	}
	return nil
}

// readable refuses what is no text at all.
func readable(s string) error {
	switch {
	case !utf8.ValidString(s):
		return errors.New("is not valid UTF-8; save the file as UTF-8")
	case strings.ContainsRune(s, 0):
		return errors.New("has the control character U+0000; remove it")
	}
	return nil
}

func wrongType(raw json.RawMessage, want string) error {
	return fmt.Errorf("is %s; it must be %s", clip(string(bytes.TrimSpace(raw))), want)
}

// quote shows a value from the file in a sentence: escaped, and not longer than a reader wants to see it.
func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }

const shownLength = 80

func clip(s string) string {
	n := 0
	for i := range s {
		if n++; n > shownLength {
			return s[:i] + "…"
		}
	}
	return s
}
