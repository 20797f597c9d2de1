package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

type directoryCommand struct {
	Import directoryImportCommand `cmd:"" help:"Replace the accounts, or the groups, of a connection by those of a file."`
}

type directoryImportCommand struct {
	target
	Connection given  `required:"" placeholder:"NAME" help:"Name or id of the connection."`
	Groups     bool   `help:"The file has groups, not accounts."`
	File       string `arg:"" help:"CSV (.csv) or JSON lines (.jsonl, .ndjson), in UTF-8."`
}

// Help is what the help of the command says beyond its flags.
func (directoryImportCommand) Help() string {
	return "The file is imported whole or not at all. Accounts that it lacks are kept, marked as deleted. " +
		"A file that is refused is answered with every row at fault."
}

// Run leaves reading the rows to the backend, which has to anyway.
func (c directoryImportCommand) Run(ctx context.Context, p *Program) error {
	format, err := directory.FormatOf(c.File)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("the directory file cannot be read: %w; give the path of a CSV or JSON lines file", err)
	}
	return c.withExisting(ctx, p, func(api *client.Client) error {
		connection, err := connectionOf(ctx, api, c.Connection)
		if err != nil {
			return err
		}
		report, err := c.send(ctx, api, connection.ID, format, content)
		if err != nil {
			return c.refused(connection, err)
		}
		c.print(p, connection, report)
		return nil
	})
}

func (c directoryImportCommand) send(ctx context.Context, api *client.Client, id string, format directory.Format, content []byte) (idmap.ImportReport, error) {
	if c.Groups {
		return api.ImportGroups(ctx, id, 0, format.ContentType(), content)
	}
	return api.ImportAccounts(ctx, id, 0, format.ContentType(), content)
}

// refused says that nothing of the file was imported, and lists what is wrong with it. Other failures stay as they are.
func (c directoryImportCommand) refused(connection idmap.Connection, err error) error {
	if !idmap.IsKind(err, idmap.KindRule) && !idmap.IsKind(err, idmap.KindConflict) {
		return err
	}
	lines := []string{fmt.Sprintf("the file %q was refused, and nothing of it was imported into the connection %q:", filepath.Base(c.File), connection.Name)}
	for _, v := range idmap.ViolationsOf(err) {
		lines = append(lines, "  "+v.Description)
	}
	return errors.New(strings.Join(lines, "\n"))
}

func (c directoryImportCommand) print(p *Program, connection idmap.Connection, r idmap.ImportReport) {
	noun := "accounts"
	if c.Groups {
		noun = "groups"
	}
	fmt.Fprintf(p.Stdout, "Imported %s into the connection %q: %d %s.\n", filepath.Base(c.File), connection.Name, r.Count, noun)
	fmt.Fprintf(p.Stdout, "  created    %6d\n  updated    %6d\n  unchanged  %6d\n  deleted    %6d\n", r.Created, r.Updated, r.Unchanged, r.Deleted)
	for _, w := range r.Warnings {
		fmt.Fprintf(p.Stdout, "Warning: %s\n", w.Description)
	}
}
