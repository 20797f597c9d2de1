package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// migration is two file platforms with a directory each, as clients of the published API know them.
func migration(t *testing.T, c publishedClient) (source, destination entity) {
	t.Helper()
	connections := c.resource("connections", "connection", "connections")
	for _, name := range []string{"Old", "New"} {
		if _, err := connections.add(entity{"type": "connection", "name": name, "platform": entity{"id": "generic"}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	rows, _, total := connections.page(url.Values{"offset": {"0"}, "limit": {"20"}, "fields": {"name", "platform"}})
	if total != 2 {
		t.Fatalf("there are %d connections", total)
	}
	for _, row := range rows {
		fill(t, c.a, row["id"])
		if source == nil && row["name"] == "Old" {
			source = row
		}
		if row["name"] == "New" {
			destination = row
		}
	}
	return source, destination
}

// fill imports six people, a guest and two groups.
func fill(t *testing.T, a *api, connection any) {
	t.Helper()
	csv := header("Content-Type", "text/csv")
	people := "id,username,email,name\n"
	for _, name := range []string{"ann", "bob", "cyd", "dan", "eve", "fay"} {
		people += fmt.Sprintf("%v-%s,%s,%s@%v.example,%s\n", connection, name, name, name, connection, strings.ToUpper(name))
	}
	a.call(t, "POST", fmt.Sprintf("/v1/connections/%v/accounts/import", connection), people, csv).want(200)
	guest := a.call(t, "PUT", fmt.Sprintf("/v1/connections/%v/accounts/guest", connection), `{"id":"guest","email":"guest@partner.example","external":true}`).want(200)
	if guest.get("account", "external") != true {
		t.Errorf("the guest is none any more: %s", guest.Body)
	}
	groups := fmt.Sprintf("id,name,caption\n%v-staff,staff,Staff\n%v-board,board,Board\n", connection, connection)
	a.call(t, "POST", fmt.Sprintf("/v1/connections/%v/groups/import", connection), groups, csv).want(200)
}

func newPublished(t *testing.T) publishedClient {
	t.Helper()
	return publishedClient{t, newAPI(t)}
}

// TestPublishedAPI is a whole migration, told by a client of the published API.
func TestPublishedAPI(t *testing.T) {
	t.Parallel()
	c := newPublished(t)
	source, destination := migration(t, c)
	maps := c.resource("account_maps", "account_map", "account_maps")
	created, err := maps.add(entity{
		"type": "account_map", "name": "People", "source": entity{"connection": source}, "destination": entity{"connection": destination},
		"unmapped_policy": "fail", "map_by": entity{"username": true, "fuzzy": false},
	}, url.Values{"fields": {"all"}})
	if err != nil || created["id"] == nil || created["revision"] != 1.0 {
		t.Fatalf("created %v, %v", created, err)
	}
	id := fmt.Sprint(created["id"])

	created["map_by"] = entity{"email": true, "username": true}
	updated, err := maps.edit("PUT", created, nil)
	if err != nil || updated["revision"] != 2.0 {
		t.Errorf("updated %v, %v", updated, err)
	}
	patched, err := maps.edit("PATCH", entity{"id": id, "name": "All people"}, nil)
	if err != nil || patched["name"] != "All people" || patched["unmapped_policy"] != "fail" {
		t.Errorf("patched %v, %v", patched, err)
	}
	if _, err := maps.edit("PATCH", entity{"id": id, "map_by": entity{"externalpassthrough": true}}, nil); err == nil || !strings.Contains(err.Error(), "externalpassthrough") {
		t.Errorf("an unknown option: %v", err)
	}
	if found, err := maps.get("nobody"); found != nil || err != nil {
		t.Errorf("a map that does not exist is %v, %v", found, err)
	}
	if rows, _, total := maps.page(url.Values{"q": {"people"}, "offset": {"0"}, "limit": {"20"}}); total != 1 || rows[0]["id"] != id {
		t.Errorf("found %v", rows)
	}

	c.exceptionStory(id, source, destination)
	c.exclusionStory("account_maps/"+id, source, destination)
	c.jobStory(id, source, destination)
}

func pair(source, destination entity, from, to string) entity {
	return entity{"source": principal(source, from), "destination": principal(destination, to)}
}

// principal is somebody as such a client has him from a list: with more fields than we know.
func principal(connection entity, name string) entity {
	return entity{"type": "account", "id": fmt.Sprintf("%v-%s", connection["id"], name), "username": name, "external_id": "x", "admin": false}
}

func (c publishedClient) exceptionStory(id string, source, destination entity) {
	c.t.Helper()
	exceptions := c.items("account_maps/" + id + "/exceptions")
	one, err := exceptions.add(pair(source, destination, "ann", "bob"), nil)
	if err != nil || one["id"] == nil {
		c.t.Fatalf("added %v, %v", one, err)
	}
	if got, err := exceptions.get(one["id"]); err != nil || within(got, "source", "username") != "ann" {
		c.t.Errorf("got %v, %v", got, err)
	}
	_, err = exceptions.send("POST", exceptions.path, nil, entity{"append": true, "items": []any{
		entity{"source": entity{"name": "bob", "type": "account"}, "destination": entity{"name": "ann", "type": "account"}},
		pair(source, destination, "cyd", "dan"),
	}})
	if all := exceptions.all(url.Values{"limit": {"2"}}); err != nil || len(all) != 3 {
		c.t.Errorf("%d exceptions after appending, %v", len(all), err)
	}
	answer, err := exceptions.upload(csvOf("dan", "cyd", "eve", "fay"), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if within(answer, "import_report", "created") != 2.0 || within(answer, "import_report", "count") != 2.0 {
		c.t.Errorf("the upload reports %v", answer)
	}
	if rows, next, total := exceptions.page(url.Values{"limit": {"2"}, "offset": {"2"}}); total != 5 || len(rows) != 2 || next == nil {
		c.t.Errorf("from the third of five on: %v, next %v", rows, next)
	}
	if _, err := exceptions.upload(csvOf("ann", "nobody", "zoe", "ann"), nil); err == nil || !strings.Contains(err.Error(), "Line 2") {
		c.t.Errorf("a bad row: %v", err)
	}
	patched, err := exceptions.edit("PATCH", entity{"id": one["id"], "destination": entity{"username": "fay"}}, nil)
	if err != nil || patched["id"] != one["id"] || within(patched, "destination", "username") != "fay" {
		c.t.Errorf("patched %v, %v", patched, err)
	}
	if put, err := exceptions.edit("PUT", entity{"id": one["id"], "source": entity{"username": "ann"}, "destination": entity{"username": "bob"}}, nil); err != nil || put["id"] != one["id"] {
		c.t.Errorf("replaced %v, %v", put, err)
	}
	if !exceptions.remove(one["id"]) || exceptions.remove(one["id"]) {
		c.t.Error("an exception is deleted once")
	}
	if answer, err = exceptions.upload(csvOf("fay", "ann"), url.Values{"append": {"false"}}); err != nil || within(answer, "import_report", "deleted") != 4.0 {
		c.t.Errorf("the file in place of all reports %v, %v", answer, err)
	}
	if answer, err = exceptions.send("POST", exceptions.path, nil, entity{"items": []any{pair(source, destination, "ann", "fay")}}); err != nil {
		c.t.Fatal(err)
	}
	if within(answer, "import_report", "created") != 1.0 || within(answer, "import_report", "deleted") != 1.0 {
		c.t.Errorf("the replacement reports %v", answer)
	}
}

// csvOf is a file of pairs, by username.
func csvOf(names ...string) string {
	text := "source_id,source_username,source_name,source_caption,destination_id,destination_username,destination_name,destination_caption\n"
	for pair := range slices.Chunk(names, 2) {
		text += fmt.Sprintf(`"","%s","","","","%s","",""`+"\n", pair[0], pair[len(pair)-1])
	}
	return text
}

func (c publishedClient) exclusionStory(parent string, source, destination entity) {
	c.t.Helper()
	both := c.items(parent + "/exclusions")
	sources, destinations := c.items(both.path+"/source"), c.items(both.path+"/destination")
	if _, err := sources.add(entity{"sid": principal(source, "dan")}, nil); err != nil {
		c.t.Fatal(err)
	}
	if _, err := destinations.upload("id,username,name,caption\n\"\",\"eve\",\"\",\"\"\n", nil); err != nil {
		c.t.Fatal(err)
	}
	third, err := both.add(entity{"location": "destination", "sid": principal(destination, "cyd")}, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := both.add(entity{"sid": principal(source, "eve")}, nil); err == nil {
		c.t.Error("an exclusion without a side was taken")
	}
	if _, err := sources.add(entity{"location": "destination", "sid": principal(source, "eve")}, nil); err == nil {
		c.t.Error("an exclusion of the other side was taken")
	}
	if n := [3]int{len(both.all(nil)), len(sources.all(nil)), len(destinations.all(nil))}; n != [3]int{3, 1, 2} {
		c.t.Errorf("there are %v exclusions of both sides, the source and the destination", n)
	}
	if found, err := sources.get(third["id"]); found != nil || err != nil {
		c.t.Errorf("among those of the source there is %v, %v", found, err)
	}
	if !both.remove(third["id"]) || !destinations.remove(nil) || len(both.all(nil)) != 1 {
		c.t.Error("the exclusions of one side were not deleted")
	}
}

func (c publishedClient) jobStory(id string, source, destination entity) {
	c.t.Helper()
	jobs, security := c.resource("jobs", "job", "jobs"), c.items("transfers/security_map")
	fields := url.Values{"fields": {"name", "status", "disabled"}}
	job, err := jobs.add(entity{
		"kind": "transfer", "name": "Move", "schedule": entity{"mode": "manual"}, "stop_policy": entity{"policy": "never"},
		"transfer": entity{
			"transfer_type": "migrate", "permissions": entity{"policy": "add"}, "account_map": entity{"id": id},
			"source":      entity{"connection": source, "target": entity{"path": "/"}},
			"destination": entity{"connection": destination},
		},
	}, fields)
	if err != nil || job["status"] != "idle" {
		c.t.Fatalf("added %v, %v", job, err)
	}
	if _, err := jobs.add(entity{"kind": "folder_mapping", "name": "x", "transfer": job["transfer"]}, nil); err == nil || !strings.Contains(err.Error(), "transfer") {
		c.t.Errorf("a job of another kind: %v", err)
	}
	started, err := jobs.edit("PATCH", entity{"id": job["id"]}, url.Values{"start": {"1"}, "fields": {"status"}})
	if err != nil || started["status"] != "start" {
		c.t.Errorf("started %v, %v", started, err)
	}
	if _, err := jobs.edit("PATCH", entity{"id": job["id"]}, url.Values{"start": {"1"}, "pause": {"1"}}); err == nil {
		c.t.Error("a job was started and paused at once")
	}
	maps := c.resource("account_maps", "account_map", "account_maps")
	if _, err := maps.send("DELETE", maps.path+"/"+id, nil, nil); err == nil || !strings.Contains(err.Error(), "Move") {
		c.t.Errorf("deleting a map in use: %v", err)
	}
	rows := security.all(url.Values{"job": {fmt.Sprint(job["id"])}, "offset": {"0"}, "limit": {"3"}, "fields": {"source", "destination", "resolution", "message"}})
	told := map[any]any{}
	for _, row := range rows {
		told[strings.TrimPrefix(fmt.Sprint(row["id"]), fmt.Sprint(source["id"], "-"))] = row["resolution"]
	}
	if len(rows) != 7 || told["ann"] != "Exception" || told["dan"] != "Excluded" || told["bob"] != "Username" || told["guest"] != "Email" {
		c.t.Errorf("the security map says %v", told)
	}
	if got := c.items(fmt.Sprintf("transfers/%v/security_map", job["id"])).all(url.Values{"include": {"all"}}); len(got) != len(rows) {
		c.t.Errorf("%d rows by the other address, want %d", len(got), len(rows))
	}
	if done, err := jobs.edit("PATCH", entity{"id": job["id"], "status": "complete", "health": "healthy"}, nil); err != nil || done["status"] != "complete" {
		c.t.Errorf("completed %v, %v", done, err)
	}
	if !c.items("account_maps/" + id + "/exceptions").remove(nil) {
		c.t.Error("the exceptions were not deleted")
	}
	if !maps.remove(id) || maps.remove(id) || !jobs.remove(job["id"]) {
		c.t.Error("a map, or a job, is deleted once")
	}
}

// TestPublishedGroups uses the address of group maps in the case in which the SDK writes it.
func TestPublishedGroups(t *testing.T) {
	t.Parallel()
	c := newPublished(t)
	source, destination := migration(t, c)
	maps := c.resource("group_maps", "group_map", "group_maps")
	made, err := maps.add(entity{
		"name": "Groups", "source": entity{"connection": source}, "destination": entity{"connection": destination}, "map_by": entity{"name": true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	parent := fmt.Sprint("Group_maps/", made["id"])
	exceptions := c.items(parent + "/exceptions")
	if _, err := exceptions.add(entity{"source": entity{"name": "staff"}, "destination": entity{"name": "board", "type": "group"}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := exceptions.upload("source_id,source_username,source_name,source_caption,destination_id,destination_username,destination_name,destination_caption\n,,board,,,,staff,\n", nil); err != nil {
		t.Fatal(err)
	}
	if all := exceptions.all(url.Values{"limit": {"1"}}); len(all) != 2 {
		t.Errorf("there are %d exceptions", len(all))
	}
	if _, err := c.items(parent+"/exclusions/source").add(entity{"sid": entity{"name": "staff"}}, nil); err != nil {
		t.Error(err)
	}
	if !exceptions.remove(nil) || len(exceptions.all(nil)) != 0 {
		t.Error("the exceptions were not deleted")
	}
	if !maps.remove(nil) {
		t.Error("the maps were not deleted")
	}
	if rows, _, _ := maps.page(nil); len(rows) != 0 {
		t.Errorf("there are still %v", rows)
	}
}
