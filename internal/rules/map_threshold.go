package rules

import "github.com/idmap/terraform-provider-idmap/internal/match"

// DefaultFuzzyThreshold and MinFuzzyThreshold are the threshold of partial matches that a map has where it gives none,
// and the least one that it can have.
const (
	DefaultFuzzyThreshold = match.DefaultThreshold
	MinFuzzyThreshold     = match.MinThreshold
)
