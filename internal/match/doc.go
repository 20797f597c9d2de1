// Package match says what a map makes of an account or a group, and why. It is pure and deterministic: what it answers
// does not depend on the order in which it was told of the accounts.
package match
