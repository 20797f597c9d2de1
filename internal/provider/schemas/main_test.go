package main

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.RemoveProvider()
	os.Exit(code)
}

// printed is what is printed, as Terraform prints it.
type printed struct {
	Schemas map[string]map[string]any `json:"provider_schemas"`
}

// TestLikeTerraform: what Terraform itself prints of the provider is printed alike. An older Terraform prints less.
func TestLikeTerraform(t *testing.T) {
	t.Parallel()
	var ours, terraforms printed
	var text bytes.Buffer
	if err := run(t.Context(), &text); err != nil {
		t.Fatal(err)
	}
	decode(t, text.Bytes(), &ours)
	terraform, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := testenv.NewWorkspace(t, terraform, testenv.Provider(t))
	w.Write(t, "main.tf", "terraform {\n  required_providers {\n    idmap = { source = \"idmap/idmap\" }\n  }\n}\n")
	decode(t, []byte(w.Must(t, "providers", "schema", "-json").Stdout), &terraforms)

	got, want := ours.Schemas["idmap"], terraforms.Schemas["registry.terraform.io/idmap/idmap"]
	if len(want) < 4 || len(got) < len(want) {
		t.Fatalf("there are %d kinds of schemas, and Terraform has %d", len(got), len(want))
	}
	for kind := range want {
		if !reflect.DeepEqual(bare(got[kind]), bare(want[kind])) {
			t.Errorf("%s: not as Terraform prints it:\n%v\nwant\n%v", kind, bare(got[kind]), bare(want[kind]))
		}
	}
	for _, kind := range []string{"list_resource_schemas", "action_schemas", "resource_identity_schemas"} {
		if all, _ := got[kind].(object); len(all) == 0 {
			t.Errorf("there are no %s", kind)
		}
	}
}

func decode(t *testing.T, text []byte, into *printed) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
}

// bare leaves out what says nothing, which Terraform prints or not: false, zero, and empty texts, lists and objects. So it
// does the version of an action, of which Terraform knows none.
func bare(value any) any {
	switch value := value.(type) {
	case object:
		left := object{}
		for name, inner := range value {
			if inner = bare(inner); inner != nil && !reflect.ValueOf(inner).IsZero() {
				left[name] = inner
			}
		}
		if len(left) == 0 {
			return nil
		}
		return left
	case []any:
		if len(value) == 0 {
			return nil
		}
		left := make([]any, len(value))
		for i, inner := range value {
			left[i] = bare(inner)
		}
		return left
	}
	return value
}
