package provider

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// dataSource is what all data sources have in common.
type dataSource struct {
	name string // without the provider's prefix
	walk *walk
}

func (d *dataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

func (d *dataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.walk = walkFrom(req.ProviderData, &resp.Diagnostics)
}

// read answers a read: it takes the configuration into a model, lets find complete it from the backend, and stores it.
func read[M any](ctx context.Context, d *dataSource, n noun, req datasource.ReadRequest, resp *datasource.ReadResponse, find func(*client.Client, *M) error) {
	var model M
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() || !d.walk.ready(&resp.Diagnostics) {
		return
	}
	if err := find(d.walk.client, &model); err != nil {
		addFindError(n, err, &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, model)...)
}

// findError says why a search names no single object.
type findError struct{ summary, detail string }

func (e *findError) Error() string { return e.detail }

func addFindError(n noun, err error, diags *diag.Diagnostics) {
	if missed, ok := errors.AsType[*findError](err); ok {
		diags.AddError(missed.summary, missed.detail)
		return
	}
	n.addError(err, diags)
}

// only returns the one object of a search. None, and several, are a findError that tells what was searched for.
func only[T any](found iter.Seq2[T, error], what string, label func(T) string) (T, error) {
	var first T
	all, err := collect(found)
	switch {
	case err != nil:
		return first, err
	case len(all) == 0:
		return first, &findError{"Object Not Found", "There is no " + what + "."}
	case len(all) > 1:
		return first, &findError{"Search Is Ambiguous", "There are several " + what + ", such as " + label(all[0]) + " and " + label(all[1]) + ". Name one by its id."}
	}
	return all[0], nil
}

// collect reads a list to its end.
func collect[T any](found iter.Seq2[T, error]) ([]T, error) {
	all := []T{}
	for item, err := range found {
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, nil
}

// each converts a list.
func each[T, M any](found iter.Seq2[T, error], convert func(T) M) ([]M, error) {
	all, err := collect(found)
	models := make([]M, len(all))
	for i, item := range all {
		models[i] = convert(item)
	}
	return models, err
}

// timeString returns a time as it stands in the API, or null.
func timeString(t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}

// notFound turns the backend's not_found into one that tells what was searched for.
func notFound(err error, what string) error {
	if idmap.IsNotFound(err) {
		return &findError{"Object Not Found", "There is no " + what + "."}
	}
	return err
}
