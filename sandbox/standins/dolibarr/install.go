package dolibarr

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/jackc/pgx/v5"
	"sandbox.local/standins/files"
	"sandbox.local/standins/webapp"
)

var (
	//go:embed schema.sql
	schema string
	//go:embed seed.sql
	seed string
)

// Invoices that have a document from the beginning: the newest.
const firstDocuments = 24

// Install makes and fills the tables of an empty database, and the folder of its documents, once: two pods that start
// together take turns.
// @returns whether it had to.
func Install(ctx context.Context, open Database, ownerRole string, settings Settings, folder *os.Root) (made bool, err error) {
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
		if err := writeDocuments(ctx, tx, folder); err != nil {
			return err
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

// writeDocuments gives the newest invoices their PDF: the same bytes on every installation.
func writeDocuments(ctx context.Context, tx pgx.Tx, folder *os.Root) error {
	rows, err := tx.Query(ctx, "SELECT ref FROM (SELECT rowid, ref FROM llx_facture WHERE fk_statut > 0 ORDER BY rowid DESC LIMIT $1) newest ORDER BY rowid", firstDocuments)
	if err != nil {
		return err
	}
	refs, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, ref := range refs {
		content := invoicePDF(ref)
		if err := files.Keep(folder, path.Join(invoiceModule.folder, ref, ref+".pdf"), bytes.NewReader(content)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO llx_ecm_files (ref, label, filepath, filename, src_object_type, src_object_id, date_c, tms)
SELECT md5('file ' || rowid), $1::text, 'facture/' || ref, ref || '.pdf', 'facture', rowid, datef, datef FROM llx_facture WHERE ref = $2::text`, sum(content), ref); err != nil {
			return err
		}
	}
	return nil
}

// invoicePDF is one page that bears an invoice's reference.
func invoicePDF(ref string) []byte {
	page := fmt.Sprintf("BT /F1 18 Tf 72 720 Td (Facture %s) Tj ET", ref)
	parts := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(page), page),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var out, table bytes.Buffer
	out.WriteString("%PDF-1.4\n")
	for index, part := range parts {
		fmt.Fprintf(&table, "%010d 00000 n \n", out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", index+1, part)
	}
	fmt.Fprintf(&out, "xref\n0 %[1]d\n0000000000 65535 f \n%[2]strailer\n<< /Size %[1]d /Root 1 0 R >>\nstartxref\n%[3]d\n%%%%EOF\n", len(parts)+1, table.String(), out.Len())
	return out.Bytes()
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
