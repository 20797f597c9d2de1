package cli

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// mappingResource is the Terraform resource of a mapping.
const mappingResource = "idmap_user_mapping"

type adoptCommand struct {
	target
	Connection given                `required:"" placeholder:"NAME" help:"Name or id of the application connection."`
	Resource   []connectionResource `sep:"none" placeholder:"NAME=ADDRESS" help:"Address, in the configuration, of the resource or data source of a connection; blocks refer to its id. Once for each connection."`
	All        bool                 `help:"Print the mappings that were made by API too."`
}

// Help is what the help of the command says beyond its flags.
func (adoptCommand) Help() string {
	return "Prints an import block and a resource for each mapping, for a file of the configuration such as adopted.tf. " +
		"What is printed begins with how to use it. " +
		"Say where the configuration has the connections, the mail connection too: " +
		"--resource \"Contoso Sales=idmap_connection.sales\" --resource \"Contoso Mail=idmap_connection.mail\". " +
		"For a resource in a module, name an output of the module that is the whole resource. " +
		"A connection that is not named so is printed as its id. " +
		"On a server it takes a token with the scope read; Terraform must be 1.5 or later."
}

// Run prints all or nothing: the resources that half a list lacks would look like ones to be destroyed.
func (c adoptCommand) Run(ctx context.Context, p *Program) error {
	return c.withExisting(ctx, p, func(api *client.Client) error {
		connection, err := connectionOf(ctx, api, c.Connection)
		if err != nil {
			return err
		}
		mappings, err := c.mappings(ctx, api, connection.ID)
		if err != nil {
			return err
		}
		if len(mappings) == 0 {
			return c.nothing(ctx, api, connection)
		}
		known, err := c.references(ctx, api, mappings)
		if err != nil {
			return err
		}
		header := c.header(connection, mappings, known)
		if vanish(connection, mappings) {
			fmt.Fprintln(p.Stderr, strings.TrimSpace(vanishWarning))
			header += comment(vanishWarning)
		}
		return printAdopted(p.Stdout, header, nameAdopted(mappings), known)
	})
}

func (c adoptCommand) mappings(ctx context.Context, api *client.Client, connectionID string) ([]idmap.UserMapping, error) {
	filter := idmap.UserMappingFilter{DestinationConnectionID: connectionID, Origin: idmap.OriginSignIn}
	if c.All {
		filter.Origin = ""
	}
	var all []idmap.UserMapping
	for m, err := range api.UserMappings(ctx, filter) {
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// nothing is a failure, although there is nothing to do: over the file of what was adopted before, an empty one would have
// Terraform destroy all of that. It tells a connection without such mappings from one that has them on its other side.
func (c adoptCommand) nothing(ctx context.Context, api *client.Client, connection idmap.Connection) error {
	for _, err := range api.UserMappings(ctx, idmap.UserMappingFilter{DestinationConnectionID: connection.ID}) {
		if err != nil {
			return err
		}
		return fmt.Errorf("there is nothing to adopt: sign-ins made no mappings of the connection %q; --all prints those that were made by API", connection.Name)
	}
	for m, err := range api.UserMappings(ctx, idmap.UserMappingFilter{SourceConnectionID: connection.ID}) {
		if err != nil {
			return err
		}
		application, err := api.Connection(ctx, m.Destination.Connection.ID)
		if err != nil {
			return err
		}
		return fmt.Errorf("the connection %q is the mail side of its mappings, and --connection names the application side; try --connection %q",
			connection.Name, application.Name)
	}
	return fmt.Errorf("there is nothing to adopt: the connection %q has no mappings", connection.Name)
}

// what is printed, in words. A name may have any character, and a comment must not end within it.
func (c adoptCommand) what(connection idmap.Connection) string {
	if c.All {
		return fmt.Sprintf("Mappings of the connection %q", connection.Name)
	}
	return fmt.Sprintf("Mappings of the connection %q that sign-ins made", connection.Name)
}

const (
	// adoptHeader has no time in it: the same mappings are printed as the same text.
	adoptHeader = `%s, printed by "%s adopt".

With this file in a configuration, "terraform plan" shows imports and nothing else. After "terraform apply" the import
blocks may go, and the resources are like any others. Each application connection has a file of its own.
Remove what the configuration has already under another name: a mapping has one resource.

Printed again, a mapping has the same name, unless its user was renamed. Then write a moved block from the old name to
the new one: without it the plan is refused.`
	idNote = `
Where a connection is given by its id, Terraform does not know that the mapping depends on it: it may destroy the
connection first, which fails, or look at the mapping before a change of the directory and not after it. Print it again
with --resource, or replace the ids by references such as idmap_connection.sales.id.`
	vanishWarning = `
Warning: the connection has on_sign_out = "remove": a mapping that a sign-in made vanishes with its last session, adopted
or not, and Terraform would make it again. Set on_sign_out = "keep" on the connection.`
)

func (c adoptCommand) header(connection idmap.Connection, mappings []idmap.UserMapping, known references) string {
	header := comment(fmt.Sprintf(adoptHeader, c.what(connection), name))
	if slices.ContainsFunc(mappings, known.lackEndOf) {
		header += comment(idNote)
	}
	return header
}

// comment makes a comment of the lines of a text.
func comment(text string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimSpace("# "+line) + "\n")
	}
	return b.String()
}

// vanish says whether any of the mappings goes by itself some day.
func vanish(connection idmap.Connection, mappings []idmap.UserMapping) bool {
	return connection.OnSignOut == idmap.OnSignOutRemove &&
		slices.ContainsFunc(mappings, func(m idmap.UserMapping) bool { return m.Origin == idmap.OriginSignIn })
}

func printAdopted(to io.Writer, header string, all []adopted, known references) error {
	slices.SortFunc(all, func(a, b adopted) int { return cmp.Compare(a.name, b.name) })
	w := bufio.NewWriter(to)
	_, _ = w.WriteString(header) // the buffer keeps its first error, and Flush returns it
	for _, a := range all {
		_, _ = w.Write(a.blocks(known))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("the configuration could not be written whole, so do not use it: %w", err)
	}
	return nil
}

// adopted is a mapping with the name of its resource.
type adopted struct {
	name    string
	mapping idmap.UserMapping
}

// blocks returns the import and the resource of the mapping, as Terraform formats them. An email that follows the
// username is left out, which is how a configuration says that it does. The accounts are not pinned: the mapping is bound
// to them either way.
func (a adopted) blocks(known references) []byte {
	file := hclwrite.NewEmptyFile()
	file.Body().AppendNewline()
	imports := file.Body().AppendNewBlock("import", nil).Body()
	imports.SetAttributeTraversal("to", hcl.Traversal{hcl.TraverseRoot{Name: mappingResource}, hcl.TraverseAttr{Name: a.name}})
	imports.SetAttributeValue("id", cty.StringVal(a.mapping.ID))
	file.Body().AppendNewline()
	resource := file.Body().AppendNewBlock("resource", []string{mappingResource, a.name}).Body()
	set := func(attribute, value string) { resource.SetAttributeValue(attribute, cty.StringVal(value)) }
	known.set(resource, "source_connection_id", a.mapping.Source.Connection.ID)
	known.set(resource, "destination_connection_id", a.mapping.Destination.Connection.ID)
	set("user_id", a.mapping.UserID)
	if a.mapping.EmailSource != idmap.EmailFromUsername {
		set("email", a.mapping.Email)
	}
	return hclwrite.Format(file.Bytes())
}
