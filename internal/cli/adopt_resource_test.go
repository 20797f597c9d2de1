package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

func TestAdoptRefersToConnections(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	sales, err := o.Connection(t.Context(), "sales")
	if err != nil {
		t.Fatal(err)
	}
	sales.Name = "a=b, Sales; c"
	if _, err := o.UpdateConnection(t.Context(), sales); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{
		"A=B, sales; C=idmap_connection.sales":            `idmap_connection.sales.id`,
		" sales = idmap_connection.sales.id ":             `idmap_connection.sales.id`,
		"sales=idmap_connection.id":                       `idmap_connection.id.id`,
		`sales=idmap_connection.all["a=b.x $${y} \"é\""]`: `idmap_connection.all["a=b.x $${y} \"é\""].id`,
		"sales=idmap_connection.all[0]":                   `idmap_connection.all[0].id`,
		"sales=data.idmap_connection.sales":               `data.idmap_connection.sales.id`,
		"sales=data.idmap_connection.id":                  `data.idmap_connection.id.id`,
		`sales=module.crm["eu"].sales`:                    `module.crm["eu"].sales.id`,
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			text := mustRun(t, o.env, "adopt", "--connection", "sales", "--resource", flag).stdout.String()
			wantAttribute(t, text, "destination_connection_id", want)
			wantAttribute(t, text, "source_connection_id", `"contoso"`)
			wantText(t, "the header", text, "replace the ids by references")

			text = mustRun(t, o.env, "adopt", "--connection", "sales", "--resource", flag, "--resource", "contoso=idmap_connection.mail").stdout.String()
			wantAttribute(t, text, "destination_connection_id", want)
			wantAttribute(t, text, "source_connection_id", "idmap_connection.mail.id")
			if strings.Contains(text, "replace the ids") {
				t.Errorf("no id is left, and the header says to replace it:\n%s", text)
			}
		})
	}
}

func wantAttribute(t *testing.T, text, attribute, want string) {
	t.Helper()
	if formatted := hclwrite.Format([]byte(text)); !bytes.Equal(formatted, []byte(text)) {
		t.Errorf("it is not formatted:\n%s", text)
	}
	for line := range strings.Lines(text) {
		if name, value, _ := strings.Cut(line, "="); strings.TrimSpace(name) == attribute {
			if got := strings.TrimSpace(value); got != want {
				t.Errorf("%s is %s, want %s", attribute, got, want)
			}
			return
		}
	}
	t.Errorf("%s is missing:\n%s", attribute, text)
}

func TestAdoptRefusesResources(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.signIn(t, "jane@contoso.com", "jane", "addin")
	for name, c := range map[string]struct {
		resources []string
		code      int
		want      []string
	}{
		"no address":         {[]string{"Sales"}, 2, []string{`"Sales" is not NAME=ADDRESS`, "Contoso Sales=idmap_connection.sales"}},
		"no name":            {[]string{" =idmap_connection.sales"}, 2, []string{"is not NAME=ADDRESS"}},
		"empty":              {[]string{""}, 2, []string{"is not NAME=ADDRESS"}},
		"empty address":      {[]string{"Sales="}, 2, []string{`"" is not the address`}},
		"a name alone":       {[]string{"Sales=sales"}, 2, []string{`"sales" is not the address`, "idmap_connection.sales"}},
		"a type alone":       {[]string{"Sales=data.idmap_connection"}, 2, []string{"is not the address"}},
		"all of it":          {[]string{"Sales=idmap_connection.all[*]"}, 2, []string{"is not the address"}},
		"code":               {[]string{"Sales=idmap_connection.all[each.key]"}, 2, []string{"is not the address"}},
		"more than that":     {[]string{"Sales=idmap_connection.sales\n}\nresource \"x\" \"y\" {"}, 2, []string{"is not the address"}},
		"unknown connection": {[]string{"Sails=idmap_connection.sales"}, 1, []string{`"Sails"`, `"Sales" and "Contoso"`}},
		"twice":              {[]string{"Sales=idmap_connection.a", "sales=idmap_connection.b"}, 1, []string{`"sales" twice`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"adopt", "--connection", "Sales"}
			for _, r := range c.resources {
				args = append(args, "--resource="+r)
			}
			p := run(t, o.env, args...)
			if p.code != c.code || p.stdout.String() != "" {
				t.Errorf("exit code %d, want %d; standard output:\n%s", p.code, c.code, &p.stdout)
			}
			wantText(t, "standard error", p.stderr.String(), append(c.want, "Error: ", "--resource")...)
		})
	}
}
