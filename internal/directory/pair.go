package directory

import (
	"io"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// ParsePairs reads exceptions from the published CSV of eight columns: source_id, source_username, source_name,
// source_caption, and the same of the destination, in any order. It answers the line of each, from 1. A row of which a
// side is empty is at fault. Every row at fault is named, as ParseAccounts does, and with one nothing is answered.
func ParsePairs(r io.Reader) ([]idmap.MapException, []int, error) {
	return parsePairs(r, form[idmap.MapException]{columns: pairColumns, check: checkPair, noun: "exception", whole: "map"})
}

// ParseExclusions reads exclusions from CSV with the columns id, username, name, caption, and location where the caller
// gives none. Otherwise it is like ParsePairs.
func ParseExclusions(r io.Reader, location idmap.Location) ([]idmap.MapExclusion, []int, error) {
	form := form[idmap.MapExclusion]{columns: exclusionColumns, check: checkExclusion, noun: "exclusion", whole: "map"}
	if location != "" {
		form.columns = exclusionColumns[:len(exclusionColumns)-1]
		form.check = func(e *idmap.MapExclusion, at *place) {
			e.Location = location
			checkExclusion(e, at)
		}
	}
	return parsePairs(r, form)
}

// parsePairs completes the form: all columns are required, and a map takes so many rows.
func parsePairs[T any](r io.Reader, form form[T]) ([]T, []int, error) {
	form.required, form.maxRows, form.tooMany = len(form.columns), idmap.MaxMapItems, "one map takes. Remove some, or make several maps"
	var all []T
	var lines []int
	err := eachRow(r, CSV, form, func(row row[T]) {
		all = append(all, row.value)
		lines = append(lines, row.line)
	})
	if err != nil {
		return nil, nil, err
	}
	return all, lines, nil
}

var pairColumns = append(
	principalColumns("source_", func(e *idmap.MapException) *idmap.Principal { return &e.Source }),
	principalColumns("destination_", func(e *idmap.MapException) *idmap.Principal { return &e.Destination })...,
)

var exclusionColumns = append(
	principalColumns("", func(e *idmap.MapExclusion) *idmap.Principal { return &e.SID }),
	column[idmap.MapExclusion]{"location", func(e *idmap.MapExclusion) value { return text{(*string)(&e.Location)} }},
)

func principalColumns[T any](prefix string, of func(*T) *idmap.Principal) []column[T] {
	return []column[T]{
		{prefix + "id", func(row *T) value { return text{&of(row).ID} }},
		{prefix + "username", func(row *T) value { return text{&of(row).Username} }},
		{prefix + "name", func(row *T) value { return text{&of(row).Name} }},
		{prefix + "caption", func(row *T) value { return text{&of(row).Caption} }},
	}
}

func checkPair(e *idmap.MapException, at *place) {
	checkPrincipal(e.Source, "source_", "source", at)
	checkPrincipal(e.Destination, "destination_", "destination", at)
}

func checkExclusion(e *idmap.MapExclusion, at *place) {
	checkPrincipal(e.SID, "", "row", at)
	if at.bad["location"] {
		return
	}
	switch location := idmap.Location(strings.ToLower(string(e.Location))); location {
	case idmap.LocationSource, idmap.LocationDestination:
		e.Location = location
	default:
		at.add("location", "The location %s is unknown. It is source or destination: the side of the map that the account or group is on.", quote(string(e.Location)))
	}
}

// checkPrincipal refuses a side that names nobody, such as that of a report's row without a destination.
func checkPrincipal(p idmap.Principal, prefix, side string, at *place) {
	checkNames(at, prefix+"id", p.ID, prefix+"username", p.Username, prefix+"name", p.Name, prefix+"caption", p.Caption)
	unread := at.bad[prefix+"id"] || at.bad[prefix+"username"] || at.bad[prefix+"name"] || at.bad[prefix+"caption"]
	if p == (idmap.Principal{}) && !unread {
		at.add("", "The %s names nobody: its id, username, name and caption are all empty. One of them must be filled in. Fill one in, or remove the row.", side)
	}
}
