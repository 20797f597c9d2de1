package provider

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// The keys of private state: what the provider remembers beside the state and shows to nobody.
const (
	// revisionKey is the revision that the plan saw. A write that carries it is refused if the object changed since.
	revisionKey = "revision"
	// replacingKey is the id of the object that a plan with prior state is about. Terraform plans a replacement in two
	// calls, of which the second looks like a create, but carries the private state of the first.
	replacingKey = "replacing"
	// sourceDefaultKey is the default of a map's source, which no attribute has. A platform's two-way jobs may read it, so an
	// update keeps it.
	sourceDefaultKey = "source_default"
	// caseFreeKey is true where a Read found that letter case does not matter in the names of a map's items and of its
	// default. A write answers without the items, so after it nothing is known, and case matters until the next Read.
	caseFreeKey = "case_free"
)

// privateState is the framework's, whose type has no public name.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// remembered returns what is stored under the key, or the zero value.
func remembered[T any](ctx context.Context, private privateState, key string, diags *diag.Diagnostics) T {
	var value T
	data, found := private.GetKey(ctx, key)
	diags.Append(found...)
	if len(data) > 0 {
		if err := json.Unmarshal(data, &value); err != nil {
			diags.AddError("Unreadable Private State", "The private state under "+key+" cannot be read: "+err.Error()+". Run terraform refresh.")
		}
	}
	return value
}

// remember stores a value under the key.
func remember[T any](ctx context.Context, private privateState, key string, value T, diags *diag.Diagnostics) {
	data, err := json.Marshal(value)
	if err != nil {
		diags.AddError("Unwritable Private State", err.Error())
		return
	}
	diags.Append(private.SetKey(ctx, key, data)...)
}

// rememberStored notes the revision of an object that was just read or written, which is no longer being replaced.
func rememberStored(ctx context.Context, private privateState, revision int64, diags *diag.Diagnostics) {
	remember(ctx, private, revisionKey, revision, diags)
	diags.Append(private.SetKey(ctx, replacingKey, nil)...)
}
