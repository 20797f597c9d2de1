// Package idmap is the vocabulary of the product: one struct for each noun, which is also its form on the wire, the
// canonical forms under which names are compared, and the codes under which a refusal is known everywhere.
//
// It imports nothing of ours and does no I/O, so the provider, the client, the server and the store can all speak it.
package idmap
