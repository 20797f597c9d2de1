package backend

import (
	"context"
	"fmt"
	"slices"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/rules"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// importChunk is how many rows are read and written at once.
const importChunk = 1000

// Import is a directory file that was read: its rows and the digest of its bytes.
type Import[T any] struct {
	Rows   []T
	SHA256 string
	// Revision is that of the connection as the caller saw it, 0 for any.
	Revision int64
}

// ImportAccounts makes the directory of a connection what the file says, in one transaction: accounts that the file
// has not are marked as gone. What follows from it: the ledger sees the addresses held, mappings of accounts that were
// unknown are bound to them, sessions of those who lost access end, and mappings follow accounts whose username changed.
func (b *Backend) ImportAccounts(ctx context.Context, call Call, connectionID string, file Import[idmap.Account]) (idmap.ImportReport, error) {
	return importFile(ctx, b, call, connectionID, file, func(ctx context.Context, d *directoryWrite, report *idmap.ImportReport) error {
		known, err := d.tx.CountAccounts(ctx, connectionID, idmap.DirectoryFilter{})
		if err != nil {
			return err
		}
		d.empty = known == 0
		for rows := range slices.Chunk(file.Rows, importChunk) {
			if err := d.importAccounts(ctx, rows, report); err != nil {
				return err
			}
		}
		if err := d.removeAccounts(ctx, file.Rows, report); err != nil {
			return err
		}
		if err := d.endAccess(ctx); err != nil {
			return err
		}
		return d.followRenames(ctx, nil) // last, when all names are what the file says
	}, func(dir *idmap.Directory) **idmap.Import { return &dir.Accounts })
}

// ImportGroups makes the groups of a connection what the file says, in one transaction.
func (b *Backend) ImportGroups(ctx context.Context, call Call, connectionID string, file Import[idmap.Group]) (idmap.ImportReport, error) {
	return importFile(ctx, b, call, connectionID, file, func(ctx context.Context, d *directoryWrite, report *idmap.ImportReport) error {
		for rows := range slices.Chunk(file.Rows, importChunk) {
			if err := d.importGroups(ctx, rows, report); err != nil {
				return err
			}
		}
		return d.removeGroups(ctx, file.Rows, report)
	}, func(dir *idmap.Directory) **idmap.Import { return &dir.Groups })
}

func importFile[T any](
	ctx context.Context, b *Backend, call Call, connectionID string, file Import[T],
	write func(context.Context, *directoryWrite, *idmap.ImportReport) error, of func(*idmap.Directory) **idmap.Import,
) (idmap.ImportReport, error) {
	var report idmap.ImportReport
	err := b.update(ctx, func(tx store.Tx) error {
		report = idmap.ImportReport{SHA256: file.SHA256, Count: len(file.Rows), ImportedOn: b.now()}
		d, err := b.lockDirectory(ctx, tx, call, connectionID)
		if err != nil {
			return err
		}
		if file.Revision != 0 && file.Revision != d.connection.Revision && !imported(d.connection, of, file.SHA256) {
			return idmap.Refuse(revisionConflict(kindConnection, connectionID, d.connection.Revision, file.Revision))
		}
		if err := write(ctx, d, &report); err != nil {
			return err
		}
		report.Warnings = clipWarnings(d.warnings)
		before := d.connection
		done := &idmap.Import{SHA256: report.SHA256, Count: report.Count, ImportedOn: report.ImportedOn}
		if err := d.setImport(ctx, func(dir *idmap.Directory) { *of(dir) = done }); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []idmap.AuditEntry{b.audit(call, "import", kindConnection, connectionID, before, report, "")})
	})
	return report, err
}

// imported reports whether the directory is what the file says already: a repeated upload, whose first answer was lost,
// finds the revision that it made itself.
func imported(c idmap.Connection, of func(*idmap.Directory) **idmap.Import, sha256 string) bool {
	if c.Directory == nil {
		return false
	}
	last := *of(c.Directory)
	return last != nil && last.SHA256 == sha256
}

// clipWarnings keeps a report readable.
func clipWarnings(warnings []idmap.Violation) []idmap.Violation {
	const limit = 100
	if len(warnings) <= limit {
		return warnings
	}
	return append(warnings[:limit:limit], idmap.Violation{Code: idmap.CodeInvalid, Description: fmt.Sprintf("… and %d more warnings.", len(warnings)-limit)})
}

