// Package directory reads directory files: the accounts or the groups of a connection, as CSV with a header or as JSON
// lines. It only parses, from any reader, and touches no file system and no network, so the server, the provider and
// the command line read a file alike.
//
// A file is taken whole or not at all. Every row at fault is named by the line on which it stands in the file.
package directory
