// Package client speaks the mapping backend's API. It turns nouns into requests and statuses back into the errors of
// package idmap, and keeps from its callers what HTTP may do on the way: lost answers, busy servers, pages, proxies.
//
// Calls are safe to repeat, and are repeated: reads by nature; PUT, DELETE and the uploads of directory files because the
// server answers a write that was applied already with success; POST because it carries an Idempotency-Key from its first
// attempt on. The exceptions are CreateToken, whose answer has a secret that the server does not store, and what is created
// on a DryvIQ platform, which knows no such key.
//
// An error of a call is one of three: an *idmap.Error, which is the backend's refusal or its fault; an
// *UnreachableError, when nothing useful answered; a *ForeignServerError, when something answered that is no mapping
// backend. Only a call whose own context was cancelled returns that context's error.
package client
