package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// spelling says when two strings are spellings of one thing.
type spelling interface {
	same(a, b string) bool
	name() string
}

// emailSpelling is that of addresses.
type emailSpelling struct{}

func (emailSpelling) same(a, b string) bool { return idmap.SameEmail(a, b) }
func (emailSpelling) name() string          { return "email" }

// userIDSpelling is that of user ids.
type userIDSpelling struct{}

func (userIDSpelling) same(a, b string) bool { return idmap.SameUserID(a, b) }
func (userIDSpelling) name() string          { return "user id" }

// The values of attributes that are compared by their canonical forms and kept as typed.
type (
	emailValue  = foldedString[emailSpelling]
	userIDValue = foldedString[userIDSpelling]
)

var (
	_ basetypes.StringTypable                    = foldedType[emailSpelling]{}
	_ basetypes.StringValuableWithSemanticEquals = emailValue{}
	_ planmodifier.String                        = keepSpelling[emailSpelling]{}
)

// foldedType is the type of a string whose spelling may change without a change of meaning.
type foldedType[S spelling] struct{ basetypes.StringType }

func (t foldedType[S]) Equal(o attr.Type) bool {
	_, same := o.(foldedType[S])
	return same
}

func (t foldedType[S]) String() string {
	var s S
	return fmt.Sprintf("foldedType(%s)", s.name())
}

func (t foldedType[S]) ValueFromString(_ context.Context, in basetypes.StringValue) (basetypes.StringValuable, diag.Diagnostics) {
	return foldedString[S]{StringValue: in}, nil
}

func (t foldedType[S]) ValueFromTerraform(ctx context.Context, in tftypes.Value) (attr.Value, error) {
	value, err := t.StringType.ValueFromTerraform(ctx, in)
	if err != nil {
		return nil, err
	}
	text, ok := value.(basetypes.StringValue)
	if !ok {
		return nil, fmt.Errorf("a string was expected, not %T", value)
	}
	return foldedString[S]{StringValue: text}, nil
}

func (t foldedType[S]) ValueType(context.Context) attr.Value { return foldedString[S]{} }

// foldedString is a value of foldedType. Equal compares bytes, as Terraform itself does; what the backend answers is
// compared by StringSemanticEquals, which keeps the spelling that the user typed.
type foldedString[S spelling] struct{ basetypes.StringValue }

func folded[S spelling](s string) foldedString[S] {
	return foldedString[S]{StringValue: types.StringValue(s)}
}

func unknownFolded[S spelling]() foldedString[S] {
	return foldedString[S]{StringValue: types.StringUnknown()}
}

func (v foldedString[S]) Equal(o attr.Value) bool {
	other, ok := o.(foldedString[S])
	return ok && v.StringValue.Equal(other.StringValue)
}

func (v foldedString[S]) Type(context.Context) attr.Type { return foldedType[S]{} }

// StringSemanticEquals implements [basetypes.StringValuableWithSemanticEquals].
func (v foldedString[S]) StringSemanticEquals(ctx context.Context, o basetypes.StringValuable) (bool, diag.Diagnostics) {
	other, diags := o.ToStringValue(ctx)
	return !diags.HasError() && v.same(other), diags
}

// same reports whether both are null, or known spellings of one thing.
func (v foldedString[S]) same(other basetypes.StringValue) bool {
	if v.IsNull() || v.IsUnknown() || other.IsNull() || other.IsUnknown() {
		return v.StringValue.Equal(other)
	}
	var s S
	return s.same(v.ValueString(), other.ValueString())
}

// keepSpelling plans the stored spelling where the configuration has another spelling of the same, so that there is
// nothing to change. Semantic equality alone does not do it: Terraform does not ask for it in a plan.
type keepSpelling[S spelling] struct{}

func (keepSpelling[S]) Description(context.Context) string {
	var s S
	return fmt.Sprintf("Another spelling of the same %s is no change.", s.name())
}

func (m keepSpelling[S]) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (keepSpelling[S]) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || req.StateValue.IsNull() {
		return
	}
	if (foldedString[S]{StringValue: req.ConfigValue}).same(req.StateValue) {
		resp.PlanValue = req.StateValue
	}
}
