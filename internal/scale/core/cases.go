package main

import (
	"fmt"
	"strings"
)

// workload is one way to write the same people down.
type workload struct {
	name  string
	files map[string]string
	init  bool // modules and remote states want it
}

const everybody = `jsondecode(file("${path.module}/people.json"))`

// cases are the ways to write n people. terraform_data is Terraform's own, so no provider is measured.
func cases(n int, stateURL string) []workload {
	people := peopleJSON(0, n)
	each := resource("person", "for_each = "+everybody, `input = { user = each.key, email = each.value }`)
	return []workload{
		{name: "resources of one for_each", files: map[string]string{"main.tf": each, "people.json": people}},
		{name: "resources of one for_each, remote state", init: true, files: map[string]string{
			"main.tf": fmt.Sprintf("terraform {\n  backend \"http\" { address = %q }\n}\n", stateURL) + each, "people.json": people,
		}},
		{name: "resources in blocks of their own", files: map[string]string{"main.tf": blocks(n)}},
		{name: "resources in 10 modules with a for_each", init: true, files: modules(n, each)},
		{name: "resources that refer to another by each.key", files: map[string]string{
			"main.tf": each + resource("mailbox", "for_each = "+everybody, "input = terraform_data.person[each.key].id"), "people.json": people,
		}},
		{name: "entries of one resource, map of text", files: map[string]string{
			"main.tf": resource("all", "input = var.people") + "variable \"people\" {\n  type = map(string)\n}\n", "people.auto.tfvars.json": `{"people": ` + people + `}`,
		}},
		{name: "entries of one resource, list of objects", files: map[string]string{
			"main.tf": resource("all", `input = [for user, email in `+everybody+` : { user = user, email = email }]`), "people.json": people,
		}},
	}
}

func resource(name string, lines ...string) string {
	return fmt.Sprintf("resource \"terraform_data\" %q {\n  %s\n}\n", name, strings.Join(lines, "\n  "))
}

func peopleJSON(from, to int) string {
	var entries []string
	for i := from; i < to; i++ {
		entries = append(entries, fmt.Sprintf(`"USER%05d": "user%05d@example.com"`, i, i))
	}
	return "{" + strings.Join(entries, ",\n") + "}\n"
}

func blocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(resource(fmt.Sprintf("user%05d", i), fmt.Sprintf(`input = { user = "USER%05d", email = "user%05d@example.com" }`, i, i)))
	}
	return b.String()
}

func modules(n int, each string) map[string]string {
	const parts = 10
	files := map[string]string{}
	for part := range parts {
		name := fmt.Sprintf("part%d", part)
		files["main.tf"] += fmt.Sprintf("module %q {\n  source = \"./%s\"\n}\n", name, name)
		files[name+"/main.tf"] = each
		files[name+"/people.json"] = peopleJSON(n*part/parts, n*(part+1)/parts)
	}
	return files
}
