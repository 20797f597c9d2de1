package storetest

import (
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

var pagingTests = map[string]func(world){
	"pages of every size have every row once":                            testPages,
	"rows that come and go between pages neither repeat nor hide others": testPagesWhileChanging,
	"a page begins after a row that is gone":                             testPageAfterGone,
	"mappings are found around an id, in their order":                    testMappingsAroundID,
}

// pages is one of the lists, with its rows as ids in the order in which it answers them.
type pages struct {
	name string
	want []string
	page func(store.Reader, idmap.Page) ([]string, error)
}

func ids[T any](list []T, err error, id func(T) string) ([]string, error) {
	answer := make([]string, len(list))
	for i, object := range list {
		answer[i] = id(object)
	}
	return answer, err
}

// fillPages makes seven rows for each list.
func (w world) fillPages() []pages {
	names := []string{"B", "a", "a-", "aa", "b", "ä", "😀"} // in byte order
	w.update(func(tx store.Tx) error {
		for _, name := range names {
			c := connection(name)
			c.Name = hexAddress(name) // names are told apart by more than case
			if err := tx.InsertConnection(w.ctx, c); err != nil {
				return err
			}
			err := firstError(
				func() error { return tx.PutAccounts(w.ctx, "B", []idmap.Account{{ID: name}}) },
				func() error { return tx.PutGroups(w.ctx, "B", []idmap.Group{{ID: name}}) },
				func() error { return tx.AppendAudit(w.ctx, []idmap.AuditEntry{{ID: name, On: *at(1)}}) },
				func() error {
					t := token(name)
					t.Name = hexAddress(name)
					return tx.InsertToken(w.ctx, t, name)
				},
				func() error {
					_, err := tx.ClaimEmails(w.ctx, []store.EmailClaim{claim(name, hexAddress(name))}, *at(1))
					return err
				},
			)
			if err != nil {
				return err
			}
		}
		for _, name := range names {
			m := mapping(name, hexAddress(name), fmt.Sprintf("user %x", name))
			m.Source.Connection.ID, m.Destination.Connection.ID = "B", "a"
			if err := tx.InsertUserMappings(w.ctx, []store.UserMapping{m}); err != nil {
				return err
			}
			err := firstError(
				func() error { return w.fillMapPages(tx, name) },
				func() error { return tx.InsertSignIns(w.ctx, []idmap.SignIn{signIn(name, 1)}) },
				func() error {
					_, err := tx.UseSessions(w.ctx, []idmap.Session{userSession(name, name, "")})
					return err
				},
			)
			if err != nil {
				return err
			}
		}
		return nil
	})
	newestFirst := slices.Clone(names)
	slices.Reverse(newestFirst)
	var keys []string
	for _, name := range newestFirst {
		keys = append(keys, signIn(name, 1).Key())
	}
	return []pages{
		{"connections", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListConnections(w.ctx, idmap.ConnectionFilter{}, p)
			return ids(list, err, func(c idmap.Connection) string { return c.ID })
		}},
		{"accounts", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListAccounts(w.ctx, "B", idmap.DirectoryFilter{}, p)
			return ids(list, err, func(a idmap.Account) string { return a.ID })
		}},
		{"groups", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListGroups(w.ctx, "B", idmap.DirectoryFilter{}, p)
			return ids(list, err, func(g idmap.Group) string { return g.ID })
		}},
		{"user mappings", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, p)
			return ids(list, err, func(m idmap.UserMapping) string { return m.ID })
		}},
		{"ledger", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListEmailAssignments(w.ctx, idmap.EmailAssignmentFilter{}, p)
			return ids(list, err, func(e idmap.EmailAssignment) string { return e.ID })
		}},
		{"audit", newestFirst, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListAudit(w.ctx, idmap.AuditFilter{}, p)
			return ids(list, err, func(e idmap.AuditEntry) string { return e.ID })
		}},
		{"maps", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListMaps(w.ctx, idmap.MapFilter{Kind: idmap.GroupMap}, p)
			return ids(list, err, func(m idmap.Map) string { return m.ID })
		}},
		{"map items", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListMapItems(w.ctx, "B", idmap.MapItemFilter{}, p)
			return ids(list, err, func(i idmap.MapItem) string { return i.ID })
		}},
		{"named map items", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListMapItems(w.ctx, "B", idmap.MapItemFilter{IDs: names}, p)
			return ids(list, err, func(i idmap.MapItem) string { return i.ID })
		}},
		{"jobs", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListJobs(w.ctx, idmap.JobFilter{}, p)
			return ids(list, err, func(j idmap.Job) string { return j.ID })
		}},
		{"sign-ins", keys, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListSignIns(w.ctx, idmap.SignInFilter{}, p)
			return ids(list, err, idmap.SignIn.Key)
		}},
		{"sign-ins of a connection", keys, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListSignIns(w.ctx, idmap.SignInFilter{ConnectionID: "app"}, p)
			return ids(list, err, idmap.SignIn.Key)
		}},
		{"sessions", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListSessions(w.ctx, idmap.SessionFilter{}, p)
			return ids(list, err, func(u idmap.Session) string { return u.ID })
		}},
		{"sessions of mappings", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListSessions(w.ctx, idmap.SessionFilter{UserMappingIDs: names}, p)
			return ids(list, err, func(u idmap.Session) string { return u.ID })
		}},
		{"session usage", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListSessionUsage(w.ctx, idmap.SessionFilter{}, p)
			return ids(list, err, func(u idmap.SessionUsage) string { return u.UserMapping.ID })
		}},
		{"tokens", names, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListTokens(w.ctx, p)
			return ids(list, err, func(t idmap.Token) string { return t.ID })
		}},
	}
}

