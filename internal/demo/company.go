package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A company is a working copy of the example: what its people would have under version
// control.
type company struct{ folder string }

// copyCompany copies the configuration and its files. Whatever else lies beside them,
// such as the state of somebody who tried the example there, stays where it is.
func copyCompany(from, to string) (company, error) {
	if err := os.Mkdir(to, 0o755); err != nil {
		return company{}, err
	}
	for _, pattern := range []string{"*.tf", "*.csv"} {
		files, err := filepath.Glob(filepath.Join(from, pattern))
		if err != nil || len(files) == 0 {
			return company{}, errors.Join(err, fmt.Errorf("there is no %s in %s", pattern, from))
		}
		for _, file := range files {
			if err := copyFile(file, filepath.Join(to, filepath.Base(file))); err != nil {
				return company{}, err
			}
		}
	}
	return company{to}, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// rows returns how many rows a CSV file has under its header.
func (c company) rows(file string) (int, error) {
	content, err := os.ReadFile(filepath.Join(c.folder, file))
	return strings.Count(string(content), "\n") - 1, err
}

// An edit replaces a text that stands once in a file. Where old is empty, new is added
// at the end, of a new file if need be.
type edit struct{ file, old, new string }

// A change is what an edit did, in whole lines.
type change struct {
	file           string
	removed, added []string
}

// edit makes the edits, and returns what they changed and how to take it all back.
func (c company) edit(edits []edit) (changes []change, undo func() error, err error) {
	var undos []func() error
	undo = func() error {
		var failures []error
		for _, one := range slices.Backward(undos) {
			failures = append(failures, one())
		}
		return errors.Join(failures...)
	}
	for _, e := range edits {
		made, takeBack, err := c.editOne(e)
		if err != nil {
			return nil, nil, errors.Join(err, undo())
		}
		changes, undos = append(changes, made), append(undos, takeBack)
	}
	return changes, undo, nil
}

func (c company) editOne(e edit) (change, func() error, error) {
	path := filepath.Join(c.folder, e.file)
	content, err := os.ReadFile(path)
	before, existed := string(content), err == nil
	if err != nil && (e.old != "" || !errors.Is(err, os.ErrNotExist)) {
		return change{}, nil, err
	}
	after := before + e.new
	if e.old != "" {
		if n := strings.Count(before, e.old); n != 1 {
			return change{}, nil, fmt.Errorf("%q stands %d times in %s, not once", e.old, n, e.file)
		}
		after = strings.Replace(before, e.old, e.new, 1)
	}
	undo := func() error {
		if !existed {
			return os.Remove(path)
		}
		return os.WriteFile(path, content, 0o644)
	}
	return changeOf(e.file, before, after), undo, os.WriteFile(path, []byte(after), 0o644)
}

// changeOf returns the lines in which two texts differ: all but those that they begin
// and end with alike.
func changeOf(file, before, after string) change {
	old, fresh := lines(before), lines(after)
	for len(old) > 0 && len(fresh) > 0 && old[0] == fresh[0] {
		old, fresh = old[1:], fresh[1:]
	}
	for len(old) > 0 && len(fresh) > 0 && old[len(old)-1] == fresh[len(fresh)-1] {
		old, fresh = old[:len(old)-1], fresh[:len(fresh)-1]
	}
	return change{file: file, removed: old, added: fresh}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}
