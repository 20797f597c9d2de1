package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// examples are the configurations that the documentation shows.
const examples = "../../examples"

func example(t *testing.T, path ...string) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(examples, path[0], path[1]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, path[2]))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "${path.module}", folder)
}

// TestAccExamples applies what the documentation shows.
func TestAccExamples(t *testing.T) {
	t.Parallel()
	for _, name := range folders(t, "resources") {
		t.Run(name, func(t *testing.T) {
			s := newScenario(t)
			step := resource.TestStep{Config: example(t, "resources", name, "resource.tf")}
			// The test library cannot read a state with for_each. The plan asks the backend all the same.
			step.PlanOnly = strings.Contains(step.Config, "for_each")
			step.ExpectNonEmptyPlan = step.PlanOnly
			s.run(step)
		})
	}
	for _, name := range folders(t, "data-sources") {
		t.Run("data "+name, func(t *testing.T) {
			s := newScenario(t)
			s.stageExamples()
			s.run(resource.TestStep{Config: example(t, "data-sources", name, "data-source.tf")})
		})
	}
}

func folders(t *testing.T, of string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(examples, of))
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d examples of %s: %v", len(entries), of, err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}

// stageExamples stores what the examples of data sources look for.
func (s scenario) stageExamples() {
	s.Helper()
	c := s.server.Client
	store := func(name, platform, file string) string {
		made, err := c.CreateConnection(s.ctx(), "", idmap.Connection{Name: name, Platform: idmap.PlatformRef{ID: platform}})
		s.must(err)
		_, err = c.ImportAccounts(s.ctx(), made.ID, 0, "text/csv", []byte(example(s.T, "resources", "idmap_connection", file)))
		s.must(err)
		return made.ID
	}
	mail, sales := store("Example Microsoft 365", "microsoft365", "mail-accounts.csv"), store("Sales Pod 1", "oracle_sales", "sales-accounts.csv")
	_, _, err := c.CreateUserMapping(s.ctx(), "", idmap.UserMapping{
		Source: idmap.MappingEnd{Connection: idmap.Ref{ID: mail}}, Destination: idmap.MappingEnd{Connection: idmap.Ref{ID: sales}},
		Email: "jane.doe@example.com", UserID: "JDOE",
	})
	s.must(err)
	_, err = c.ImportGroups(s.ctx(), mail, 0, "text/csv", []byte(example(s.T, "resources", "idmap_connection", "mail-groups.csv")))
	s.must(err)
	s.stageMap(idmap.AccountMap, mail, sales, idmap.Map{
		Name: "People", MapBy: idmap.MapBy{Email: true, Username: true},
		Exceptions: pairs("ivan.petrov@example.com", "IPETROV"),
	})
	s.stageMap(idmap.GroupMap, mail, sales, idmap.Map{Name: "Teams", MapBy: idmap.MapBy{Name: true}})
}
