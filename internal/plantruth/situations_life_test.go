package plantruth

import (
	"os"
	"path/filepath"
	"strconv"
)

// The shapes of a lane that several situations have.

func nothing(*lane) string { return "" }

// isOther is the resource with another name.
func isOther(l *lane) string { return l.other(l.good).String() }

func isCounted(l *lane) string { return l.block(l.good, "count = 1").String() }
func isKeyed(l *lane) string   { return l.block(l.good, `for_each = toset(["a"])`).String() }

// isForgotten lets Terraform forget the resource, which nobody manages then.
func isForgotten(l *lane) string {
	for _, o := range l.state() {
		if o.address == l.address() {
			l.foreign(o.id)
		}
	}
	return "removed {\n  from = " + l.address() + "\n  lifecycle {\n    destroy = false\n  }\n}\n"
}

func replaced(l *lane) []string { return []string{"-replace=" + l.address()} }

// begun is a situation in which all resources are there, and the world has turned.
func begun(shape func(*lane) string, it trial) func(*lab) {
	return func(l *lab) {
		l.begin(shape)
		l.each((*lane).turns)
		l.world.asked = 0
		l.try(it)
	}
}

// dropped is why a plan does not show what it warns of.
var dropped = &exception{warnedAtApply, "Terraform asks twice for the plan of a replacement, and shows no warning of the second answer"}

// usedNow: a map in use cannot be replaced, nor deleted under one name and created under another.
var usedNow = map[string]exception{"map_in_use": {outcome: planned}}

// inUse is the one rule about what is deleted.
var inUse = map[string]exception{"map_in_use": {warnedFirst, jobMayFinish}}

const nothingPlanned = "nothing is planned for the resource, so nothing is judged"

func lifeSituations() []situation {
	isFirst := func(l *lane) string {
		return l.block(l.good, "lifecycle {\n    create_before_destroy = true\n  }").String()
	}
	return []situation{
		{head: "create", does: "The resource is new.", by: byCreate, run: func(l *lab) { l.try(trial{shape: isCreated, otherwise: nothing}) }},
		{head: "update", does: "The values of the resource change.", by: byUpdate, run: func(l *lab) {
			l.begin(isGood)
			l.try(trial{shape: isUpdated})
		}},
		{
			head: "no-op", does: "Nothing changes in the configuration, and meanwhile the directories, or others, have changed what the rule looks at, but not by an `accounts_file`: where that brings the change, the plan warns of users who are lost or renamed (\"Account Is Lost\", \"User Is Renamed\").", by: byTurn, verdict: passes, why: nothingPlanned,
			run: begun(isGood, trial{shape: isGood}), still: true,
		},
		{head: "`-replace`", does: "The resource is replaced with `-replace`, and meanwhile others have changed what the rule looks at.", by: byTurn, run: begun(isGood, trial{shape: isGood, option: replaced}), warnings: dropped, but: usedNow},
		{
			head: "tainted", does: "A provisioner failed when the resource was created, which is tainted since, and meanwhile others have changed what the rule looks at.", by: byTurn,
			run: func(l *lab) {
				l.taint()
				l.each((*lane).turns)
				l.try(trial{shape: isGood, otherwise: isForgotten})
				l.untaint()
			},
		},
		{
			head: "created first", does: "The resource has `create_before_destroy`, it is replaced with `-replace`, and meanwhile others have changed what the rule looks at.", by: byTurn,
			run: begun(isFirst, trial{shape: isFirst, option: replaced, otherwise: isFirst}), warnings: dropped, but: usedNow,
		},
		{
			head: "renamed", does: "Within a day of its create the resource gets another name in the configuration, without a `moved` block, and meanwhile others have changed what the rule looks at.", by: byTurn,
			run: begun(isGood, trial{shape: isOther}), but: usedNow,
		},
		{
			head: "moved", does: "The same with a `moved` block.", by: byTurn, verdict: passes, why: nothingPlanned, still: true,
			run: begun(isGood, trial{shape: func(l *lane) string {
				return isOther(l) + "moved {\n  from = " + l.address() + "\n  to = " + l.address() + "_other\n}\n"
			}}),
		},
		{
			head: "`count` to `for_each`", does: "A resource with `count` gets `for_each`, without a `moved` block, and meanwhile others have changed what the rule looks at.", by: byTurn,
			run: begun(isCounted, trial{shape: isKeyed, otherwise: isCounted}), but: usedNow,
		},
		{
			head: "the same, moved", does: "The same with a `moved` block from the index to the key.", by: byTurn, verdict: passes, why: nothingPlanned, still: true,
			run: begun(isCounted, trial{shape: func(l *lane) string {
				return isKeyed(l) + "moved {\n  from = " + l.address() + "[0]\n  to = " + l.address() + "[\"a\"]\n}\n"
			}}),
		},
		{
			head: "`removed`", does: "A `removed` block with `destroy = false` lets Terraform forget the resource, and meanwhile others have changed what the rule looks at.", by: byTurn, verdict: passes, why: nothingPlanned,
			run: begun(isGood, trial{shape: isForgotten}),
		},
		{
			head: "`destroy`", does: "`terraform destroy`, and meanwhile others have changed what the rule looks at.", by: byTurn, verdict: passes, why: "what goes is not judged", but: inUse,
			run: func(l *lab) {
				l.begin(isGood)
				l.each((*lane).turns)
				l.each(func(lane *lane) { l.stands[lane] = "" })
				l.applied(l.space.Run(l.t, "destroy", "-json", "-auto-approve"), both)
			},
		},
		{
			head: "`plan -destroy`", does: "`terraform plan -destroy`, and meanwhile others have changed what the rule looks at; that plan is applied.", by: byTurn, verdict: passes, why: "what goes is not judged", but: inUse,
			run: begun(isGood, trial{shape: isGood, options: []string{"-destroy"}, after: nothing}),
		},
		{head: "import by id", does: "`terraform import` with the id, and the values in the configuration are others.", by: byUpdate, run: imported((*lane).importID), but: importsAll},
		{head: "import by key", does: "The same with the natural key: connection and user id, or the name of the map.", by: byUpdate, run: imported((*lane).naturalKey), but: importsAll},
		{head: "block by id", does: "An `import` block with the id, and the values in the configuration are others.", by: byUpdate, run: importedByBlock((*lane).importID), but: importsAll},
		{head: "block by key", does: "The same with the natural key.", by: byUpdate, run: importedByBlock((*lane).naturalKey), but: importsAll},
		{
			head: "two resources", does: "Two new resources of one configuration break the rule together; where one alone breaks it, another one stands beside it.", by: byCreate,
			run: func(l *lab) { l.try(trial{shape: isBeside, otherwise: nothing}) },
		},
		{
			head: "handed over", does: "A new resource takes what another one of the configuration gives away in the same apply, with `depends_on`.", by: byCreate,
			run: func(l *lab) {
				l.begin(isGood)
				l.try(trial{shape: isTaker})
			},
		},
		{
			head: "unknown value", does: "The values come from a `terraform_data` and are known only at apply.", by: byEither, verdict: refusedAtApply,
			why: "the value is not known before the apply",
			run: func(l *lab) {
				l.begin(func(lane *lane) string {
					if lane.create == nil && lane.update != nil {
						return isGood(lane)
					}
					return ""
				})
				l.try(trial{shape: isUnknown})
			},
		},
	}
}

