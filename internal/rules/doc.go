// Package rules says what may be stored. Every rule exists once, here, with its code, the field that it is about and
// its sentence. Attribute validators, plan-time validation and the write itself all run these functions, so what one
// gate refuses the others refuse in the same words.
//
// The rules are pure: what they look up comes in as a World, which the backend reads from one transaction.
package rules
