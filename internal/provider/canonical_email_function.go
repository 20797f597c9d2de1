package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
)

var _ function.Function = canonicalEmailFunction{}

func newCanonicalEmailFunction() function.Function { return canonicalEmailFunction{} }

// canonicalEmailFunction returns the form under which addresses are compared.
type canonicalEmailFunction struct{}

func (canonicalEmailFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "canonical_email"
}

func (canonicalEmailFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Return the form of an email under which emails are compared",
		MarkdownDescription: "Returns the canonical form of an email address. Two addresses are the same to this provider, and to the mapping backend, exactly if their canonical forms are equal: " +
			"without blanks around them and without an `SMTP:` scheme, in one Unicode form, without regard to case, the domain in its ASCII form. Dots and `+tags` make a difference.\n\n" +
			"Use it where Terraform itself compares addresses, such as in the keys of `for_each` and in `distinct`. Where an address is given to this provider, any spelling will do.\n\n" +
			"The function fails if the text is not an email address.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "email", MarkdownDescription: "The address, in any spelling."},
		},
		Return: function.StringReturn{},
	}
}

func (canonicalEmailFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var email string
	if resp.Error = req.Arguments.Get(ctx, &email); resp.Error != nil {
		return
	}
	if err := faults(rules.CheckEmail(email)); err != nil {
		resp.Error = argumentError(err)
		return
	}
	canonical, _ := idmap.CanonicalEmail(email) // checked
	resp.Error = resp.Result.Set(ctx, canonical)
}
