package cli_test

import (
	"context"
	"testing"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

func TestEmailRelease(t *testing.T) {
	t.Parallel()
	database := stage(t)
	mustRun(t, nil, "directory", "import", "--database", database, "--connection", "Contoso", textFile(t, "a.csv", "id,email\n1,Jane@contoso.com\n"))
	entry := func() (found idmap.EmailAssignment) {
		withEmbedded(t, database, func(ctx context.Context, c *client.Client) {
			for e, err := range c.EmailAssignments(ctx, idmap.EmailAssignmentFilter{ConnectionID: "c1"}) {
				if err != nil {
					t.Fatal(err)
				}
				found = e
			}
		})
		return found
	}
	id := entry().ID
	if p := run(t, nil, "email", "release", id, "--database", database); p.code != 2 {
		t.Errorf("without a reason: exit %d", p.code)
	}
	if p := run(t, nil, "email", "release", "nothing", "--reason", "a test", "--database", database); p.code != 1 {
		t.Errorf("an unknown entry: exit %d", p.code)
	}
	p := mustRun(t, nil, "email", "release", id, "--reason", "she asked for it", "--database", database)
	wantText(t, "the answer", p.stdout.String(), "Released Jane@contoso.com", id)
	if released := entry().Released; released == nil || released.Reason != "she asked for it" {
		t.Errorf("the ledger has %+v", released)
	}
	if p := run(t, nil, "email", "release", id, "--reason", "again", "--database", database); p.code != 1 {
		t.Errorf("a second release: exit %d", p.code)
	}
}
