package directory

import (
	"mime"
	"path/filepath"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// Format is how a directory file is written.
type Format string

// The formats of directory files, both in UTF-8.
const (
	// CSV has a header that names the fields, in any order. Lists inside a field are separated by semicolons.
	CSV Format = "csv"
	// JSONLines has one object on each line. Blank lines are skipped.
	JSONLines Format = "jsonl"
)

// ContentType returns the media type under which a file of the format is sent, and "" for an unknown format.
func (f Format) ContentType() string {
	switch f {
	case CSV:
		return "text/csv"
	case JSONLines:
		return "application/jsonl"
	}
	return ""
}

// FormatOf returns the format that the ending of a file name stands for: .csv, .jsonl or .ndjson in any case. Another
// ending is an *idmap.Error.
func FormatOf(filename string) (Format, error) {
	switch strings.ToLower(filepath.Ext(filename)) {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONLines, nil
	}
	return "", idmap.Refusef(idmap.CodeInvalid, "file",
		"The name of the file %s does not say how it is written. Directory files end in .csv, .jsonl or .ndjson. Rename the file.",
		quote(filepath.Base(filename)))
}

// FormatOfContentType returns the format of a media type as it stands in a Content-Type header. Another media type, and
// a charset other than UTF-8, is an *idmap.Error.
func FormatOfContentType(header string) (Format, error) {
	media, parameters, err := mime.ParseMediaType(header)
	if err != nil {
		media = ""
	}
	if charset := parameters["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "us-ascii") {
		return "", idmap.Refusef(idmap.CodeInvalid, "Content-Type",
			"The directory file is sent in the charset %s. Directory files are UTF-8. Convert the file.", quote(charset))
	}
	switch media {
	case "text/csv", "application/csv":
		return CSV, nil
	case "application/jsonl", "application/x-jsonlines", "application/ndjson", "application/x-ndjson":
		return JSONLines, nil
	}
	return "", idmap.Refusef(idmap.CodeInvalid, "Content-Type",
		"The directory file is sent as %s. Directory files are text/csv or application/jsonl. Send one of these as the Content-Type.",
		quote(header))
}
