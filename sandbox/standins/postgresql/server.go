package postgresql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// settings is the provider's configuration after environment and defaults.
type settings struct {
	Host           string
	Port           int64
	Database       string
	Username       string
	Password       string
	SSLMode        string
	Superuser      bool
	ConnectTimeout time.Duration
}

// server is one Postgres server: functions and grants live in its databases, so each gets a pool of its own.
type server struct {
	settings settings
	mutex    sync.Mutex
	pools    map[string]*pgxpool.Pool
}

func newServer(settings settings) *server {
	return &server{settings: settings, pools: map[string]*pgxpool.Pool{}}
}

// in gives the pool of a database; "" is the provider's own. Nothing is connected yet.
func (s *server) in(ctx context.Context, database string) (*pgxpool.Pool, error) {
	if database == "" {
		database = s.settings.Database
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if pool, ok := s.pools[database]; ok {
		return pool, nil
	}
	words := fmt.Sprintf("host=%s port=%d sslmode=%s", quoteWord(s.settings.Host), s.settings.Port, quoteWord(s.settings.SSLMode))
	config, err := pgxpool.ParseConfig(words)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Database = database
	config.ConnConfig.User = s.settings.Username
	config.ConnConfig.Password = s.settings.Password
	config.ConnConfig.ConnectTimeout = s.settings.ConnectTimeout
	config.ConnConfig.RuntimeParams["application_name"] = "terraform-provider-postgresql"
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, err
	}
	s.pools[database] = pool
	return pool, nil
}

// leave closes the connections to a database, so that it can be dropped or renamed.
func (s *server) leave(database string) {
	s.mutex.Lock()
	pool := s.pools[database]
	delete(s.pools, database)
	s.mutex.Unlock()
	if pool != nil {
		pool.Close()
	}
}

// execute runs statements one after another in a database, each on its own: several cannot run in a transaction.
func (s *server) execute(ctx context.Context, database string, statements ...string) error {
	pool, err := s.in(ctx, database)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// transact runs statements in one transaction. A lock of that name keeps two of them from changing one catalogue row at
// the same time, which Postgres answers with "tuple concurrently updated".
func (s *server) transact(ctx context.Context, database, lock string, statements ...string) error {
	pool, err := s.in(ctx, database)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", lock); err != nil {
			return err
		}
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// rowIn reads at most one row. The second result says whether there was one.
func rowIn[T any](ctx context.Context, s *server, database, sql string, arguments ...any) (T, bool, error) {
	var none T
	rows, err := rowsIn[T](ctx, s, database, sql, arguments...)
	if err != nil || len(rows) == 0 {
		return none, false, err
	}
	return rows[0], true, nil
}

// rowsIn reads rows into structs by the names of the columns.
func rowsIn[T any](ctx context.Context, s *server, database, sql string, arguments ...any) ([]T, error) {
	pool, err := s.in(ctx, database)
	if err != nil {
		return nil, err
	}
	rows, err := pool.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

const (
	undefinedDatabase = "3D000"
	undefinedObject   = "42704"
	undefinedFunction = "42883"
	undefinedTable    = "42P01"
	undefinedSchema   = "3F000"
	dependentObjects  = "2BP01"
)

// said tells whether Postgres answered with one of these SQLSTATEs.
func said(err error, states ...string) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	for _, state := range states {
		if answer.Code == state {
			return true
		}
	}
	return false
}

// gone tells whether an error says that what is to be read or removed does not exist any more.
func gone(err error) bool {
	return said(err, undefinedDatabase, undefinedObject, undefinedFunction, undefinedTable, undefinedSchema)
}

// identifier quotes the parts of a name.
func identifier(parts ...string) string { return pgx.Identifier(parts).Sanitize() }

// literal quotes a text for statements that take no parameters. Backslashes stay as they are: the server's
// standard_conforming_strings is on since Postgres 9.1.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoteWord quotes a value of a connection string.
func quoteWord(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// grantee is a role in GRANT and REVOKE; public is a keyword there and not a role.
func grantee(role string) string {
	if strings.EqualFold(role, "public") {
		return "PUBLIC"
	}
	return identifier(role)
}
