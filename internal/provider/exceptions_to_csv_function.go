package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ function.Function = exceptionsToCSVFunction{}

func newExceptionsToCSVFunction() function.Function { return exceptionsToCSVFunction{} }

// exceptionsToCSVFunction makes the published CSV of the exceptions of a map.
type exceptionsToCSVFunction struct{}

func (exceptionsToCSVFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "exceptions_to_csv"
}

func (exceptionsToCSVFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Write the exceptions of a map as CSV",
		MarkdownDescription: "Returns a map of source to destination, such as `exceptions` of an account map or a group map, as the CSV of eight columns that mapping servers import. " +
			"An address stands in the column of the name; any other name stands in that of the id as well, as the format wants it. The rows are sorted by their sources.\n\n" +
			"`exceptions_from_csv` makes the same map of it again. What could not come back the same is refused: names that are empty or null, that have blanks around them or line breaks, and addresses of sources that differ in case alone.",
		Parameters: []function.Parameter{
			function.MapParameter{Name: "exceptions", ElementType: types.StringType, MarkdownDescription: "Source to destination."},
		},
		Return: function.StringReturn{},
	}
}

func (exceptionsToCSVFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var exceptions map[string]*string
	if resp.Error = req.Arguments.Get(ctx, &exceptions); resp.Error != nil {
		return
	}
	text, err := exceptionsToCSV(exceptions)
	if err != nil {
		resp.Error = argumentError(err)
		return
	}
	resp.Error = resp.Result.Set(ctx, text)
}

// exceptionsToCSV is undone by exceptionsFromCSV. Its error has a line for each fault.
func exceptionsToCSV(exceptions map[string]*string) (string, error) {
	var text strings.Builder
	var found []idmap.Violation
	w, spelled := directory.NewPairWriter(&text), map[string]string{}
	for _, source := range slices.Sorted(maps.Keys(exceptions)) {
		if exceptions[source] == nil {
			found = append(found, idmap.Violation{Description: fmt.Sprintf("Exception %q = null: The destination is null. A name is required.", source)})
			continue
		}
		destination := *exceptions[source]
		found = append(found, csvFaults(source, destination)...)
		if other, twice := spelled[nameKey(source)]; twice && strings.Contains(source, "@") { // other names stand as ids
			found = append(found, idmap.Violation{Description: fmt.Sprintf("The sources %q and %q differ in their spelling alone. A source has one destination. Remove one of them.", other, source)})
		}
		spelled[nameKey(source)] = source
		if err := w.Write(idmap.Principal{Name: source}, &idmap.Principal{Name: destination}); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return text.String(), faults(found)
}

// csvFaults says what of an exception would not come back from a CSV as it was.
func csvFaults(source, destination string) []idmap.Violation {
	var found []idmap.Violation
	for _, name := range []string{source, destination} {
		what := ""
		switch {
		case blank(name):
			what = "is empty. A name is required"
		case strings.TrimSpace(name) != name:
			what = "has blanks around it, which a CSV does not keep. Remove them"
		case strings.ContainsAny(name, "\r\n"):
			what = "has a line break, which no name has. Remove it"
		default:
			if err := idmap.PlainText(name, idmap.MaxNameLength); err != nil {
				what = "cannot be used: " + err.Error()
			}
		}
		if what != "" {
			found = append(found, idmap.Violation{Description: fmt.Sprintf("Exception %q = %q: The name %q %s.", source, destination, name, what)})
		}
	}
	return found
}
