package webapp

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// RoundTrip is what one trip to the database and back showed.
type RoundTrip struct {
	DatabaseUser string
	ActingAs     string
	Database     string
	RowID        int64
	Latency      time.Duration
}

const (
	table = "standin_round_trip"
	// Rows older than this are removed by the next trip: the table stays small whatever the probe period.
	keptFor = "5 minutes"
	// A database every Postgres server has.
	witness = "postgres"
)

// MakeRoundTrip logs in anew, acts as the owner role, writes a row, reads it back and clears old ones, in one
// transaction. A new connection every time is the point: a pool would go on working after the lease was revoked.
func MakeRoundTrip(ctx context.Context, config Config, credentials Credentials) (RoundTrip, error) {
	started := time.Now()
	connection, err := login(ctx, config, credentials, config.DatabaseName)
	if err != nil {
		failure := Classify(err)
		if failure.silent() && serverAnswers(ctx, config, credentials) {
			failure.Link, failure.Reason = LinkDatabase, "no such database"
			failure.Detail += "; the pooler reaches the server's database " + witness
		}
		return RoundTrip{}, failure
	}
	defer connection.Close(context.WithoutCancel(ctx))

	trip := RoundTrip{}
	err = pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		if err := trip.identify(ctx, tx, config.OwnerRole); err != nil {
			return err
		}
		if err := ensureTable(ctx, tx); err != nil {
			return err
		}
		return trip.write(ctx, tx, config.Instance)
	})
	if err != nil {
		return RoundTrip{}, Classify(err)
	}
	trip.Latency = time.Since(started)
	return trip, nil
}

// Login opens a connection of its own to the instance's database. The caller closes it.
func Login(ctx context.Context, config Config, credentials Credentials) (*pgx.Conn, error) {
	return login(ctx, config, credentials, config.DatabaseName)
}

// login opens a connection of its own, in half the time a check has: the other half is for finding out why it failed.
func login(ctx context.Context, config Config, credentials Credentials, database string) (*pgx.Conn, error) {
	options, err := pgx.ParseConfig("sslmode=" + config.DatabaseTLS)
	if err != nil {
		return nil, err
	}
	options.Host, options.Port, options.Database = config.DatabaseHost, config.DatabasePort, database
	options.User, options.Password = credentials.Username, credentials.Password
	for _, fallback := range options.Fallbacks {
		fallback.Host, fallback.Port = config.DatabaseHost, config.DatabasePort
	}
	// PgBouncer pools by transaction: a prepared statement with a name would be left on somebody else's connection.
	options.DefaultQueryExecMode = pgx.QueryExecModeExec
	options.RuntimeParams = map[string]string{"application_name": config.Instance}
	ctx, cancel := context.WithTimeout(ctx, config.Timeout/2)
	defer cancel()
	return pgx.ConnectConfig(ctx, options)
}

// serverAnswers asks for another database when the pooler stayed silent about the app's own. PgBouncer 1.18 tells a
// client neither that a database is missing nor that Postgres is down; but any verdict on the witness, also a refusal,
// can only come from a Postgres that is up.
func serverAnswers(ctx context.Context, config Config, credentials Credentials) bool {
	connection, err := login(ctx, config, credentials, witness)
	if err != nil {
		return Classify(err).Link == LinkCredentials
	}
	_ = connection.Close(ctx)
	return true
}

func (t *RoundTrip) identify(ctx context.Context, tx pgx.Tx, ownerRole string) error {
	// SET LOCAL ends with the transaction, so the pooled server connection goes back as it came.
	if _, err := tx.Exec(ctx, "SET LOCAL ROLE "+pgx.Identifier{ownerRole}.Sanitize()); err != nil {
		return err
	}
	return tx.QueryRow(ctx, "SELECT session_user::text, current_user::text, current_database()::text").
		Scan(&t.DatabaseUser, &t.ActingAs, &t.Database)
}

// ensureTable creates the table under a lock: two pods creating it at once would collide in the catalogue.
func ensureTable(ctx context.Context, tx pgx.Tx) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil || exists {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", table); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table+
		" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, instance text NOT NULL, token text NOT NULL,"+
		" written_at timestamptz NOT NULL DEFAULT now())")
	return err
}

func (t *RoundTrip) write(ctx context.Context, tx pgx.Tx, instance string) error {
	token := rand.Text()
	err := tx.QueryRow(ctx, "INSERT INTO "+table+" (instance, token) VALUES ($1, $2) RETURNING id", instance, token).Scan(&t.RowID)
	if err != nil {
		return err
	}
	var read string
	if err := tx.QueryRow(ctx, "SELECT token FROM "+table+" WHERE id = $1", t.RowID).Scan(&read); err != nil {
		return err
	}
	if read != token {
		return &Failure{Link: LinkQuery, Reason: "row read back differs", Detail: fmt.Sprintf("row %d", t.RowID)}
	}
	_, err = tx.Exec(ctx, "DELETE FROM "+table+" WHERE written_at < now() - interval '"+keptFor+"'")
	return err
}
