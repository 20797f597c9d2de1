package match_test

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/match"
)

// The population is made of given names and surnames, of which some are common and most are rare: the n-th given name
// is borne by people in proportion to 1/(n+30), the n-th surname to 1/(n+100), which makes namesakes about as common as
// in a large organisation. Of the surnames, most are put together from two parts, as English ones are. Some people have
// a middle name. Two people may have one name, and many do.
//
// An account of the second directory is that of the same person with, in this order,
//   - another surname (2 %), an initial in the place of the given name (3 %), or the middle name left out or added;
//   - one slip in the name (in those of misspelled people): two letters swapped, or one dropped, doubled or replaced;
//   - "Surname, Given" (10 %);
//   - a username and an address made by the other directory's custom from what it has for a name, with a number behind
//     it where somebody else had it first.
const (
	givenNames = "james mary john patricia robert jennifer michael linda david elizabeth william barbara richard susan joseph jessica thomas sarah charles karen christopher lisa daniel nancy matthew betty anthony sandra mark ashley donald emily steven kimberly andrew margaret paul donna joshua michelle kenneth carol kevin amanda brian melissa george deborah timothy stephanie ronald rebecca edward laura jason helen jeffrey sharon ryan cynthia jacob kathleen nicholas amy gary angela eric shirley jonathan anna stephen ruth larry brenda justin pamela scott nicole brandon katherine benjamin samantha samuel christine gregory catherine alexander virginia patrick debra frank rachel raymond janet jack emma dennis carolyn jerry maria tyler heather aaron diane jose julie adam joyce nathan evelyn henry joan douglas victoria zachary kelly peter christina kyle lauren noah frances ethan martha jeremy judith christian cheryl walter megan keith andrea austin olivia roger ann terry jean sean alice gerald jacqueline carl hannah dylan doris harold kathryn jordan gloria jesse teresa bryan sara lawrence janice arthur marie gabriel julia bruce grace logan judy billy theresa joe rose alan beverly juan denise elijah marilyn willie amber albert danielle wayne brittany randy diana mason abigail vincent jane liam natalie roy lori bobby tiffany caleb alexis bradley kayla"
	surnames   = "smith jones taylor brown williams wilson johnson davies patel robinson wright thompson evans walker white roberts green hall thomas clarke jackson wood harris edwards turner martin cooper hill ward hughes moore clark king harrison lewis baker lee allen morris khan scott watson davis parker bennett young phillips richardson griffiths cox murphy mitchell cook nguyen garcia martinez lopez gonzalez rossi ferrari muller schmidt fischer weber meyer wagner becker hoffmann novak kowalski nowak ivanov petrov silva santos ferreira jensen nielsen hansen andersen larsen lindberg virtanen dubois moreau laurent simon michel lefebvre kim park choi tanaka suzuki watanabe singh kaur sharma gupta ahmed hussain malik okafor mensah diallo"
	surHeads   = "ash black brad bram brom burn cal car chat clay col cran dal den dray east eld elm fair far ferns gar glen grim had hal ham hart hazel heath hol horn hunt kel ken kirk lang lock long mar mel mil nether north oak pem pres raven red rock rud sel shaw shel stan stock thorn till wal west whit win wood wyn"
	surTails   = "bank berry borne brook burn bury by cliffe combe cote croft dale den don field ford gate grave ham hurst land leigh ley lock man mere mond mont more ridge shaw side stead stock stone ston thorpe ton wall ward well wick win wood worth"
)

// population makes people, and their accounts in two directories. One seed makes one population.
type population struct {
	chance       *rand.Rand
	given, surs  []string
	givenW, surW []float64
}

// person is somebody with up to two accounts. misspelled says that the second directory has a slip in the name.
type person struct {
	given, middle, surname string
	misspelled             bool
}

