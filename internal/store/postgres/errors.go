package postgres

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/idmap/terraform-provider-idmap/internal/store"
)

// The SQLSTATEs that mean something to us, see appendix A of the PostgreSQL manual.
const (
	foreignKeyViolation        = "23503"
	uniqueViolation            = "23505"
	readOnlyTransaction        = "25006" // the server is a standby
	idleInTransactionTimeout   = "25P03"
	invalidAuthorization       = "28000"
	invalidPassword            = "28P01"
	invalidCatalogName         = "3D000"
	serializationFailure       = "40001"
	statementCompletionUnknown = "40003"
	deadlockDetected           = "40P01"
	insufficientPrivilege      = "42501"
	lockNotAvailable           = "55P03"
	queryCanceled              = "57014" // a timeout of the server: ours are told apart by the context

	classConnection = "08"
	classResources  = "53"
	classShutdown   = "57P"
)

// mapError is the one place where codes of PostgreSQL become errors of store.
func mapError(err error) error {
	switch code := sqlState(err); code {
	case serializationFailure, deadlockDetected, uniqueViolation, foreignKeyViolation:
		return fmt.Errorf("%w: %w", store.ErrConflict, err)
	case "":
		if disconnected(err) {
			return fmt.Errorf("%w: %w", store.ErrUnavailable, withoutConfig(err))
		}
	default:
		if unavailable(code) || isConnectError(err) {
			return fmt.Errorf("%w: %w", store.ErrUnavailable, withoutConfig(err))
		}
	}
	return err
}

func unavailable(code string) bool {
	switch code {
	case readOnlyTransaction, idleInTransactionTimeout, statementCompletionUnknown, lockNotAvailable, queryCanceled:
		return true
	}
	for _, class := range []string{classConnection, classResources, classShutdown} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// sqlState returns the code that the server gave, or "".
func sqlState(err error) string {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// disconnected reports whether the server did not answer at all.
func disconnected(err error) bool {
	if isConnectError(err) || pgconn.SafeToRetry(err) {
		return true
	}
	for _, cause := range []error{
		driver.ErrBadConn, sql.ErrConnDone, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	var network net.Error
	return errors.As(err, &network)
}

func isConnectError(err error) bool {
	var e *pgconn.ConnectError
	return errors.As(err, &e)
}

// withoutConfig returns the cause of a failed connection without the configuration that pgx adds to it, since that
// has the password: what the server said if it said something, or else what each attempt met.
func withoutConfig(err error) error {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		return answer
	}
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return e.Unwrap()
	}
	return err
}
