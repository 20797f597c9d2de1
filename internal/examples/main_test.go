package examples

import (
	"context"
	"flag"
	"os"
	"sync"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

// folder has the examples.
const folder = "../../examples"

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	testenv.RemoveProvider()
	os.Exit(code)
}

// openTofu is asked for by several tests at once, and may have to be built.
var openTofu = func() func(context.Context) (string, error) {
	var once sync.Once
	var path string
	var err error
	return func(ctx context.Context) (string, error) {
		once.Do(func() { path, err = testenv.OpenTofu(ctx) })
		return path, err
	}
}()

// commandLines are the paths of the programs that examples are for, by name.
func commandLines(t *testing.T) map[string]string {
	t.Helper()
	terraform, err := testenv.Terraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tofu, err := openTofu(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"terraform": terraform, "tofu": tofu}
}
