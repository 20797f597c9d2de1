package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// given is the value of a flag that must say something where it is given at all. A blank one comes from a variable that is
// not set, and as a filter it would select everything.
type given string

// Validate is called for flags that are given.
func (g given) Validate() error {
	if idmap.Fold(string(g)) == "" {
		return errors.New("it is empty; give it a value, or leave the flag out")
	}
	return nil
}

// shownConnections is how many names are suggested for one that is unknown.
const shownConnections = 10

// connectionOf finds a connection by its name, else by its id.
func connectionOf(ctx context.Context, api *client.Client, named given) (idmap.Connection, error) {
	nameOrID := string(named)
	for found, err := range api.Connections(ctx, client.ConnectionFilter{Name: nameOrID}) {
		if err != nil || found.Key() == idmap.Fold(nameOrID) { // a filter that is overlooked must not choose another one
			return found, err
		}
	}
	found, err := api.Connection(ctx, nameOrID)
	if !idmap.IsNotFound(err) {
		return found, err
	}
	names, err := connectionNames(ctx, api)
	if err != nil {
		return found, err
	}
	return found, fmt.Errorf("there is no connection with the name or the id %q; %s", nameOrID, names)
}

func connectionNames(ctx context.Context, api *client.Client) (string, error) {
	var names []string
	for c, err := range api.Connections(ctx, client.ConnectionFilter{}) {
		if err != nil {
			return "", err
		}
		if len(names) == shownConnections {
			names = append(names, "…")
			break
		}
		names = append(names, fmt.Sprintf("%q", c.Name))
	}
	if len(names) == 0 {
		return "there are none yet, so create it first, as the Terraform resource idmap_connection", nil
	}
	return "there are " + strings.Join(names, ", "), nil
}