// isBeside is what breaks the rule beside another resource of the lane, which may have its part in it.
func isBeside(l *lane) string {
	if l.pair != nil {
		l.broken = true
		return l.block(l.pair[0]).String() + l.other(l.pair[1]).String()
	}
	return isCreated(l) + l.other(l.second()).String()
}

// isTaker is a resource that depends on another one of the lane, which gives something away.
func isTaker(l *lane) string {
	after := "depends_on = [" + l.address() + "]"
	switch {
	case l.pair != nil:
		l.broken, l.handsOver = true, true
		return l.block(l.good.with(l.gives)).String() + l.other(l.pair[1], after).String()
	case l.create != nil:
		return isGood(l) + l.other(l.besideGood(), after).String()
	}
	return isGood(l) + l.other(l.second(), after).String()
}

// isUnknown is what breaks the rule, with values that are known only when the apply comes to them.
func isUnknown(l *lane) string {
	wanted := l.wants(l.create)
	if l.create == nil {
		wanted = l.wants(l.update)
	}
	source, hidden := "terraform_data."+l.noun+"_"+l.name(), values{}
	text := "resource \"terraform_data\" \"" + l.noun + "_" + l.name() + "\" {\n  input = {\n"
	for name, value := range wanted {
		hidden[name] = source + ".output." + name
		text += "    " + name + " = " + l.fill(value) + "\n"
	}
	return text + "  }\n}\n" + l.block(hidden).String()
}

// imported is a situation in which Terraform takes over what it does not have in its state.
func imported(by func(*lane) string) func(*lab) {
	return func(l *lab) {
		names := l.lost(by)
		l.write(isGood)
		l.each(func(lane *lane) { l.space.Must(l.t, "import", "-no-color", lane.address(), names[lane]) })
		l.try(trial{shape: isUpdated})
	}
}

func importedByBlock(by func(*lane) string) func(*lab) {
	return func(l *lab) {
		names := l.lost(by)
		with := func(shape func(*lane) string) func(*lane) string {
			return func(lane *lane) string {
				return shape(lane) + "import {\n  to = " + lane.address() + "\n  id = " + strconv.Quote(names[lane]) + "\n}\n"
			}
		}
		l.try(trial{shape: with(isUpdated), otherwise: with(isGood)})
	}
}

// lost makes all resources, loses the state, and returns what they are called.
func (l *lab) lost(by func(*lane) string) map[*lane]string {
	l.t.Helper()
	l.begin(isGood)
	names := map[*lane]string{}
	l.each(func(lane *lane) {
		lane.known = lane.id()
		names[lane] = by(lane)
	})
	l.must(os.Remove(filepath.Join(l.space.Folder, "terraform.tfstate")))
	return names
}

// naturalKey is what an import may call the resource instead of its id.
func (l *lane) naturalKey() string {
	switch l.noun {
	case userMapping:
	case userMappings:
		return l.importID()
	default:
		return l.key
	}
	user, err := strconv.Unquote(l.good["user_id"])
	l.must(err)
	return l.destination + "/" + user
}

// untaint gives up what could not be replaced.
func (l *lab) untaint() {
	for _, o := range l.state() {
		if o.status == "tainted" {
			l.space.Must(l.t, "untaint", o.address)
		}
	}
}

// taint makes all resources, each with a provisioner that fails.
func (l *lab) taint() {
	l.t.Helper()
	l.write(func(lane *lane) string {
		return lane.block(lane.good, "provisioner \"local-exec\" {\n    command = \"exit 1\"\n  }").String()
	})
	o := l.space.Run(l.t, "apply", "-json", "-auto-approve")
	for _, object := range l.state() {
		if object.status != "tainted" {
			l.t.Fatalf("%+v is not tainted\n%v", object, o)
		}
	}
}
