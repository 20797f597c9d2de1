package directory

import (
	"fmt"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// maxFindings is how many faults an error lists. A file in the wrong format is at fault in every row.
const maxFindings = 1000

// findings gathers what is wrong with a file.
type findings struct {
	where string // what a field is called in this format
	list  []idmap.Violation
	more  int
}

// none reports whether nothing was found yet.
func (f *findings) none() bool { return len(f.list) == 0 }

// add notes a fault on a line. Field is "" where the whole row is at fault, line 0 where the whole file is.
func (f *findings) add(line int, field, format string, args ...any) {
	if len(f.list) == maxFindings {
		f.more++
		return
	}
	at := ""
	if line > 0 {
		at = fmt.Sprintf("line %d", line)
		if field != "" {
			at += ", " + f.where + " " + field
		}
	}
	description := fmt.Sprintf(format, args...)
	if at != "" {
		description = upper(at) + ": " + description
	}
	f.list = append(f.list, idmap.Violation{Code: idmap.CodeInvalid, Field: at, Description: description})
}

// err returns all findings as one error, or nil.
func (f *findings) err() error {
	if f.more > 0 {
		f.list = append(f.list, idmap.Violation{
			Code:        idmap.CodeInvalid,
			Description: fmt.Sprintf("The file has %d more faults, which are not listed.", f.more),
		})
		f.more = 0
	}
	return idmap.Refuse(f.list...)
}

func upper(s string) string { return string(s[0]-'a'+'A') + s[1:] }
