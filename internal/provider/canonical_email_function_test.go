package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"pgregory.net/rapid"

	"github.com/idmap/terraform-provider-idmap/internal/acctest"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// canonicalEmail calls the function as Terraform does.
func (p protocol) canonicalEmail(email string) (string, *tfprotov6.FunctionError) {
	p.Helper()
	argument, err := tfprotov6.NewDynamicValue(tftypes.String, tftypes.NewValue(tftypes.String, email))
	if err != nil {
		p.Fatal(err)
	}
	called, err := p.provider.CallFunction(p.Context(), &tfprotov6.CallFunctionRequest{Name: "canonical_email", Arguments: []*tfprotov6.DynamicValue{&argument}})
	if err != nil || called.Error != nil {
		return "", called.Error
	}
	result, err := called.Result.Unmarshal(tftypes.String)
	if err != nil {
		p.Fatal(err)
	}
	return textOfValue(p.T, result), nil
}

// TestCanonicalEmail: two addresses have one form exactly if they are one to the provider, and what is none has no form.
func TestCanonicalEmail(t *testing.T) {
	t.Parallel()
	p := newProtocol(t, &acctest.Server{URL: "http://localhost"})
	for email, want := range map[string]string{
		"Jane.Doe@Example.COM":            "jane.doe@example.com",
		" SMTP:jane.doe@example.com ":     "jane.doe@example.com",
		"jane+tag@Bücher.example":         "jane+tag@xn--bcher-kva.example",
		"ﬀ@example.com":                   "ff@example.com",
		"STRASSE@example.com":             "strasse@example.com",
		"straße@example.com":              "strasse@example.com",
		"jane.doe@xn--bcher-kva.example":  "jane.doe@xn--bcher-kva.example",
		"\u0041\u030Angstrom@example.com": "\u00E5ngstrom@example.com",
	} {
		if got, failed := p.canonicalEmail(email); got != want || failed != nil {
			t.Errorf("%q becomes %q, want %q (%+v)", email, got, want, failed)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		address := rapid.OneOf(rapid.StringMatching(`(SMTP:)?[aAbB]\.?[cC]?@[xX]\.(example|EXAMPLE)`), rapid.String())
		a, b := address.Draw(t, "a"), address.Draw(t, "b")
		one, failed := p.canonicalEmail(a)
		other, failedToo := p.canonicalEmail(b)
		if failed != nil || failedToo != nil {
			return
		}
		if (one == other) != idmap.SameEmail(a, b) {
			t.Fatalf("%q and %q become %q and %q", a, b, one, other)
		}
		if again, failed := p.canonicalEmail(one); again != one {
			t.Fatalf("%q becomes %q, and that %q (%+v)", a, one, again, failed)
		}
	})
}

func TestAccCanonicalEmail(t *testing.T) {
	s := newScenario(t)
	call := func(argument string) string {
		return "output \"x\" {\n  value = provider::idmap::canonical_email(" + argument + ")\n}\n"
	}
	s.run(
		resource.TestStep{Config: call(`"Jane.Doe@Example.com"`), Check: resource.TestCheckOutput("x", "jane.doe@example.com")},
		resource.TestStep{Config: call(`"jane.doe"`), PlanOnly: true, ExpectError: refusal("canonical_email", "", `"jane.doe" is not an email address: it has no @. An address looks like jane.doe@example.com.`)},
		resource.TestStep{Config: call(`null`), PlanOnly: true, ExpectError: refusal("must not be null", "")},
		resource.TestStep{Config: call(`"jane@example.com"`)}, // what is destroyed in the end
	)
}
