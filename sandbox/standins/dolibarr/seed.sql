-- A small company's books, the same rows on every run: no clock, no random numbers.
INSERT INTO llx_const (name, value, note, tms) VALUES
  ('MAIN_VERSION_LAST_INSTALL', '20.0.4', NULL, '2026-01-01'), ('MAIN_INFO_SOCIETE_NOM', 'Arcodange', NULL, '2026-01-01'),
  ('MAIN_MODULE_API', '1', NULL, '2026-01-01'), ('FACTURE_ADDON', 'mod_facture_terre', NULL, '2026-01-01');
INSERT INTO llx_rights_def (id, libelle, module, perms, subperms, type) VALUES
  (11, 'Read invoices', 'facture', 'lire', NULL, 'r'), (12, 'Create invoices', 'facture', 'creer', NULL, 'w'),
  (14, 'Validate invoices', 'facture', 'invoice_advance', 'validate', 'w'), (16, 'Issue payments', 'facture', 'paiement', NULL, 'w'),
  (19, 'Delete invoices', 'facture', 'supprimer', NULL, 'd'), (31, 'Read products', 'produit', 'lire', NULL, 'r'),
  (32, 'Create products', 'produit', 'creer', NULL, 'w'), (34, 'Delete products', 'produit', 'supprimer', NULL, 'd'),
  (121, 'Read third parties', 'societe', 'lire', NULL, 'r'), (122, 'Create third parties', 'societe', 'creer', NULL, 'w'),
  (125, 'Delete third parties', 'societe', 'supprimer', NULL, 'd'), (1231, 'Read supplier invoices', 'fournisseur', 'facture', 'lire', 'r'),
  (1232, 'Create supplier invoices', 'fournisseur', 'facture', 'creer', 'w'), (1233, 'Validate supplier invoices', 'fournisseur', 'supplier_invoice_advance', 'validate', 'w'),
  (1234, 'Delete supplier invoices', 'fournisseur', 'facture', 'supprimer', 'd');
INSERT INTO llx_user (login, lastname, admin, datec, tms) VALUES
  ('admin', 'SuperAdmin', 1, '2026-01-01', '2026-01-01'), ('accountant', 'Moreau', 0, '2026-01-01', '2026-01-01'),
  ('ai_agent', 'AI agent', 0, '2026-01-01', '2026-01-01');
INSERT INTO llx_user_rights (fk_user, fk_id) SELECT 2, id FROM llx_rights_def ORDER BY id;
-- The agent's own account reads and no more (ADR-0003, section 3).
INSERT INTO llx_user_rights (fk_user, fk_id) SELECT 3, id FROM llx_rights_def WHERE type = 'r' ORDER BY id;
INSERT INTO llx_extrafields (name, elementtype, label, type) VALUES ('segment', 'societe', 'Segment', 'varchar'), ('source', 'facture', 'Source', 'varchar');
INSERT INTO llx_societe (nom, code_client, code_fournisseur, client, fournisseur, address, zip, town, country_code, email, siren, siret, tva_intra, fk_user_creat, datec, tms)
  SELECT 'Société ' || lpad(n::text, 4, '0') || CASE WHEN n % 7 = 0 THEN ' & Fils' ELSE ' SARL' END,
    CASE WHEN n % 3 <> 0 THEN 'CU26-' || lpad(n::text, 5, '0') END, CASE WHEN n % 3 = 0 THEN 'SU26-' || lpad(n::text, 5, '0') END,
    (n % 3 <> 0)::int, (n % 3 = 0)::int, n || ' rue de l''Église', lpad((1000 + n * 37 % 94000)::text, 5, '0'), 'Ville ' || n % 40, 'FR',
    CASE WHEN n % 11 <> 0 THEN 'contact' || n || '@example.test' END, lpad((n * 7919 % 1000000000)::text, 9, '0'),
    CASE WHEN n % 13 <> 0 THEN lpad((n::bigint * 7919 % 1000000000)::text, 9, '0') || '00017' END,
    CASE WHEN n % 17 <> 0 THEN 'FR' || lpad((n % 97)::text, 2, '0') || lpad((n * 7919 % 1000000000)::text, 9, '0') END, 2,
    timestamp '2025-01-01' + n * interval '1 hour', timestamp '2025-01-01' + n * interval '1 hour' FROM generate_series(1, 600) n;
INSERT INTO llx_societe_extrafields (fk_object, segment, tms) SELECT n, 'S' || n % 5, '2026-01-01' FROM generate_series(1, 600, 2) n;
INSERT INTO llx_product (ref, label, description, price, tva_tx, fk_product_type, datec, tms)
  SELECT 'PRD-' || lpad(n::text, 4, '0'), 'Article ' || n, md5('product ' || n), (n * 13 % 900) + 0.5, (ARRAY[20, 10, 5.5, 0])[1 + n % 4], n % 2,
    timestamp '2025-01-01' + n * interval '1 hour', timestamp '2025-01-01' + n * interval '1 hour' FROM generate_series(1, 400) n;
