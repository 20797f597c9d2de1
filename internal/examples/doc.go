// Package examples runs what the folder examples has as its readers do, with the real program, Terraform and OpenTofu.
// It has tests only.
package examples
