package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
)

// maxStatements is how many statements a connection keeps. What this costs in memory, five connections cost five times.
const maxStatements = 64

// keeper is a connector whose connections keep their prepared statements: the driver reads the text of a statement each
// time that it runs, which takes longer than most of them run. database/sql can only keep the statements of a pool, and
// asks it for a connection to prepare one, which the one writer's transaction has.
type keeper struct{ driver.Connector }

// Connect implements driver.Connector.
func (k keeper) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := c.(fullConn)
	if !ok {
		return c, nil
	}
	return &keepingConn{fullConn: full, kept: map[string]*statement{}}, nil
}

// fullConn is what database/sql can ask of the driver's connections.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type keepingConn struct {
	fullConn
	kept map[string]*statement
	uses int // so far
}

// statement is a prepared statement that is kept.
type statement struct {
	fullStmt
	busy     bool // its rows are being read
	lastUsed int
}

type fullStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{rows, s}, nil
}

// statement returns the prepared statement of a text, or nil if it is not one to keep, or is being read already.
func (c *keepingConn) statement(ctx context.Context, query string) (*statement, error) {
	c.uses++
	if s := c.kept[query]; s != nil {
		if s.lastUsed = c.uses; s.busy {
			return nil, nil //nolint:nilnil // there is none, and no error
		}
		return s, nil
	}
	if !slices.ContainsFunc([]string{"SELECT", "INSERT", "UPDATE", "DELETE"}, func(verb string) bool { return strings.HasPrefix(query, verb) }) {
		return nil, nil //nolint:nilnil // there is none, and no error
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := prepared.(fullStmt)
	if !ok {
		return nil, prepared.Close()
	}
	if err := c.makeRoom(); err != nil {
		return nil, errors.Join(err, prepared.Close())
	}
	s := &statement{fullStmt: full, lastUsed: c.uses}
	c.kept[query] = s
	return s, nil
}

// makeRoom lets go of the statement that was used the longest ago, if there are as many as may be kept.
func (c *keepingConn) makeRoom() error {
	oldest := ""
	for query, s := range c.kept {
		if !s.busy && (oldest == "" || s.lastUsed < c.kept[oldest].lastUsed) {
			oldest = query
		}
	}
	if len(c.kept) < maxStatements || oldest == "" {
		return nil
	}
	s := c.kept[oldest]
	delete(c.kept, oldest)
	return s.Close()
}

// Close implements driver.Conn. A database with open statements does not close.
func (c *keepingConn) Close() error {
	var err error
	for _, s := range c.kept {
		err = errors.Join(err, s.Close())
	}
	c.kept = map[string]*statement{}
	return errors.Join(err, c.fullConn.Close())
}

// keptRows are rows of a statement, which is free again when they are closed.
type keptRows struct {
	driver.Rows
	of *statement
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	err := r.Rows.Close()
	r.of.busy = false
	return err
}
