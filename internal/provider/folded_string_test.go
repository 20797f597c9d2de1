package provider

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestFoldedStringSemanticEquals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"jane@example.com", "jane@example.com", true},
		{"Jane@Example.COM", "jane@example.com", true},
		{"SMTP:jane@example.com", "jane@example.com", true},
		{" jane@example.com ", "jane@example.com", true},
		{"jane@bücher.example", "jane@xn--bcher-kva.example", true},
		{"STRASSE@example.com", "straße@example.com", true},
		{"jane.doe@example.com", "janedoe@example.com", false},
		{"jane+tag@example.com", "jane@example.com", false},
		{"not an address", "NOT AN ADDRESS", false},
	} {
		got, diags := folded[emailSpelling](test.a).StringSemanticEquals(context.Background(), folded[emailSpelling](test.b))
		if diags.HasError() || got != test.want {
			t.Errorf("%q and %q: %v (%v), want %v", test.a, test.b, got, diags, test.want)
		}
	}
}

func TestFoldedStringNullAndUnknown(t *testing.T) {
	t.Parallel()
	null := emailValue{StringValue: types.StringNull()}
	unknown := unknownFolded[emailSpelling]()
	known := folded[emailSpelling]("jane@example.com")
	for name, test := range map[string]struct {
		a, b emailValue
		want bool
	}{
		"null and null":     {null, null, true},
		"null and known":    {null, known, false},
		"unknown and known": {unknown, known, false},
		"null and unknown":  {null, unknown, false},
	} {
		if got := test.a.same(test.b.StringValue); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestFoldedStringEqualIsExact guards the framework's own comparisons, which must see every byte.
func TestFoldedStringEqualIsExact(t *testing.T) {
	t.Parallel()
	if folded[emailSpelling]("Jane@example.com").Equal(folded[emailSpelling]("jane@example.com")) {
		t.Error("two spellings are Equal")
	}
	if folded[emailSpelling]("jane").Equal(folded[userIDSpelling]("jane")) {
		t.Error("an email and a user id are Equal")
	}
	if (foldedType[emailSpelling]{}).Equal(foldedType[userIDSpelling]{}) {
		t.Error("the types of emails and user ids are Equal")
	}
}

func TestFoldedTypeFromTerraform(t *testing.T) {
	t.Parallel()
	value, err := foldedType[userIDSpelling]{}.ValueFromTerraform(context.Background(), tftypes.NewValue(tftypes.String, "JDOE"))
	if err != nil || !value.Equal(folded[userIDSpelling]("JDOE")) {
		t.Errorf("%#v, %v", value, err)
	}
	if _, err := (foldedType[userIDSpelling]{}).ValueFromTerraform(context.Background(), tftypes.NewValue(tftypes.Number, 1)); err == nil {
		t.Error("a number was taken for a string")
	}
}

func TestKeepSpelling(t *testing.T) {
	t.Parallel()
	text, null, unknown := types.StringValue, types.StringNull(), types.StringUnknown()
	for name, test := range map[string]struct{ config, state, plan, want types.String }{
		"other spelling": {text("JANE@example.com"), text("jane@example.com"), text("JANE@example.com"), text("jane@example.com")},
		"other address":  {text("joan@example.com"), text("jane@example.com"), text("joan@example.com"), text("joan@example.com")},
		"create":         {text("jane@example.com"), null, text("jane@example.com"), text("jane@example.com")},
		"unknown":        {unknown, text("jane@example.com"), unknown, unknown},
		"left out":       {null, text("jane@example.com"), unknown, unknown},
	} {
		resp := planmodifier.StringResponse{PlanValue: test.plan}
		keepSpelling[emailSpelling]{}.PlanModifyString(context.Background(),
			planmodifier.StringRequest{ConfigValue: test.config, StateValue: test.state, PlanValue: test.plan}, &resp)
		if !resp.PlanValue.Equal(test.want) {
			t.Errorf("%s: planned %s, want %s", name, resp.PlanValue, test.want)
		}
	}
}