// fillMapPages makes a map of that name, an item of the map "B", and a job.
func (w world) fillMapPages(tx store.Tx, name string) error {
	m := someMap(name)
	m.Name, m.Source.Connection.ID, m.Destination.Connection.ID = hexAddress(name), "B", "a"
	return firstError(
		func() error { return tx.InsertMap(w.ctx, idmap.GroupMap, m) },
		func() error { return tx.PutMapItems(w.ctx, "B", []idmap.MapItem{exception(name, name, "d")}) },
		func() error { return tx.InsertJob(w.ctx, job(name)) },
	)
}

// hexAddress makes an address of any text.
func hexAddress(name string) string { return fmt.Sprintf("a@%x.example.com", name) }

// firstError runs steps until one fails.
func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// walk reads all pages of a size, and calls between after each.
func (w world) walk(list pages, size int, between func()) (rows []string) {
	w.t.Helper()
	page := idmap.Page{Limit: size}
	for {
		got := read(w, func(r store.Reader) ([]string, error) { return list.page(r, page) })
		if len(got) > size {
			w.t.Fatalf("%s: a page of %d has %d rows", list.name, size, len(got))
		}
		if len(got) == 0 {
			return rows
		}
		if rows = append(rows, got...); len(rows) > idmap.MaxPageSize {
			w.t.Fatalf("%s: pages of %d never end", list.name, size)
		}
		page.After = got[len(got)-1]
		between()
	}
}

func testPages(w world) {
	for _, list := range w.fillPages() {
		for _, size := range []int{1, 2, 3, 7, 8, idmap.MaxPageSize, idmap.MaxPageSize + 1} {
			equal(w.t, fmt.Sprint(list.name, " in pages of ", size), w.walk(list, size, func() {}), list.want)
		}
	}
}

func testPageAfterGone(w world) {
	for _, list := range w.fillPages() {
		after := list.want[1] + "\x01" // no row's id
		want := list.want[2:]
		if list.want[0] != "B" { // the newest first
			want = list.want[1:]
		}
		got := read(w, func(r store.Reader) ([]string, error) { return list.page(r, idmap.Page{After: after, Limit: 100}) })
		equal(w.t, list.name, got, want)
	}
}

func testMappingsAroundID(w world) {
	w.connections().insert(people(10)...)
	all := idsOf(people(10))
	for name, test := range map[string]struct {
		filter idmap.UserMappingFilter
		page   idmap.Page
		want   []string
	}{
		"from an id on":               {idmap.UserMappingFilter{FromID: all[4]}, idmap.Page{Limit: 3}, all[4:7]},
		"from an id that is none":     {idmap.UserMappingFilter{FromID: all[4] + "0"}, idmap.Page{Limit: 100}, all[5:]},
		"up to an id":                 {idmap.UserMappingFilter{FromID: all[4], ToID: all[6]}, idmap.Page{Limit: 100}, all[4:6]},
		"the last before an id":       {idmap.UserMappingFilter{ToID: all[6]}, idmap.Page{Limit: 2, Last: true}, all[4:6]},
		"all before an id":            {idmap.UserMappingFilter{ToID: all[2]}, idmap.Page{Limit: 100, Last: true}, all[:2]},
		"nothing is before the first": {idmap.UserMappingFilter{ToID: all[0]}, idmap.Page{Limit: 100, Last: true}, []string{}},
	} {
		got := read(w, func(r store.Reader) ([]string, error) {
			list, err := r.ListUserMappings(w.ctx, test.filter, test.page)
			return ids(list, err, func(m idmap.UserMapping) string { return m.ID })
		})
		equal(w.t, name, got, test.want)
	}
}

// testPagesWhileChanging adds and removes a mapping on either side of the reader after every page.
func testPagesWhileChanging(w world) {
	w.connections().insert(people(40)...)
	survivors := idsOf(people(40))
	for _, size := range []int{1, 2, 5} {
		step := 0
		rows := w.walk(pages{"user mappings", nil, func(r store.Reader, p idmap.Page) ([]string, error) {
			list, err := r.ListUserMappings(w.ctx, idmap.UserMappingFilter{}, p)
			return ids(list, err, func(m idmap.UserMapping) string { return m.ID })
		}}, size, func() {
			step++
			gone := survivors[(step*17)%len(survivors)]
			survivors = slices.DeleteFunc(survivors, func(id string) bool { return id == gone })
			name := fmt.Sprintf("new-%d-%d", size, step)
			w.update(func(tx store.Tx) error {
				if len(survivors) < 8 {
					return nil
				}
				return firstError(
					func() error { return tx.DeleteUserMappings(w.ctx, []idmap.UserMapping{{ID: gone, Revision: 1}}) },
					func() error {
						return tx.InsertUserMappings(w.ctx, []store.UserMapping{
							mapping("mu00"+fmt.Sprintf("%02d", (step*23)%40)+name, name+"@example.com", name),
						})
					},
				)
			})
			if len(survivors) < 8 {
				survivors = append(survivors, gone)
			}
		})
		for i := 1; i < len(rows); i++ {
			if rows[i-1] >= rows[i] {
				w.t.Fatalf("pages of %d: %q comes after %q", size, rows[i], rows[i-1])
			}
		}
		for _, id := range survivors {
			if !slices.Contains(rows, id) {
				w.t.Errorf("pages of %d hide %q, which was there all the time", size, id)
			}
		}
	}
}
