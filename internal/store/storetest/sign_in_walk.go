package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// testSignInWalk adds newer and older entries, and removes old ones, after each page.
func testSignInWalk(w world) {
	for _, size := range []int{1, 2, 5} {
		for _, f := range []idmap.SignInFilter{{}, {ConnectionID: "app"}, {EmailKey: "a@example.com"}} {
			w.deleteSignIns("app", *at(10_000), 10_000)
			var want []string
			for i := range 30 {
				e := signIn(fmt.Sprintf("stays%02d", i), 100+i/4) // four at a time
				w.addSignIns(e)
				want = append(want, e.Key())
			}
			slices.Reverse(want)
			step := 0
			rows := w.walk(pages{"sign-ins", nil, func(r store.Reader, p idmap.Page) ([]string, error) {
				list, err := r.ListSignIns(w.ctx, f, p)
				return ids(list, err, idmap.SignIn.Key)
			}}, size, func() {
				step++
				name := fmt.Sprint("new", step)
				w.addSignIns(signIn(name, 200+step), signIn(name, 99-step))
				w.deleteSignIns("app", *at(99), 1)
			})
			stayed := slices.DeleteFunc(rows, func(key string) bool { return !strings.Contains(key, ",stays") })
			equal(w.t, fmt.Sprint("pages of ", size), stayed, want)
		}
	}
}
