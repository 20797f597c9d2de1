// Package plantruth holds the promise of plans against real runs of Terraform: what a plan could know is never found at
// apply, and a plan that should pass passes. Its test brings each rule about in each situation that Terraform knows, and
// writes what came of it into a page of the documentation.
package plantruth
