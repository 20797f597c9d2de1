package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// office is a server with the mail connection "Contoso" and the application connection "Sales".
type office struct {
	*serverProcess
	*client.Client
	env []string
}

func newOffice(t *testing.T) office {
	t.Helper()
	s := serve(t, bootstrapEnv, "--database", "idmap.db")
	o := office{s, s.client(t, ""), []string{"IDMAP_ENDPOINT=" + s.url, "IDMAP_TOKEN=" + bootstrap}}
	for _, c := range []idmap.Connection{
		{ID: "contoso", Name: "Contoso", Platform: idmap.PlatformRef{ID: "microsoft365"}, MailDomain: "contoso.com"},
		{ID: "sales", Name: "Sales", Platform: idmap.PlatformRef{ID: "salesforce"}},
	} {
		if _, err := o.CreateConnection(t.Context(), client.NewKey(), c); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// signIn is a sign-in to Sales, which is allowed.
func (o office) signIn(t *testing.T, email, userID, program string) idmap.SignInAnswer {
	t.Helper()
	attempt := idmap.SignInAttempt{Email: email, UserID: userID, Client: program}
	attempt.Source.Connection.ID, attempt.Destination.Connection.ID = "contoso", "sales"
	answer, err := o.SignIn(t.Context(), client.NewKey(), attempt)
	if err != nil {
		t.Fatal(err)
	}
	if answer.SignIn.Outcome != idmap.OutcomeAllowed {
		t.Fatalf("%s was denied: %+v", userID, answer.SignIn.Reasons)
	}
	return answer
}

// create makes mappings to Sales by API.
func (o office) create(t *testing.T, users ...string) {
	t.Helper()
	for chunk := range slices.Chunk(users, idmap.MaxBatch) {
		var intents []idmap.UserMappingIntent
		for _, user := range chunk {
			m := idmap.UserMapping{Email: user + "@fabrikam.com", UserID: user}
			m.Source.Connection.ID, m.Destination.Connection.ID = "contoso", "sales"
			intents = append(intents, idmap.UserMappingIntent{Operation: idmap.OperationCreate, UserMapping: &m})
		}
		if _, err := o.ApplyUserMappings(t.Context(), client.NewKey(), intents); err != nil {
			t.Fatal(err)
		}
	}
}

// resource is a pair of blocks as adopt prints it.
type resource struct{ name, imports, source, destination, userID, email string }

// read checks that the text is what Terraform takes, as it formats it, and returns the resources by user id.
func read(t *testing.T, text string) map[string]resource {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "adopted.tf", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%s\n%s", diags, text)
	}
	if formatted := hclwrite.Format([]byte(text)); !bytes.Equal(formatted, []byte(text)) {
		t.Errorf("it is not formatted:\n%s", text)
	}
	blocks := file.Body.(*hclsyntax.Body).Blocks //nolint:forcetypeassert // what the parser makes
	found := map[string]resource{}
	var names []string
	for pair := range slices.Chunk(blocks, 2) {
		r := readPair(t, pair)
		names = append(names, r.name)
		found[r.userID] = r
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(found) {
		t.Errorf("the names are to be in order, each once: %q", names)
	}
	return found
}

func readPair(t *testing.T, pair []*hclsyntax.Block) resource {
	t.Helper()
	if len(pair) != 2 || pair[0].Type != "import" || pair[1].Type != "resource" || pair[1].Labels[0] != "idmap_user_mapping" {
		t.Fatalf("want an import and a resource, got %+v", pair)
	}
	text := func(b *hclsyntax.Block, attribute string) string {
		a, ok := b.Body.Attributes[attribute]
		if !ok {
			return ""
		}
		value, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			t.Fatalf("%s: %s", attribute, diags)
		}
		return value.AsString()
	}
	r := resource{
		name: pair[1].Labels[1], imports: text(pair[0], "id"), source: text(pair[1], "source_connection_id"),
		destination: text(pair[1], "destination_connection_id"), userID: text(pair[1], "user_id"), email: text(pair[1], "email"),
	}
	to, diags := hcl.AbsTraversalForExpr(pair[0].Body.Attributes["to"].Expr)
	if diags.HasErrors() || len(to) != 2 || to.RootName() != "idmap_user_mapping" || to[1].(hcl.TraverseAttr).Name != r.name { //nolint:forcetypeassert // of two identifiers
		t.Errorf("%s is imported as %v", r.name, to)
	}
	return r
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const odd = `${file("x")} "%{if}" \n 田中`
	want := map[string]resource{}
	for userID, email := range map[string]string{"jane.doe": "jane.doe@contoso.com", odd: "o'hara@contoso.com", "007": "James@contoso.com"} {
		m := o.signIn(t, email, userID, "addin").UserMapping
		if m.EmailSource == idmap.EmailFromUsername {
			email = ""
		}
		want[userID] = resource{imports: m.ID, source: "contoso", destination: "sales", userID: userID, email: email}
	}
	if want["jane.doe"].email != "" {
		t.Error("an email that is the username at the mail domain is to follow it")
	}
	o.create(t, "bob")

	first := mustRun(t, o.env, "adopt", "--connection", "sAles")
	wantText(t, "the header", first.stdout.String(), `"Sales" that sign-ins made`, "a file of its own", "terraform plan", "--resource")
	found := read(t, first.stdout.String())
	for userID, r := range found {
		expected := want[userID]
		if expected.name = r.name; r != expected {
			t.Errorf("got  %+v\nwant %+v", r, expected)
		}
	}
	if len(found) != len(want) || first.stderr.String() != "" {
		t.Errorf("%d resources, want %d\n%s", len(found), len(want), &first.stderr)
	}
	if again := mustRun(t, o.env, "adopt", "--connection", "sales"); again.stdout.String() != first.stdout.String() {
		t.Errorf("nothing changed, and it prints\n%s", &again.stdout)
	}

	if err := o.DeleteUserMapping(t.Context(), want["007"].imports, 0); err != nil {
		t.Fatal(err)
	}
	o.signIn(t, "j.doe@contoso.com", "jane_doe", "addin")
	later := read(t, mustRun(t, o.env, "adopt", "--connection", "Sales", "--all").stdout.String())
	for _, userID := range []string{"jane.doe", odd} {
		if later[userID] != found[userID] {
			t.Errorf("others came and went, and\n%+v is\n%+v now", found[userID], later[userID])
		}
	}
	if _, left := later["007"]; left || len(later) != 4 || later["bob"].email != "bob@fabrikam.com" {
		t.Errorf("with --all: %+v", later)
	}
}

func TestAdoptReadsEveryPage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	users := make([]string, 2500)
	for i := range users {
		users[i] = fmt.Sprintf("user%d", i)
	}
	o.create(t, users...)
	if found := read(t, mustRun(t, o.env, "adopt", "--all", "--connection", "sales").stdout.String()); len(found) != len(users) {
		t.Errorf("%d resources, want %d", len(found), len(users))
	}
	broken := run(t, []string{"IDMAP_ENDPOINT=" + breaking(t, o.url), "IDMAP_TOKEN=" + bootstrap}, "adopt", "--all", "--connection", "sales")
	if broken.code != 1 || broken.stdout.String() != "" {
		t.Errorf("the second page failed: exit code %d, and it prints\n%.300s", broken.code, broken.stdout.String())
	}
	wantText(t, "the error", broken.stderr.String(), "Error: ")
}

