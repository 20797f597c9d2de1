package idmap

// MaxPageSize is the most rows that a list answers at once.
const MaxPageSize = 1000

// DefaultPageSize is how many rows a list answers when the caller does not say.
const DefaultPageSize = 20

// MaxBatch is the most items that lookup, validate and batch take at once.
const MaxBatch = 1000

// Page asks for a part of a list in the order of its immutable key.
type Page struct {
	After string // key of the last row that the caller has; "" for the first page
	Limit int    // 1 to MaxPageSize
	Last  bool   // the last rows of a list of mappings, in its order, instead of the first ones
}
