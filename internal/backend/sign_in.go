package backend

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/idmap/terraform-provider-idmap/internal/idmap"
	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// trimStep is how many entries of the history are removed in one transaction, which others wait for.
const trimStep = 500

const fieldDestination = "destination.connection.id"

// SignIn judges an attempt to sign in, and writes what comes of it in one transaction: the entry of the history, the
// session, the time of the mapping's last sign-in and, where the user had no mapping and may have one, the mapping. A
// denial is an answer. The error says that the attempt could not be judged: a connection that does not exist, a client
// that is too long. A caller that gives up does not know whether the sign-in was written; with an idempotency key it
// may ask again.
func (b *Backend) SignIn(ctx context.Context, call Call, a idmap.SignInAttempt) (idmap.SignInAnswer, error) {
	c, err := newSignInCall(call, a)
	if err != nil {
		return idmap.SignInAnswer{}, err
	}
	result, err := b.knownSignIns.do(ctx, c)
	if err == nil && result.undecided {
		result, err = b.otherSignIns.do(ctx, c)
	}
	if err != nil {
		return idmap.SignInAnswer{}, err
	}
	return result.answer, result.err
}

// newSignInCall checks what no history should have, and brings the attempt into the form in which it is judged.
func newSignInCall(call Call, a idmap.SignInAttempt) (signInCall, error) {
	c := signInCall{Call: call, asked: a}
	violations := checkEnds(a.Source, a.Destination)
	a.Client = idmap.ClientName(a.Client)
	if err := idmap.VisibleText(a.Client, idmap.MaxClientLength); err != nil {
		violations = append(violations, idmap.Violation{Code: idmap.CodeInvalid, Field: "client", Description: fmt.Sprintf(
			"The name of the client cannot be stored: %s. Name the program in a few visible characters, such as outlook-addin.", err)})
	}
	address, refused := canonicalAddress(a.SourceAddress)
	a.SourceAddress, violations = address, append(violations, refused...)
	a.Email, a.UserID = bounded(a.Email), bounded(a.UserID)
	c.attempt = a
	return c, idmap.Refuse(violations...)
}

// checkEnds refuses a pair that is none.
func checkEnds(source, destination idmap.SignInEnd) []idmap.Violation {
	if source != destination || source.Connection.ID == "" {
		return nil
	}
	return []idmap.Violation{{Code: idmap.CodeInvalid, Field: fieldDestination, Description: fmt.Sprintf(
		"Connection %q is both source and destination. A user signs in from a mail connection to an application connection.", clipped(source.Connection.ID, 100))}}
}

// canonicalAddress returns the one form of an IP address. The zone, which only the sender's machine can read, is left
// out.
func canonicalAddress(text string) (string, []idmap.Violation) {
	if text == "" {
		return "", nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return "", []idmap.Violation{{Code: idmap.CodeInvalid, Field: "source_address", Description: fmt.Sprintf(
			"%q is not an IP address. Give one such as 192.0.2.7 or 2001:db8::7, without a port, or leave it out.", clipped(text, 100))}}
	}
	return address.Unmap().WithZone("").String(), nil
}

// SignIns lists the sign-in history, the newest first. Its Total is counted no further than idmap.MaxSignInCount.
func (b *Backend) SignIns(ctx context.Context, f idmap.SignInFilter, page idmap.Page) (List[idmap.SignIn], error) {
	return list(ctx, b, page,
		func(r store.Reader, page idmap.Page) ([]idmap.SignIn, error) { return r.ListSignIns(ctx, f, page) },
		func(r store.Reader) (int, error) { return r.CountSignIns(ctx, f, idmap.MaxSignInCount) })
}

// TrimSignIns removes a few entries of the history that are older than their connection keeps them. It reports whether
// there may be more.
func (b *Backend) TrimSignIns(ctx context.Context) (more bool, err error) {
	err = b.update(ctx, func(tx store.Tx) error {
		left := trimStep
		kept, err := signInsKept(ctx, tx)
		if err != nil {
			return err
		}
		for id, days := range kept {
			n, err := tx.DeleteSignIns(ctx, id, b.now().Add(-time.Duration(days)*24*time.Hour), left)
			if err != nil {
				return err
			}
			if left -= n; left <= 0 {
				break
			}
		}
		more = left <= 0
		return nil
	})
	return more && err == nil, err
}

// signInsKept returns for how many days the connections that the history has entries of keep them.
func signInsKept(ctx context.Context, r store.Reader) (map[string]int, error) {
	ids, err := r.SignInConnections(ctx)
	if err != nil {
		return nil, err
	}
	kept := make(map[string]int, len(ids))
	for _, id := range ids {
		kept[id] = idmap.DefaultSignInHistoryDays
	}
	found, err := r.Connections(ctx, ids)
	for _, c := range found {
		kept[c.ID] = c.WithDefaults().SignInHistoryDays
	}
	return kept, err
}
