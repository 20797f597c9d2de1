package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// How many there are of each kind of trouble. What a map makes of each is said behind it.
const (
	plain     = 2400 // the same address on both sides: Email
	noMail    = 150  // no address on the file server, the same name: Name
	misspelt  = 60   // no address, and a slip in the name: Fuzzy
	reversed  = 40   // no address, and "Surname, Given": Fuzzy
	married   = 30   // another surname now, the old address is an alias: Email
	remarried = 12   // another surname, and nobody kept the old address: Exception
	twins     = 10   // pairs of one name without addresses: ambiguous, but for the first half: Exception
	leavers   = 70   // gone before the cloud came: Unresolved
	newcomers = 110  // came after the file server was closed for newcomers
	guests    = 45   // people of other companies: External
	services  = 15   // programs: Excluded
)

// person is one of the company, as both systems know her; a nil account is none.
type person struct {
	old, cloud *account
}

// account is a row of a directory.
type account struct {
	id, username, email, alias, name, given, surname string
	disabled, external                               bool
}

// group is a row of a directory of groups.
type group struct{ id, name, caption string }

// company is all that is written.
type company struct {
	random    *rand.Rand
	people    []person
	pairs     []person // exceptions that the company's helpdesk has written down
	names     []string // unused full names
	usernames map[string]bool
}

func newCompany() *company {
	c := &company{random: rand.New(rand.NewPCG(2024, 11)), usernames: map[string]bool{}} //nolint:gosec // G404: guards nothing, and the generated files must not differ
	for _, given := range givenNames {
		for _, surname := range allSurnames() {
			c.names = append(c.names, given+" "+surname)
		}
	}
	c.random.Shuffle(len(c.names), func(i, j int) { c.names[i], c.names[j] = c.names[j], c.names[i] })
	for _, kind := range []struct {
		count int
		add   func(number int)
	}{
		{plain, func(int) { c.both() }},
		{noMail, func(int) { c.both().old.email = "" }},
		{misspelt, func(int) { c.misspell(c.both().old) }},
		{reversed, func(int) { reverse(c.both().old) }},
		{married, func(int) { c.marry(true) }},
		{remarried, func(int) { c.marry(false) }},
		{twins, c.twins},
		{leavers, func(int) { p := c.both(); p.cloud, p.old.disabled = nil, true }},
		{newcomers, func(int) { c.both().old = nil }},
		{guests, c.guest},
		{services, c.service},
	} {
		for i := range kind.count {
			kind.add(i)
		}
	}
	c.number()
	return c
}

func (c *company) nextName() (given, surname string) {
	given, surname, _ = strings.Cut(c.names[0], " ")
	c.names = c.names[1:]
	return given, surname
}

// surnameFor returns a surname that nobody of that given name has.
func (c *company) surnameFor(given string) string {
	at := slices.IndexFunc(c.names, func(name string) bool { return strings.HasPrefix(name, given+" ") })
	_, surname, _ := strings.Cut(c.names[at], " ")
	c.names = slices.Delete(c.names, at, at+1)
	return surname
}

// both adds somebody whom both systems know alike.
func (c *company) both() *person {
	given, surname := c.nextName()
	c.people = append(c.people, c.known(given, surname, address(given, surname)))
	return &c.people[len(c.people)-1]
}

func (c *company) known(given, surname, email string) person {
	return person{
		old:   &account{username: c.username(given, surname), email: email, name: given + " " + surname, given: given, surname: surname},
		cloud: &account{username: email, email: email, name: given + " " + surname, given: given, surname: surname},
	}
}

func address(given, surname string) string {
	return strings.ToLower(given + "." + surname + "@contoso.example")
}

// username is what the file server calls somebody: the initial and the surname, and a number where that is taken.
func (c *company) username(given, surname string) string {
	stem := strings.ToLower(given[:1] + surname)
	name := stem
	for n := 2; c.usernames[name]; n++ {
		name = fmt.Sprintf("%s%d", stem, n)
	}
	c.usernames[name] = true
	return name
}

// misspell makes a slip in the surname, as a person who types does: two letters swapped.
func (c *company) misspell(a *account) {
	at := 1 + c.random.IntN(len(a.surname)-2)
	for at > 1 && a.surname[at] == a.surname[at+1] {
		at--
	}
	letters := []byte(a.surname)
	letters[at], letters[at+1] = letters[at+1], letters[at]
	a.email, a.surname = "", string(letters)
	a.name = a.given + " " + a.surname
}

func reverse(a *account) { a.email, a.name = "", a.surname+", "+a.given }

// marry gives somebody another surname in the cloud. The helpdesk has written down whom it could not find otherwise.
func (c *company) marry(keepsAddress bool) {
	p := c.both()
	surname := c.surnameFor(p.cloud.given)
	p.cloud.surname, p.cloud.name = surname, p.cloud.given+" "+surname
	p.cloud.email = address(p.cloud.given, surname)
	p.cloud.username = p.cloud.email
	if keepsAddress {
		p.cloud.alias = p.old.email
	} else {
		c.pairs = append(c.pairs, *p)
	}
}

// twins adds two people of one name.
func (c *company) twins(number int) {
	given, surname := c.nextName()
	for n := 1; n <= 2; n++ {
		p := c.known(given, surname, strings.ToLower(fmt.Sprintf("%s.%s%d@contoso.example", given, surname, n)))
		p.old.email = ""
		c.people = append(c.people, p)
		if number < twins/2 {
			c.pairs = append(c.pairs, p)
		}
	}
}

func (c *company) guest(int) {
	given, surname := c.nextName()
	a := &account{username: c.username(given, surname) + ".ext", name: given + " " + surname, given: given, surname: surname, external: true}
	a.email = strings.ToLower(given + "." + surname + "@fabrikam.example")
	c.people = append(c.people, person{old: a})
}

func (c *company) service(number int) {
	name := fmt.Sprintf("svc-%s", strings.ToLower(departments[number%len(departments)]))
	if number >= len(departments) {
		name += "-test"
	}
	c.people = append(c.people, person{old: &account{username: name, name: name}})
}

// number gives everybody ids, in an order that tells nothing.
func (c *company) number() {
	c.random.Shuffle(len(c.people), func(i, j int) { c.people[i], c.people[j] = c.people[j], c.people[i] })
	for i, p := range c.people {
		if p.old != nil {
			p.old.id = fmt.Sprintf("S-1-5-21-1004336348-1177238915-682003330-%d", 1100+i)
		}
		if p.cloud != nil {
			p.cloud.id = fmt.Sprintf("%08x-%04x-4%03x-9%03x-%012x", c.random.Uint32(), c.random.IntN(1<<16), c.random.IntN(1<<12), c.random.IntN(1<<12), c.random.Int64N(1<<48))
		}
	}
}

// groups returns the groups of both systems: most are called alike, some got a new name and kept the caption, some were
// not taken along.
func (c *company) groups() (old, cloud []group) {
	for i, department := range departments {
		for j, place := range places {
			n := i*len(places) + j
			name, caption := fmt.Sprintf("GRP-%s-%s", department, place), department+" "+place
			old = append(old, group{fmt.Sprintf("S-1-5-21-1004336348-1177238915-682003330-%d", 90000+n), name, caption})
			switch {
			case n%17 == 5: // dissolved
			case n%5 == 3: // renamed
				cloud = append(cloud, group{fmt.Sprintf("g-%04d", n), strings.ToLower(department + "." + place), caption})
			default:
				cloud = append(cloud, group{fmt.Sprintf("g-%04d", n), name, caption})
			}
		}
	}
	return old, cloud
}