// breaking passes on to a server what asks for no later page.
func breaking(t *testing.T, server string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("cursor") {
			http.Error(w, "no more", http.StatusForbidden)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// A connection can be the application side of some mappings and the mail side of others, which are not its users.
func TestAdoptOfAConnectionOnBothSides(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(t, "bob")
	if _, err := o.CreateConnection(t.Context(), client.NewKey(), idmap.Connection{ID: "crm", Name: "CRM", Platform: idmap.PlatformRef{ID: "generic"}}); err != nil {
		t.Fatal(err)
	}
	beyond := idmap.UserMapping{Email: "ann@fabrikam.com", UserID: "ann"}
	beyond.Source.Connection.ID, beyond.Destination.Connection.ID = "sales", "crm"
	if _, _, err := o.CreateUserMapping(t.Context(), client.NewKey(), beyond); err != nil {
		t.Fatal(err)
	}
	found := read(t, mustRun(t, o.env, "adopt", "--connection", "Sales", "--all").stdout.String())
	if len(found) != 1 || found["bob"].destination != "sales" {
		t.Errorf("got %+v, want bob alone", found)
	}
}

// An empty file over that of the mappings adopted before would have Terraform destroy them.
func TestAdoptFindsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, step := range []struct {
		made []string
		args []string
		want string
	}{
		{nil, []string{"--all"}, `the connection "Sales" has no mappings.`},
		{[]string{"bob"}, nil, `sign-ins made no mappings of the connection "Sales"; --all`},
	} {
		o.create(t, step.made...)
		p := run(t, o.env, append([]string{"adopt", "--connection", "Sales"}, step.args...)...)
		if p.code != 1 || p.stdout.String() != "" {
			t.Errorf("exit code %d, want 1 and nothing on standard output:\n%s", p.code, &p.stdout)
		}
		wantText(t, "standard error", p.stderr.String(), "Error: There is nothing to adopt: ", step.want)
	}
}

// A mapping that vanishes under Terraform is worth a warning, and one that a sign-out does not touch is not.
func TestAdoptWhereSignOutRemoves(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	sales, err := o.Connection(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	sales.OnSignOut = idmap.OnSignOutRemove
	if _, err := o.UpdateConnection(t.Context(), sales); err != nil {
		t.Fatal(err)
	}
	o.create(t, "bob")
	const warning = `Warning: the connection has on_sign_out = "remove"`
	p := mustRun(t, o.env, "adopt", "--connection", "Sales", "--all")
	if strings.Contains(p.stdout.String(), warning) || p.stderr.String() != "" {
		t.Errorf("nothing vanishes, and it warns:\n%s%s", &p.stdout, &p.stderr)
	}
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	p = mustRun(t, o.env, "adopt", "--connection", "Sales")
	wantText(t, "the header", p.stdout.String(), "# "+warning, `on_sign_out = "keep"`)
	wantText(t, "standard error", p.stderr.String(), warning, `on_sign_out = "keep"`)
	read(t, p.stdout.String())
}

func TestAdoptRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.create(t, "bob")
	for name, c := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"no connection":      {nil, 2, []string{"--connection"}},
		"empty connection":   {[]string{"--connection", " "}, 2, []string{"--connection", "is empty"}},
		"unknown connection": {[]string{"--connection", "Sale"}, 1, []string{`"Sale"`, `"Sales"`, `"Contoso"`}},
		"mail connection":    {[]string{"--connection", "contoso"}, 1, []string{`"Contoso" is the mail side`, `--connection "Sales"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := run(t, o.env, append([]string{"adopt"}, c.args...)...)
			if p.code != c.code || p.stdout.String() != "" {
				t.Errorf("exit code %d, want %d; standard output:\n%s", p.code, c.code, &p.stdout)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ")...)
		})
	}
}
