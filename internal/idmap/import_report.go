package idmap

import "time"

// ImportReport says what a directory import did.
type ImportReport struct {
	SHA256     string      `json:"sha256" doc:"Hex digest of the file as it was sent."`
	Count      int         `json:"count" doc:"Rows in the file."`
	ImportedOn time.Time   `json:"imported_on"`
	Created    int         `json:"created"`
	Updated    int         `json:"updated"`
	Deleted    int         `json:"deleted" doc:"Rows that the directory had and the file has not; they are kept, marked as deleted."`
	Unchanged  int         `json:"unchanged"`
	Warnings   []Violation `json:"warnings,omitempty" nullable:"false"`
}