func newPopulation(seed uint64) *population {
	chance := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // G404: guards nothing, and figures must be repeatable
	p := &population{chance: chance, given: strings.Fields(givenNames), surs: strings.Fields(surnames)}
	for tail := range strings.FieldsSeq(surTails) {
		for head := range strings.FieldsSeq(surHeads) {
			p.surs = append(p.surs, head+tail)
		}
	}
	p.givenW, p.surW = weights(len(p.given), 30), weights(len(p.surs), 100)
	return p
}

// weights returns the running sums of 1/(n+flat).
func weights(n, flat int) []float64 {
	sums, sum := make([]float64, n), 0.0
	for i := range sums {
		sum += 1 / float64(i+flat)
		sums[i] = sum
	}
	return sums
}

func (p *population) pick(list []string, sums []float64) string {
	at := p.chance.Float64() * sums[len(sums)-1]
	low, high := 0, len(sums)-1
	for low < high {
		if middle := (low + high) / 2; sums[middle] < at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return list[low]
}

func (p *population) person(misspelled float64) person {
	who := person{given: p.pick(p.given, p.givenW), surname: p.pick(p.surs, p.surW), misspelled: p.often(misspelled)}
	if p.often(0.1) {
		who.middle = p.pick(p.given, p.givenW)
	}
	return who
}

func (p *population) often(share float64) bool { return p.chance.Float64() < share }

// changed returns what the second directory has for the person's name.
func (p *population) changed(who person) person {
	switch {
	case p.often(0.02):
		who.surname = p.pick(p.surs, p.surW)
	case p.often(0.03):
		who.given = who.given[:1]
	case p.often(0.05):
		who.middle = ""
	}
	switch {
	case who.misspelled && p.often(0.4):
		who.given = p.slip(who.given)
	case who.misspelled:
		who.surname = p.slip(who.surname)
	}
	return who
}

// slip is one slip of the fingers.
func (p *population) slip(word string) string {
	if len(word) < 3 {
		return word
	}
	letters, at := []byte(word), 1+p.chance.IntN(len(word)-2)
	switch p.chance.IntN(4) {
	case 0:
		letters[at], letters[at+1] = letters[at+1], letters[at]
	case 1:
		return word[:at] + word[at+1:]
	case 2:
		return word[:at] + word[at:at+1] + word[at:]
	default:
		letters[at] = "abcdefghijklmnopqrstuvwxyz"[p.chance.IntN(26)]
	}
	return string(letters)
}

func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// first returns the accounts of people in the first directory; their ids are s and a number.
func (p *population) first(people []person) []match.Entry {
	taken := map[string]int{}
	return p.accounts(people, "s", func(who person) (string, string, string) {
		name := strings.Join(strings.Fields(title(who.given)+" "+title(who.middle)+" "+title(who.surname)), " ")
		return name, number(taken, who.given[:1]+who.surname), number(taken, who.given+"."+who.surname) + "@old.example"
	})
}

// second returns their accounts in the second directory; their ids are d and the same number.
func (p *population) second(people []person) []match.Entry {
	taken := map[string]int{}
	return p.accounts(people, "d", func(who person) (string, string, string) {
		who = p.changed(who)
		name := strings.Join(strings.Fields(title(who.given)+" "+title(who.middle)+" "+title(who.surname)), " ")
		if p.often(0.1) {
			name = title(who.surname) + ", " + title(who.given)
		}
		return name, number(taken, who.given+who.surname[:1]), number(taken, who.given+"."+who.surname) + "@new.example"
	})
}

// number puts a number behind what somebody else has.
func number(taken map[string]int, text string) string {
	taken[text]++
	if n := taken[text]; n > 1 {
		return fmt.Sprint(text, n)
	}
	return text
}

func (p *population) accounts(people []person, prefix string, of func(person) (name, username, email string)) []match.Entry {
	entries := make([]match.Entry, len(people))
	for i, who := range people {
		name, username, email := of(who)
		entries[i] = match.AccountEntry(idmap.Account{
			ID: fmt.Sprintf("%s%d", prefix, i), Name: name, Username: username, Email: email,
		})
	}
	return entries
}
