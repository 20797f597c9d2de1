package provider

import (
	"context"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/attr/xattr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

var (
	_ basetypes.Int64Typable      = wholeType{}
	_ basetypes.Int64Valuable     = wholeNumber{}
	_ xattr.ValidateableAttribute = wholeNumber{}
)

// wholeType is the type of a whole number that is refused in plain words where it is none. The framework's own one would
// have the user report a bug of the provider.
type wholeType struct{ basetypes.Int64Type }

func (wholeType) Equal(o attr.Type) bool {
	_, same := o.(wholeType)
	return same
}

func (wholeType) String() string { return "wholeType" }

func (wholeType) ValueType(context.Context) attr.Value { return wholeNumber{} }

func (wholeType) ValueFromInt64(_ context.Context, in basetypes.Int64Value) (basetypes.Int64Valuable, diag.Diagnostics) {
	return wholeNumber{Int64Value: in}, nil
}

func (t wholeType) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	value, err := t.Int64Type.ValueFromTerraform(ctx, in)
	var given *big.Float
	if err != nil && in.As(&given) == nil {
		return wholeNumber{Int64Value: basetypes.NewInt64Null(), instead: given.Text('g', -1)}, nil
	}
	whole, ok := value.(basetypes.Int64Value)
	if err == nil && !ok {
		err = fmt.Errorf("unexpected value type %T", value)
	}
	return wholeNumber{Int64Value: whole}, err
}

// wholeNumber is a value of wholeType.
type wholeNumber struct {
	basetypes.Int64Value
	instead string // what was given that is no whole number
}

func wholeOf(n int) wholeNumber { return wholeNumber{Int64Value: basetypes.NewInt64Value(int64(n))} }

func (wholeNumber) Type(context.Context) attr.Type { return wholeType{} }

func (n wholeNumber) Equal(o attr.Value) bool {
	other, ok := o.(wholeNumber)
	return ok && n == other
}

// ValidateAttribute implements xattr.ValidateableAttribute.
func (n wholeNumber) ValidateAttribute(_ context.Context, req xattr.ValidateAttributeRequest, resp *xattr.ValidateAttributeResponse) {
	if n.instead != "" {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid Value", fmt.Sprintf(
			"%s is %s. A whole number of at most 64 bits is required.", req.Path, n.instead))
	}
}
