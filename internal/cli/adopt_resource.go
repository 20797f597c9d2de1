package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// connectionResource is the value of --resource: which resource of the configuration is a connection.
type connectionResource struct {
	connection string        // name or id
	id         hcl.Traversal // what the configuration calls its id
}

// UnmarshalText reads NAME=ADDRESS. Names and index keys may have an equals sign too: the name ends at the first one that
// an address follows.
func (r *connectionResource) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "=")
	var refused error
	for i := 1; i < len(parts); i++ {
		name, address := strings.TrimSpace(strings.Join(parts[:i], "=")), strings.TrimSpace(strings.Join(parts[i:], "="))
		if name == "" {
			break
		}
		id, err := idOfResource(address)
		if err == nil {
			*r = connectionResource{name, id}
			return nil
		}
		refused = cmp.Or(refused, err)
	}
	return cmp.Or(refused, fmt.Errorf("%q is not NAME=ADDRESS; give it a connection and its resource, such as %q",
		text, "Contoso Sales=idmap_connection.sales"))
}

// idOfResource returns the attribute id of the address, which may be given with the attribute.
func idOfResource(address string) (hcl.Traversal, error) {
	found, diags := hclsyntax.ParseTraversalAbs([]byte(address), "", hcl.InitialPos)
	if diags.HasErrors() || !isResource(found) {
		return nil, fmt.Errorf("%q is not the address of a resource or a data source; give it one such as %s, %s, %s or, for an output of a module that is the whole resource, %s",
			address, "idmap_connection.sales", `idmap_connection.all["sales"]`, "data.idmap_connection.sales", "module.crm.sales")
	}
	last := len(found) - 1
	if attribute, ok := found[last].(hcl.TraverseAttr); ok && attribute.Name == "id" && isResource(found[:last]) {
		return found, nil
	}
	return append(found, hcl.TraverseAttr{Name: "id"}), nil
}

// isResource tells the address of a resource from one that ends before its name.
func isResource(address hcl.Traversal) bool {
	names := 0
	for _, step := range address[1:] {
		if _, ok := step.(hcl.TraverseAttr); ok {
			names++
		}
	}
	if root := address.RootName(); root == "data" || root == "module" {
		return names >= 2
	}
	return names >= 1
}

// references are what the configuration calls the ids of connections, by these ids.
type references map[string]hcl.Traversal

// lackEndOf says whether a connection of the mapping is printed as its id.
func (r references) lackEndOf(m idmap.UserMapping) bool {
	return r[m.Source.Connection.ID] == nil || r[m.Destination.Connection.ID] == nil
}

func (r references) set(body *hclwrite.Body, attribute, id string) {
	if reference := r[id]; reference != nil {
		body.SetAttributeTraversal(attribute, reference)
		return
	}
	body.SetAttributeValue(attribute, cty.StringVal(id))
}

// references finds the connections that --resource names among those of the mappings: any other one is a slip of the pen,
// after which an id would be printed where a reference is meant.
func (c adoptCommand) references(ctx context.Context, api *client.Client, mappings []idmap.UserMapping) (references, error) {
	if len(c.Resource) == 0 {
		return nil, nil
	}
	connections, err := connectionsOf(ctx, api, mappings)
	if err != nil {
		return nil, err
	}
	found := references{}
	for _, r := range c.Resource {
		id, err := idOfConnection(connections, r.connection)
		if err != nil {
			return nil, err
		}
		if found[id] != nil {
			return nil, fmt.Errorf("--resource names the connection %q twice; give it once", r.connection)
		}
		found[id] = r.id
	}
	return found, nil
}

// connectionsOf returns the connections on both sides of the mappings.
func connectionsOf(ctx context.Context, api *client.Client, mappings []idmap.UserMapping) ([]idmap.Connection, error) {
	var all []idmap.Connection
	for _, m := range mappings {
		for _, end := range []idmap.MappingEnd{m.Destination, m.Source} {
			if slices.ContainsFunc(all, func(c idmap.Connection) bool { return c.ID == end.Connection.ID }) {
				continue
			}
			connection, err := api.Connection(ctx, end.Connection.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, connection)
		}
	}
	return all, nil
}

// idOfConnection finds one by its name, else by its id, as connectionOf does.
func idOfConnection(connections []idmap.Connection, nameOrID string) (string, error) {
	for _, c := range connections {
		if c.Key() == idmap.Fold(nameOrID) {
			return c.ID, nil
		}
	}
	var names []string
	for _, c := range connections {
		if c.ID == nameOrID {
			return c.ID, nil
		}
		names = append(names, fmt.Sprintf("%q", c.Name))
	}
	return "", fmt.Errorf("--resource names the connection %q, and the mappings to print are those of the connections %s; give the name or the id of one of these",
		nameOrID, strings.Join(names, " and "))
}
