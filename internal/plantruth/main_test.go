package plantruth

import (
	"os"
	"testing"

	_ "github.com/idmap/terraform-provider-idmap/internal/provider" // The program under test: what it is made of makes a result of before stale.
	"github.com/idmap/terraform-provider-idmap/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.RemoveProvider()
	os.Exit(code)
}
