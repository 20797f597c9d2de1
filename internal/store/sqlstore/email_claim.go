package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

const holderColumns = `assignment_id, connection_id, account_id, user_key, name`

// claimEntry begins an entry, or marks that of the address as seen again. It locks the entry either way, so neither a
// release nor another claim comes between it and its holders.
const claimEntry = `ON CONFLICT (connection_id, address_key) WHERE released_on IS NULL DO UPDATE SET ` +
	`last_seen_on = CASE WHEN email_assignments.last_seen_on < excluded.last_seen_on ` +
	`THEN excluded.last_seen_on ELSE email_assignments.last_seen_on END ` +
	`RETURNING id, connection_id, address_key`

// claimHolder adds a holder, or refreshes the stored one if it is the same: idmap.EmailHolder.Same, in SQL. A holder
// that it does not return is another one.
const claimHolder = `ON CONFLICT (assignment_id, connection_id) DO UPDATE SET ` +
	`account_id = CASE excluded.account_id WHEN '' THEN email_assignment_holders.account_id ELSE excluded.account_id END, ` +
	`user_key = CASE excluded.user_key WHEN '' THEN email_assignment_holders.user_key ELSE excluded.user_key END, ` +
	`name = CASE email_assignment_holders.name WHEN '' THEN excluded.name ELSE email_assignment_holders.name END ` +
	`WHERE CASE WHEN email_assignment_holders.account_id <> '' AND excluded.account_id <> '' ` +
	`THEN email_assignment_holders.account_id = excluded.account_id ` +
	`ELSE excluded.user_key <> '' AND email_assignment_holders.user_key = excluded.user_key END ` +
	`RETURNING assignment_id, connection_id`

// renameHolder looks each entry up by its id, and not the holders by the entries: a mail connection has far more
// entries than a holder has addresses.
const renameHolder = `UPDATE email_assignment_holders SET user_key = ? ` +
	`WHERE connection_id = ? AND user_key = ? AND account_id IN ('', ?) AND EXISTS (SELECT 1 FROM email_assignments ` +
	`WHERE email_assignments.id = email_assignment_holders.assignment_id ` +
	`AND email_assignments.connection_id = ? AND released_on IS NULL)`

type addressOf struct{ connectionID, addressKey string }

type holderOf struct{ assignmentID, connectionID string }

// claimedHolder is a holder that a claim names.
type claimedHolder struct {
	holderOf
	holder idmap.EmailHolder
	claim  int // index
}

func (s *session) ClaimEmails(ctx context.Context, claims []store.EmailClaim, now time.Time) (refused []int, err error) {
	entries, err := s.claimEntries(ctx, claims, now)
	if err != nil {
		return nil, err
	}
	var holders []claimedHolder
	for i, claim := range claims {
		for _, h := range claim.Holders {
			id := entries[addressOf{claim.ConnectionID, claim.AddressKey}]
			holders = append(holders, claimedHolder{holderOf{id, h.Connection.ID}, h, i})
		}
	}
	// One statement cannot write a row twice, so what claims the same place waits for the next round.
	for len(holders) > 0 {
		now, later := firstOfEach(holders)
		others, err := s.claimHolders(ctx, now)
		if err != nil {
			return nil, err
		}
		refused, holders = append(refused, others...), later
	}
	slices.Sort(refused)
	return slices.Compact(refused), nil
}

// claimEntries returns the ids of the unreleased entries of the claimed addresses.
func (s *session) claimEntries(ctx context.Context, claims []store.EmailClaim, now time.Time) (map[addressOf]string, error) {
	ids := make(map[addressOf]string, len(claims))
	var rows [][]any
	for _, c := range inLockOrder(claims) {
		at := micros(&now)
		rows = append(rows, []any{
			c.ID, c.ConnectionID, c.Address, c.AddressKey, string(c.SeenBy), at, at, nil, "", "", 1,
			searchText(c.AddressKey, c.Address),
		})
	}
	err := s.insert(ctx, "email_assignments", emailAssignmentColumns+", search", claimEntry, rows, func(r row) error {
		var id string
		var address addressOf
		err := r.Scan(&id, &address.connectionID, &address.addressKey)
		ids[address] = id
		return err
	})
	return ids, err
}

// inLockOrder returns the first claim of each address. Every transaction takes the addresses in one order, so that two
// of them do not wait for each other.
func inLockOrder(claims []store.EmailClaim) []store.EmailClaim {
	claims = slices.Clone(claims)
	slices.SortStableFunc(claims, func(a, b store.EmailClaim) int {
		return cmp.Or(strings.Compare(a.ConnectionID, b.ConnectionID), strings.Compare(a.AddressKey, b.AddressKey))
	})
	return slices.CompactFunc(claims, func(a, b store.EmailClaim) bool {
		return a.ConnectionID == b.ConnectionID && a.AddressKey == b.AddressKey
	})
}

// firstOfEach splits holders into the first of each place and the others.
func firstOfEach(holders []claimedHolder) (first, others []claimedHolder) {
	seen := make(map[holderOf]bool, len(holders))
	for _, h := range holders {
		if seen[h.holderOf] {
			others = append(others, h)
			continue
		}
		seen[h.holderOf] = true
		first = append(first, h)
	}
	return first, others
}

// claimHolders returns the claims of which a holder is another than the stored one. No two holders have one place.
func (s *session) claimHolders(ctx context.Context, holders []claimedHolder) (refused []int, err error) {
	rows := make([][]any, len(holders))
	for i, h := range holders {
		rows[i] = []any{h.assignmentID, h.connectionID, h.holder.AccountID(), h.holder.UserID, h.holder.Name}
	}
	accepted := make(map[holderOf]bool, len(holders))
	err = s.insert(ctx, "email_assignment_holders", holderColumns, claimHolder, rows, func(r row) error {
		var at holderOf
		err := r.Scan(&at.assignmentID, &at.connectionID)
		accepted[at] = true
		return err
	})
	for _, h := range holders {
		if !accepted[h.holderOf] {
			refused = append(refused, h.claim)
		}
	}
	return refused, err
}

func (s *session) RenameHolder(ctx context.Context, r store.HolderRename) error {
	_, err := s.exec(ctx, renameHolder, r.NewUserKey, r.ConnectionID, r.OldUserKey, r.AccountID, r.MailConnectionID)
	return err
}
