package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// write writes the files of the example into a folder.
func (c *company) write(folder string) error {
	oldGroups, cloudGroups := c.groups()
	for name, rows := range map[string][][]string{
		"fileserver-accounts.csv": accountRows(c.people, func(p person) *account { return p.old }),
		"cloud-accounts.csv":      accountRows(c.people, func(p person) *account { return p.cloud }),
		"fileserver-groups.csv":   groupRows(oldGroups),
		"cloud-groups.csv":        groupRows(cloudGroups),
	} {
		if err := writeCSV(filepath.Join(folder, name), rows); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(folder, "exceptions.csv"), []byte(c.exceptions()), 0o644)
}

func accountRows(people []person, of func(person) *account) [][]string {
	rows := [][]string{{"id", "username", "email", "aliases", "name", "given_name", "surname", "disabled", "external"}}
	for _, p := range people {
		if a := of(p); a != nil {
			rows = append(rows, []string{
				a.id, a.username, a.email, a.alias, a.name, a.given, a.surname, strconv.FormatBool(a.disabled), strconv.FormatBool(a.external),
			})
		}
	}
	return rows
}

func groupRows(groups []group) [][]string {
	rows := [][]string{{"id", "name", "caption"}}
	for _, g := range groups {
		rows = append(rows, []string{g.id, g.name, g.caption})
	}
	return rows
}

func writeCSV(file string, rows [][]string) error {
	var text strings.Builder
	if err := csv.NewWriter(&text).WriteAll(rows); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

// exceptions is the helpdesk's list, in the eight columns that migration tools exchange.
func (c *company) exceptions() string {
	const header = `"source_id","source_username","source_name","source_caption","destination_id","destination_username","destination_name","destination_caption"`
	lines := []string{header}
	for _, p := range c.pairs {
		lines = append(lines, `"","`+p.old.username+`","","`+p.old.name+`","","","`+p.cloud.email+`","`+p.cloud.name+`"`)
	}
	return strings.Join(lines, "\n") + "\n"
}
