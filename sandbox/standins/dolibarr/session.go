package dolibarr

import (
	"context"
	"net/http"
	"os"

	"github.com/jackc/pgx/v5"
	"sandbox.local/standins/webapp"
)

// Database opens a connection with the credentials as they are mounted now.
type Database func(ctx context.Context) (*pgx.Conn, error)

// LeasedDatabase logs in through PgBouncer as the web app does.
func LeasedDatabase(config webapp.Config) Database {
	return func(ctx context.Context) (*pgx.Conn, error) {
		credentials, err := webapp.ReadCredentials(config.CredentialsDir)
		if err != nil {
			return nil, err
		}
		return webapp.Login(ctx, config, credentials)
	}
}

// session is one request: a transaction as the owner role, on behalf of a user of Dolibarr.
type session struct {
	pgx.Tx
	user   int
	login  string
	admin  bool
	rights map[int]bool
	files  *os.Root
}

// acting runs work in one transaction as the owner role; an error undoes all of it.
func acting(ctx context.Context, open Database, ownerRole string, work func(pgx.Tx) error) error {
	connection, err := open(ctx)
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		// The role and the path end with the transaction: the pooled connection goes back as it came.
		if _, err := tx.Exec(ctx, "SET LOCAL ROLE "+pgx.Identifier{ownerRole}.Sanitize()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL search_path = public; SET LOCAL timezone = 'UTC'"); err != nil {
			return err
		}
		return work(tx)
	})
}

// authenticate finds who the key belongs to. Keys lie encrypted under the instance's unique id, so each is opened.
func authenticate(ctx context.Context, tx pgx.Tx, uniqueID, key string) (*session, error) {
	if key == "" {
		return nil, refuse(http.StatusUnauthorized, "Failed to login to API. No parameter 'HTTP_DOLAPIKEY' on HTTP header (and no parameter DOLAPIKEY in URL).")
	}
	rows, err := tx.Query(ctx, "SELECT rowid, login, admin = 1, api_key FROM llx_user WHERE statut = 1 AND api_key IS NOT NULL ORDER BY rowid")
	if err != nil {
		return nil, err
	}
	found := &session{Tx: tx, rights: map[int]bool{}}
	matches := 0
	var user int
	var login, sealed string
	var admin bool
	if _, err := pgx.ForEachRow(rows, []any{&user, &login, &admin, &sealed}, func() error {
		if opened, err := Open(uniqueID, sealed); err == nil && sameSecret(opened, key) {
			matches++
			found.user, found.login, found.admin = user, login, admin
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if matches != 1 {
		return nil, refuse(http.StatusUnauthorized, "Failed to login to API. No user found with this api key")
	}
	rows, err = tx.Query(ctx, "SELECT fk_id FROM llx_user_rights WHERE fk_user = $1", found.user)
	if err != nil {
		return nil, err
	}
	var right int
	_, err = pgx.ForEachRow(rows, []any{&right}, func() error { found.rights[right] = true; return nil })
	return found, err
}

func (s *session) need(right int) error {
	if right != 0 && (s.admin || s.rights[right]) {
		return nil
	}
	return refuse(http.StatusForbidden, "Access not allowed for login "+s.login)
}
