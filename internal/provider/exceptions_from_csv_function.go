package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

var _ function.Function = exceptionsFromCSVFunction{}

func newExceptionsFromCSVFunction() function.Function { return exceptionsFromCSVFunction{} }

// exceptionsFromCSVFunction makes the exceptions of a map of the published CSV.
type exceptionsFromCSVFunction struct{}

func (exceptionsFromCSVFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "exceptions_from_csv"
}

func (exceptionsFromCSVFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Read the exceptions of a map from CSV",
		MarkdownDescription: "Returns the pairs of a CSV text as a map of source to destination, which is what `exceptions` of `idmap_account_map` and `idmap_group_map` takes. " +
			"The first line names the columns: `source_id`, `source_username`, `source_name`, `source_caption`, and the same with `destination_`. All eight must be there, in any order; the fields of a row may be empty. " +
			"One field of each side names the account or the group: its id; without one its name, else its username, else its caption. The others are not compared with the directory, as they are where such a file is uploaded to the API. " +
			"The exported report of a map is such a CSV, once the rows without a destination are taken out.\n\n" +
			"The function fails, and tells the line of each, if rows cannot be read, if a side of a row names nobody, or if two rows have the same source. Case makes a difference between ids only.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "csv", MarkdownDescription: "The text of the CSV, such as `file(\"exceptions.csv\")`."},
		},
		Return: function.MapReturn{ElementType: types.StringType},
	}
}

func (exceptionsFromCSVFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	exceptions, err := exceptionsFromCSV(text)
	if err != nil {
		resp.Error = argumentError(err)
		return
	}
	resp.Error = resp.Result.Set(ctx, exceptions)
}

// exceptionsFromCSV returns source → destination. Its error has a line for each fault.
func exceptionsFromCSV(text string) (map[string]string, error) {
	pairs, lines, err := directory.ParsePairs(strings.NewReader(text))
	if violations := idmap.ViolationsOf(err); len(violations) > 0 {
		return nil, faults(violations)
	}
	if err != nil {
		return nil, err
	}
	exceptions, same, alike := make(map[string]string, len(pairs)), make(map[string]int, len(pairs)), make(map[string]int, len(pairs))
	var twice []idmap.Violation
	for i, pair := range pairs {
		source := inCSV(pair.Source)
		n, found := same[source]
		if !found {
			n, found = alike[nameKey(source)]
			found = found && (pair.Source.ID == "" || pairs[n].Source.ID == "") // ids that differ in case are two
		}
		if found {
			twice = append(twice, idmap.Violation{Description: fmt.Sprintf("Line %d: The source %q stands on line %d already, as %q. A source has one row. Remove one of them.",
				lines[i], source, lines[n], inCSV(pairs[n].Source))})
			continue
		}
		same[source], exceptions[source] = i, inCSV(pair.Destination)
		if _, taken := alike[nameKey(source)]; !taken {
			alike[nameKey(source)] = i
		}
	}
	return exceptions, faults(twice)
}

// argumentError is an error of the only argument. Terraform itself ends the sentence.
func argumentError(err error) *function.FuncError {
	return function.NewArgumentFuncError(0, strings.TrimSuffix(err.Error(), "."))
}

// inCSV returns what the CSV calls an account or a group by: what names it best.
func inCSV(p idmap.Principal) string {
	for _, text := range []string{p.ID, p.Name, p.Username} {
		if text != "" {
			return text
		}
	}
	return p.Caption
}

// faults returns an error with a line for each, or nil for none.
func faults(found []idmap.Violation) error {
	if len(found) == 0 {
		return nil
	}
	lines := make([]string, len(found))
	for i, v := range found {
		lines[i] = v.Description
	}
	return errors.New(strings.Join(lines, "\n"))
}
