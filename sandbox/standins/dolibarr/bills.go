package dolibarr

import (
	"context"
	"fmt"
	"net/http"
)

// addLines inserts a bill's lines and sums them up; the database computes, so that no amount passes through a float.
func (s *session) addLines(ctx context.Context, r *resource, id int, given any) error {
	lines, ok := given.([]any)
	if given != nil && !ok {
		return refuse(http.StatusBadRequest, "lines is not a list")
	}
	for index, one := range lines {
		line, ok := one.(object)
		if !ok {
			return refuse(http.StatusBadRequest, "a line is not an object")
		}
		values := []any{id, index + 1}
		for _, c := range lineColumns {
			if !c.write {
				continue
			}
			value, err := stored(c, line[c.api])
			if err != nil {
				return err
			}
			values = append(values, value)
		}
		sql := fmt.Sprintf(`INSERT INTO %s (%s, rang, fk_product, description, qty, subprice, tva_tx, total_ht, total_tva, total_ttc)
SELECT $1::integer, $2::integer, $3::integer, $4::text, qty, price, rate, round(qty * price, 2), round(qty * price * rate / 100, 2), round(qty * price, 2) + round(qty * price * rate / 100, 2)
FROM (SELECT coalesce($5::numeric, 1) AS qty, coalesce($6::numeric, 0) AS price, coalesce($7::numeric, 0) AS rate) given`, r.lines.table, r.lines.parent)
		if _, err := s.Exec(ctx, sql, values...); err != nil {
			return err
		}
	}
	sql := fmt.Sprintf(`UPDATE %[1]s SET total_ht = s.ht, total_tva = s.tva, total_ttc = s.ttc FROM (SELECT coalesce(sum(total_ht), 0) ht,
coalesce(sum(total_tva), 0) tva, coalesce(sum(total_ttc), 0) ttc FROM %[2]s WHERE %[3]s = $1) s WHERE rowid = $1`, r.table, r.lines.table, r.lines.parent)
	_, err := s.Exec(ctx, sql, id)
	return err
}

// validate gives a draft its number, an event and its document.
func (s *session) validate(ctx context.Context, r *resource, id int) (object, error) {
	found, err := s.get(ctx, r, id)
	if err != nil {
		return nil, err
	}
	if found["status"] != "0" {
		return nil, refuse(http.StatusNotModified, "Error nothing done. May be object is already validated")
	}
	if lines, ok := found["lines"].([]object); !ok || len(lines) == 0 {
		return nil, refuse(http.StatusInternalServerError, "Error when validating "+r.noun+": it has no line")
	}
	// Numbers must not have holes: two that validate at once take turns.
	if _, err := s.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtext($1))", r.table); err != nil {
		return nil, err
	}
	var ref string
	sql := fmt.Sprintf(`UPDATE %[1]s t SET fk_statut = 1, fk_user_valid = $2::integer, tms = localtimestamp, ref = p.prefix || lpad((1 + coalesce((SELECT max(substr(o.ref, 8)::int)
FROM %[1]s o WHERE o.ref LIKE p.prefix || '%%' AND substr(o.ref, 8) ~ '^\d+$'), 0))::text, 4, '0')
FROM (SELECT $3::text || to_char(coalesce(datef, current_date), 'YYMM') || '-' AS prefix FROM %[1]s WHERE rowid = $1) p WHERE t.rowid = $1 RETURNING t.ref`, r.table)
	if err := s.QueryRow(ctx, sql, id, s.user, r.numbering).Scan(&ref); err != nil {
		return nil, err
	}
	kind, folder := "invoice", "facture"
	if r.table == "llx_facture_fourn" {
		kind, folder = "invoice_supplier", "fournisseur"
	}
	if _, err := s.Exec(ctx, `INSERT INTO llx_actioncomm (id, ref, code, label, datep, fk_element, elementtype, fk_user_author)
SELECT n, n::text, 'AC_BILL_VALIDATE', $1::text, localtimestamp, $2::integer, $3::text, $4::integer FROM nextval('llx_actioncomm_id_seq') n`,
		r.noun+" "+ref+" validated", id, kind, s.user); err != nil {
		return nil, err
	}
	if _, err := s.Exec(ctx, `INSERT INTO llx_ecm_files (ref, label, filepath, filename, src_object_type, src_object_id, date_c)
VALUES (md5($1::text), md5($1::text || $2::text), $2::text || '/' || $1::text, $1::text || '.pdf', $2::text, $3::integer, localtimestamp)`, ref, folder, id); err != nil {
		return nil, err
	}
	return s.get(ctx, r, id)
}

// payments answers GET /invoices/{id}/payments.
func (s *session) payments(ctx context.Context, id int) ([]object, error) {
	rows, err := s.read(ctx, `SELECT jsonb_build_object('amount', l.amount::text, 'ref', p.ref, 'date', to_char(p.datep, 'YYYY-MM-DD HH24:MI:SS'), 'num', p.num_paiement)
FROM llx_paiement_facture l JOIN llx_paiement p ON p.rowid = l.fk_paiement WHERE l.fk_facture = $1 ORDER BY p.rowid`, id)
	if rows == nil {
		rows = []object{}
	}
	return rows, err
}

// pay answers POST /invoices/{id}/payments: what is left to pay, and the invoice closed when asked. @returns the payment's id.
func (s *session) pay(ctx context.Context, r *resource, id int, given object) (int, error) {
	found, err := s.get(ctx, r, id)
	if err != nil {
		return 0, err
	}
	if found["status"] != "1" {
		return 0, refuse(http.StatusBadRequest, "The invoice is not validated, or paid already")
	}
	var payment int
	err = s.QueryRow(ctx, `WITH due AS (SELECT total_ttc - coalesce((SELECT sum(amount) FROM llx_paiement_facture WHERE fk_facture = $1), 0) AS amount FROM llx_facture WHERE rowid = $1),
made AS (INSERT INTO llx_paiement (rowid, ref, datep, amount, fk_user_creat, num_paiement, datec)
  SELECT n, 'PAY' || to_char(localtimestamp, 'YYMM') || '-' || lpad(n::text, 6, '0'), localtimestamp, due.amount, $2::integer, $3::text, localtimestamp FROM due, nextval('llx_paiement_rowid_seq') n RETURNING rowid, amount)
INSERT INTO llx_paiement_facture (fk_paiement, fk_facture, amount) SELECT rowid, $1::integer, amount FROM made RETURNING fk_paiement`,
		id, s.user, fmt.Sprint(given["num_payment"])).Scan(&payment)
	if err != nil {
		return 0, err
	}
	if fmt.Sprint(given["closepaidinvoices"]) == "yes" {
		_, err = s.Exec(ctx, "UPDATE llx_facture SET paye = 1, fk_statut = 2, tms = localtimestamp WHERE rowid = $1", id)
	}
	return payment, err
}
