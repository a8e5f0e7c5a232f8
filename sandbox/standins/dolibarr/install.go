package dolibarr

import (
	"context"
	_ "embed"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"sandbox.local/standins/webapp"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed seed.sql
	seed string
)

// Install makes and fills the tables of an empty database, once: two pods that start together take turns.
// @returns whether it had to.
func Install(ctx context.Context, open Database, ownerRole string, settings Settings) (made bool, err error) {
	err = acting(ctx, open, ownerRole, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('dolibarr install'))"); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE 'llx\\_%')").Scan(&there); err != nil || there {
			return err
		}
		made = true
		for _, script := range []string{schema, seed} {
			// Several statements in one: the simple protocol, which pgx uses for a script without parameters.
			if _, err := tx.Conn().PgConn().Exec(ctx, script).ReadAll(); err != nil {
				return err
			}
		}
		for _, login := range slices.Sorted(maps.Keys(settings.Keys)) {
			sealed := Seal(settings.UniqueID, settings.Keys[login])
			if _, err := tx.Exec(ctx, "UPDATE llx_user SET api_key = $2 WHERE login = $1", login, sealed); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "INSERT INTO llx_const (name, value, note, tms) VALUES ('MAIN_MAIL_SMTPS_PW', $1, 'encrypted', '2026-01-01')",
			Seal(settings.UniqueID, "smtp password of the installation"))
		return err
	})
	return made, err
}

// MountedSettings reads the instance's config from where the chart mounts it.
func MountedSettings(config webapp.Config) func() (Settings, error) {
	return func() (Settings, error) {
		found, err := webapp.ReadSettings(config.ConfigDir)
		if err != nil {
			return Settings{}, err
		}
		settings := Settings{UniqueID: found["doli_instance_unique_id"], Keys: map[string]string{}}
		if settings.UniqueID == "" {
			return Settings{}, errors.New("doli_instance_unique_id is not set in the instance's config")
		}
		for login, name := range map[string]string{"admin": "admin_api_key", "ai_agent": "ai_agent_api_key"} {
			if key := found[name]; key != "" {
				settings.Keys[login] = key
			}
		}
		return settings, nil
	}
}