func (d *directoryWrite) importAccounts(ctx context.Context, rows []idmap.Account, report *idmap.ImportReport) error {
	ids := make([]string, len(rows))
	for i, a := range rows {
		if err := idmap.Refuse(rules.CheckAccount(a)...); err != nil {
			return fmt.Errorf("account %q: %w", a.ID, err)
		}
		ids[i] = a.ID
	}
	stored, err := d.stored(ctx, ids)
	if err != nil {
		return err
	}
	var changed []idmap.Account
	for _, row := range rows {
		before, known := stored[row.ID]
		a := d.revise(stored, row)
		switch {
		case known && a.Revision == before.Revision:
			report.Unchanged++
			continue
		case known:
			report.Updated++
		default:
			report.Created++
		}
		changed = append(changed, a)
	}
	if err := d.seeAddresses(ctx, rows); err != nil {
		return err
	}
	return d.putAccounts(ctx, stored, changed)
}

// removeAccounts marks the accounts that the file has not as gone.
func (d *directoryWrite) removeAccounts(ctx context.Context, rows []idmap.Account, report *idmap.ImportReport) error {
	if d.empty {
		return nil
	}
	keep := byID(rows, func(a idmap.Account) string { return a.ID })
	gone, err := remaining(ctx, d, d.tx.ListAccounts, func(a idmap.Account) string { return a.ID }, func(a idmap.Account) bool { _, ok := keep[a.ID]; return !ok })
	if err != nil {
		return err
	}
	now := d.b.now()
	for i, before := range gone {
		gone[i].DeletedOn, gone[i].Revision = &now, before.Revision+1
		d.seeAccess(before, gone[i])
	}
	report.Deleted = len(gone)
	for chunk := range slices.Chunk(gone, importChunk) {
		if err := d.tx.PutAccounts(ctx, d.connection.ID, chunk); err != nil {
			return err
		}
	}
	return nil
}

type lister[T any] func(context.Context, string, idmap.DirectoryFilter, idmap.Page) ([]T, error)

// remaining reads all live entries of the directory for which want holds.
func remaining[T any](ctx context.Context, d *directoryWrite, list lister[T], id func(T) string, want func(T) bool) ([]T, error) {
	var result []T
	live := false
	page := idmap.Page{Limit: importChunk}
	for {
		entries, err := list(ctx, d.connection.ID, idmap.DirectoryFilter{Deleted: &live}, page)
		if err != nil || len(entries) == 0 {
			return result, err
		}
		for _, e := range entries {
			if want(e) {
				result = append(result, e)
			}
		}
		page.After = id(entries[len(entries)-1])
	}
}

func (d *directoryWrite) importGroups(ctx context.Context, rows []idmap.Group, report *idmap.ImportReport) error {
	ids := make([]string, len(rows))
	for i, g := range rows {
		if err := idmap.Refuse(rules.CheckGroup(g)...); err != nil {
			return fmt.Errorf("group %q: %w", g.ID, err)
		}
		ids[i] = g.ID
	}
	found, err := d.tx.Groups(ctx, d.connection.ID, store.DirectoryKeys{IDs: ids})
	if err != nil {
		return err
	}
	stored := byID(found, func(g idmap.Group) string { return g.ID })
	var changed []idmap.Group
	for _, g := range rows {
		before, known := stored[g.ID]
		g.DeletedOn, g.Revision = nil, before.Revision
		switch {
		case known && sameGroup(before, g):
			report.Unchanged++
			continue
		case known:
			report.Updated++
		default:
			report.Created++
		}
		g.Revision++
		changed = append(changed, g)
	}
	if len(changed) == 0 {
		return nil
	}
	return d.tx.PutGroups(ctx, d.connection.ID, changed)
}

func (d *directoryWrite) removeGroups(ctx context.Context, rows []idmap.Group, report *idmap.ImportReport) error {
	keep := byID(rows, func(g idmap.Group) string { return g.ID })
	gone, err := remaining(ctx, d, d.tx.ListGroups, func(g idmap.Group) string { return g.ID }, func(g idmap.Group) bool { _, ok := keep[g.ID]; return !ok })
	if err != nil {
		return err
	}
	now := d.b.now()
	for i := range gone {
		gone[i].DeletedOn, gone[i].Revision = &now, gone[i].Revision+1
	}
	report.Deleted = len(gone)
	for chunk := range slices.Chunk(gone, importChunk) {
		if err := d.tx.PutGroups(ctx, d.connection.ID, chunk); err != nil {
			return err
		}
	}
	return nil
}
