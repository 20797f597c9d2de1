package server_test

import "testing"

// TestPublishedNounsInAnyCase calls addresses as clients of the published API write them. What is no noun stays as it is.
func TestPublishedNounsInAnyCase(t *testing.T) {
	t.Parallel()
	a, source, _, id := mapped(t)
	item := a.call(t, "POST", "/v1/account_maps/"+id+"/exceptions", `{"source":{"username":"ann"},"destination":{"username":"bob"}}`).want(201).text("item", "id")
	for path, status := range map[string]int{
		"/v1/Account_Maps/" + id + "/Exceptions":           200,
		"/v1/Account_Maps/" + id + "/Exceptions/" + item:   200,
		"/v1/account_maps/" + id + "/Exclusions/SOURCE":    200,
		"/v1/account_maps/" + id + "/Exclusions":           200,
		"/v1/account_maps/" + id + "/exclusions/Nobody%2F": 404,
		"/v1/Connections/" + source:                        200,
		"/v1/Connections/Connections":                      404,
		"/v1/Jobs":                                         200,
		"/v1/Transfers/Security_Map":                       400,
		"/v1/Transfers/X/Security_Map":                     404,
		"/v1/Account_Maps/Exceptions":                      404,
		"/V1/account_maps":                                 404,
		"/v1/Audit":                                        404,
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			if got := a.call(t, "GET", path, nil); got.Status != status {
				t.Errorf("answered %d, want %d: %s", got.Status, status, got.Body)
			}
		})
	}
}