INSERT INTO llx_facture (ref, fk_soc, datef, date_lim_reglement, fk_statut, paye, fk_user_author, fk_user_valid, date_valid, datec, tms)
  SELECT CASE WHEN n > 1470 THEN '(PROV' || n || ')' ELSE 'FA' || to_char(d, 'YYMM') || '-' || lpad(n::text, 4, '0') END, 1 + n * 3 % 600, d, d + 30,
    CASE WHEN n > 1470 THEN 0 WHEN n % 5 < 3 THEN 2 ELSE 1 END, (n <= 1470 AND n % 5 < 3)::int, 2, CASE WHEN n <= 1470 THEN 2 END,
    CASE WHEN n <= 1470 THEN d END, d, d FROM generate_series(1, 1500) n, LATERAL (SELECT date '2025-01-01' + n / 3 AS d) at;
INSERT INTO llx_facturedet (fk_facture, fk_product, description, qty, subprice, tva_tx, total_ht, total_tva, total_ttc, rang)
  SELECT f, p.rowid, p.label, 1 + (f + l) % 4, p.price, p.tva_tx, p.price * (1 + (f + l) % 4), round(p.price * (1 + (f + l) % 4) * p.tva_tx / 100, 2),
    p.price * (1 + (f + l) % 4) + round(p.price * (1 + (f + l) % 4) * p.tva_tx / 100, 2), l
  FROM generate_series(1, 1500) f, generate_series(1, 3) l JOIN llx_product p ON true WHERE p.rowid = 1 + (f * 7 + l * 31) % 400 AND l <= 1 + f % 3 ORDER BY f, l;
UPDATE llx_facture SET total_ht = s.ht, total_tva = s.tva, total_ttc = s.ttc
  FROM (SELECT fk_facture, sum(total_ht) ht, sum(total_tva) tva, sum(total_ttc) ttc FROM llx_facturedet GROUP BY 1) s WHERE s.fk_facture = rowid;
INSERT INTO llx_facture_extrafields (fk_object, source, tms) SELECT n, 'import', '2026-01-01' FROM generate_series(1, 1500, 10) n;
INSERT INTO llx_facture_fourn (ref, ref_supplier, fk_soc, datef, date_lim_reglement, fk_statut, paye, libelle, fk_user_author, datec, tms)
  SELECT 'SI' || to_char(d, 'YYMM') || '-' || lpad(n::text, 4, '0'), 'F-' || n, 3 * (1 + n % 200), d, d + 30, CASE WHEN n % 2 = 0 THEN 2 ELSE 1 END, (n % 2 = 0)::int,
    'Achat ' || n, 2, d, d FROM generate_series(1, 500) n, LATERAL (SELECT date '2025-01-01' + n AS d) at;
INSERT INTO llx_facture_fourn_det (fk_facture_fourn, description, qty, subprice, tva_tx, total_ht, total_tva, total_ttc, rang)
  SELECT n, 'Fourniture ' || n || '/' || l, l, n % 300 + 1, 20, (n % 300 + 1) * l, (n % 300 + 1) * l * 0.2, (n % 300 + 1) * l * 1.2, l
  FROM generate_series(1, 500) n, generate_series(1, 2) l ORDER BY n, l;
UPDATE llx_facture_fourn SET total_ht = s.ht, total_tva = s.tva, total_ttc = s.ttc
  FROM (SELECT fk_facture_fourn, sum(total_ht) ht, sum(total_tva) tva, sum(total_ttc) ttc FROM llx_facture_fourn_det GROUP BY 1) s WHERE s.fk_facture_fourn = rowid;
INSERT INTO llx_paiement (ref, datep, amount, num_paiement, fk_user_creat, datec, tms)
  SELECT 'PAY' || to_char(datef, 'YYMM') || '-' || lpad(rowid::text, 4, '0'), datef + 20, total_ttc, 'VIR' || rowid, 2, datef + 20, datef + 20 FROM llx_facture WHERE paye = 1 ORDER BY llx_facture.rowid;
INSERT INTO llx_paiement_facture (fk_paiement, fk_facture, amount)
  SELECT p.rowid, f.rowid, f.total_ttc FROM llx_facture f JOIN llx_paiement p ON p.num_paiement = 'VIR' || f.rowid ORDER BY f.rowid;
INSERT INTO llx_actioncomm (ref, code, label, datep, fk_soc, fk_element, elementtype, fk_user_author, tms)
  SELECT rowid::text, 'AC_BILL_VALIDATE', 'Facture ' || ref || ' validée', datef, fk_soc, rowid, 'invoice', 2, datef FROM llx_facture WHERE fk_statut > 0 ORDER BY llx_facture.rowid;
