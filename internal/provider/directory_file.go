package provider

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/idmap/terraform-provider-idmap/internal/client"
	"github.com/idmap/terraform-provider-idmap/internal/directory"
	"github.com/idmap/terraform-provider-idmap/internal/idmap"
)

// directoryFile is the content of an accounts_file or a groups_file.
type directoryFile struct {
	attribute string
	name      string
	format    directory.Format
	content   []byte
	sha256    string
}

// readDirectoryFile reads the file that the attribute names.
func readDirectoryFile(attribute, name string, diags *diag.Diagnostics) *directoryFile {
	format, err := directory.FormatOf(name)
	if err != nil {
		diags.AddAttributeError(path.Root(attribute), "Unknown Directory Format", err.Error())
		return nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		diags.AddAttributeError(path.Root(attribute), "Directory File Unreadable",
			"The directory file cannot be read: "+err.Error()+". Paths are relative to the folder in which Terraform runs; begin one with ${path.module}/ to keep it beside the configuration.")
		return nil
	}
	sum := sha256.Sum256(content)
	return &directoryFile{attribute: attribute, name: name, format: format, content: content, sha256: hex.EncodeToString(sum[:])}
}

// accounts parses the file, or reports every row at fault.
func (f *directoryFile) accounts(diags *diag.Diagnostics) []idmap.Account {
	accounts, err := directory.ParseAccounts(bytes.NewReader(f.content), f.format)
	f.addError(err, diags)
	return accounts
}

// groups parses the file, or reports every row at fault.
func (f *directoryFile) groups(diags *diag.Diagnostics) []idmap.Group {
	groups, err := directory.ParseGroups(bytes.NewReader(f.content), f.format)
	f.addError(err, diags)
	return groups
}

// addError reports what is wrong with the file in one diagnostic, which has a line for each row at fault.
func (f *directoryFile) addError(err error, diags *diag.Diagnostics) {
	violations := idmap.ViolationsOf(err)
	switch {
	case err == nil:
	case len(violations) == 0:
		diags.AddAttributeError(path.Root(f.attribute), "Directory File Unreadable", err.Error())
	default:
		faults := make([]string, len(violations))
		for i, v := range violations {
			faults[i] = "  - " + v.Description
		}
		diags.AddAttributeError(path.Root(f.attribute), "Invalid Directory File",
			f.name+" cannot be taken as a directory, so nothing of it was:\n\n"+strings.Join(faults, "\n"))
	}
}

// upload is one file that an apply sends, and the digest that the plan promised.
type upload struct {
	file *directoryFile
	send sender
}

// sender is the method of the client that uploads such a file.
type sender func(ctx context.Context, connectionID string, revision int64, contentType string, file []byte) (idmap.ImportReport, error)

// uploads reads the files whose digest the plan changes. Reading them all before anything is written means that a file
// which changed since the plan stops the apply before it has done anything.
func uploads(c *client.Client, plan, state connectionModel, diags *diag.Diagnostics) []upload {
	var all []upload
	for _, f := range []struct {
		attribute           string
		name, planned, have types.String
		send                sender
	}{
		{"accounts_file", plan.AccountsFile, plan.AccountsSHA256, state.AccountsSHA256, c.ImportAccounts},
		{"groups_file", plan.GroupsFile, plan.GroupsSHA256, state.GroupsSHA256, c.ImportGroups},
	} {
		if f.planned.IsNull() || f.planned.Equal(f.have) {
			continue
		}
		file := readDirectoryFile(f.attribute, f.name.ValueString(), diags)
		if file == nil {
			continue
		}
		if file.sha256 != f.planned.ValueString() {
			diags.AddAttributeError(path.Root(f.attribute), "File Changed Since Plan",
				"The directory file "+file.name+" is not the one that was planned: it changed in between. Nothing was uploaded. Run terraform plan again.")
		}
		all = append(all, upload{file: file, send: f.send})
	}
	return all
}

// sendAll uploads the files, each for the revision at which the connection is known to be: a directory that somebody else
// changes in between is not overwritten unseen. An upload makes a revision, so the next one needs another look.
func (r *connectionResource) sendAll(ctx context.Context, c idmap.Connection, all []upload, diags *diag.Diagnostics) {
	for i, u := range all {
		if i > 0 {
			now, err := r.walk.client.Connection(ctx, c.ID)
			if err != nil {
				connectionNoun.addError(err, diags)
				return
			}
			c = now
		}
		if u.sendTo(ctx, c, diags); diags.HasError() {
			return
		}
	}
}

// sendTo uploads the file.
func (u upload) sendTo(ctx context.Context, c idmap.Connection, diags *diag.Diagnostics) {
	report, err := u.send(ctx, c.ID, c.Revision, u.file.format.ContentType(), u.file.content)
	if idmap.IsKind(err, idmap.KindRule) {
		u.file.addError(err, diags)
	} else if err != nil {
		connectionNoun.stored().addError(err, diags)
	}
	for _, v := range report.Warnings {
		diags.AddAttributeWarning(path.Root(u.file.attribute), summaryOf(v.Code), u.file.name+": "+detailAtConnection(v))
	}
}
