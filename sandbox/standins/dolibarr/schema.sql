-- The part of Dolibarr's tables that an agent's session touches, with the names, types and constraints of its install
-- scripts for PostgreSQL. Statements run as the owner role.
CREATE TABLE llx_const (
  rowid serial PRIMARY KEY, name varchar(180) NOT NULL, entity integer NOT NULL DEFAULT 1, value text NOT NULL,
  type varchar(64) NOT NULL DEFAULT 'string', visible smallint NOT NULL DEFAULT 1, note text, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_const UNIQUE (name, entity));
CREATE TABLE llx_user (
  rowid serial PRIMARY KEY, entity integer NOT NULL DEFAULT 1, login varchar(50) NOT NULL, lastname varchar(50), admin smallint NOT NULL DEFAULT 0,
  api_key varchar(255), statut integer NOT NULL DEFAULT 1, datec timestamp, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_user_login UNIQUE (login, entity), CONSTRAINT uk_user_api_key UNIQUE (api_key));
CREATE TABLE llx_rights_def (
  id integer NOT NULL, entity integer NOT NULL DEFAULT 1, libelle varchar(255), module varchar(64) NOT NULL, perms varchar(50) NOT NULL,
  subperms varchar(50), type varchar(1) NOT NULL, PRIMARY KEY (id, entity));
CREATE TABLE llx_user_rights (
  rowid serial PRIMARY KEY, entity integer NOT NULL DEFAULT 1, fk_user integer NOT NULL, fk_id integer NOT NULL,
  CONSTRAINT uk_user_rights UNIQUE (entity, fk_user, fk_id),
  CONSTRAINT fk_user_rights_fk_user_user FOREIGN KEY (fk_user) REFERENCES llx_user (rowid));
CREATE TABLE llx_societe (
  rowid serial PRIMARY KEY, nom varchar(128), entity integer NOT NULL DEFAULT 1, code_client varchar(24), code_fournisseur varchar(24),
  client smallint NOT NULL DEFAULT 0, fournisseur smallint NOT NULL DEFAULT 0, address varchar(255), zip varchar(25), town varchar(50),
  country_code varchar(2), email varchar(128), phone varchar(30), siren varchar(128), siret varchar(128), tva_intra varchar(20),
  status smallint NOT NULL DEFAULT 1, note_private text, fk_user_creat integer, datec timestamp, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_societe_code_client UNIQUE (code_client, entity), CONSTRAINT uk_societe_code_fournisseur UNIQUE (code_fournisseur, entity));
CREATE INDEX idx_societe_nom ON llx_societe (nom);
CREATE TABLE llx_societe_extrafields (
  rowid serial PRIMARY KEY, fk_object integer NOT NULL UNIQUE REFERENCES llx_societe (rowid) ON DELETE CASCADE,
  segment varchar(255), tms timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE llx_product (
  rowid serial PRIMARY KEY, ref varchar(128) NOT NULL, entity integer NOT NULL DEFAULT 1, label varchar(255) NOT NULL, description text,
  price numeric(24,8) NOT NULL DEFAULT 0, tva_tx numeric(7,4) NOT NULL DEFAULT 20, tosell smallint NOT NULL DEFAULT 1, tobuy smallint NOT NULL DEFAULT 1,
  fk_product_type integer NOT NULL DEFAULT 0, datec timestamp, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_product_ref UNIQUE (ref, entity));
CREATE INDEX idx_product_label ON llx_product (label);
CREATE TABLE llx_facture (
  rowid serial PRIMARY KEY, ref varchar(30) NOT NULL, entity integer NOT NULL DEFAULT 1, type smallint NOT NULL DEFAULT 0,
  fk_soc integer NOT NULL REFERENCES llx_societe (rowid), datef date, date_lim_reglement date, paye smallint NOT NULL DEFAULT 0,
  fk_statut smallint NOT NULL DEFAULT 0, total_ht numeric(24,8) NOT NULL DEFAULT 0, total_tva numeric(24,8) NOT NULL DEFAULT 0,
  total_ttc numeric(24,8) NOT NULL DEFAULT 0, note_private text, fk_user_author integer REFERENCES llx_user (rowid),
  fk_user_valid integer REFERENCES llx_user (rowid), date_valid date, datec timestamp, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_facture_ref UNIQUE (ref, entity));
CREATE INDEX idx_facture_fk_soc ON llx_facture (fk_soc);
CREATE INDEX idx_facture_fk_statut ON llx_facture (fk_statut);
CREATE TABLE llx_facturedet (
  rowid serial PRIMARY KEY, fk_facture integer NOT NULL REFERENCES llx_facture (rowid), fk_product integer REFERENCES llx_product (rowid),
  description text, qty numeric(24,8) NOT NULL DEFAULT 1, subprice numeric(24,8) NOT NULL DEFAULT 0, tva_tx numeric(7,4) NOT NULL DEFAULT 0,
  total_ht numeric(24,8) NOT NULL DEFAULT 0, total_tva numeric(24,8) NOT NULL DEFAULT 0, total_ttc numeric(24,8) NOT NULL DEFAULT 0,
  rang integer NOT NULL DEFAULT 0);
CREATE INDEX idx_facturedet_fk_facture ON llx_facturedet (fk_facture);
CREATE TABLE llx_facture_extrafields (
  rowid serial PRIMARY KEY, fk_object integer NOT NULL UNIQUE REFERENCES llx_facture (rowid) ON DELETE CASCADE,
  source varchar(255), tms timestamp DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE llx_facture_fourn (
  rowid serial PRIMARY KEY, ref varchar(180) NOT NULL, ref_supplier varchar(180) NOT NULL, entity integer NOT NULL DEFAULT 1,
  type smallint NOT NULL DEFAULT 0, fk_soc integer NOT NULL REFERENCES llx_societe (rowid), datef date, date_lim_reglement date,
  paye smallint NOT NULL DEFAULT 0, fk_statut smallint NOT NULL DEFAULT 0, total_ht numeric(24,8) NOT NULL DEFAULT 0,
  total_tva numeric(24,8) NOT NULL DEFAULT 0, total_ttc numeric(24,8) NOT NULL DEFAULT 0, libelle varchar(255), note_private text,
  fk_user_author integer REFERENCES llx_user (rowid), fk_user_valid integer REFERENCES llx_user (rowid), datec timestamp,
  tms timestamp DEFAULT CURRENT_TIMESTAMP, CONSTRAINT uk_facture_fourn_ref UNIQUE (ref, entity),
  CONSTRAINT uk_facture_fourn_ref_supplier UNIQUE (ref_supplier, fk_soc, entity));
CREATE INDEX idx_facture_fourn_fk_soc ON llx_facture_fourn (fk_soc);
CREATE TABLE llx_facture_fourn_det (
  rowid serial PRIMARY KEY, fk_facture_fourn integer NOT NULL REFERENCES llx_facture_fourn (rowid), fk_product integer REFERENCES llx_product (rowid),
  description text, qty numeric(24,8) NOT NULL DEFAULT 1, subprice numeric(24,8) NOT NULL DEFAULT 0, tva_tx numeric(7,4) NOT NULL DEFAULT 0,
  total_ht numeric(24,8) NOT NULL DEFAULT 0, total_tva numeric(24,8) NOT NULL DEFAULT 0, total_ttc numeric(24,8) NOT NULL DEFAULT 0,
  rang integer NOT NULL DEFAULT 0);
CREATE INDEX idx_facture_fourn_det_fk_facture ON llx_facture_fourn_det (fk_facture_fourn);
CREATE TABLE llx_paiement (
  rowid serial PRIMARY KEY, ref varchar(30) NOT NULL, entity integer NOT NULL DEFAULT 1, datep timestamp, amount numeric(24,8) NOT NULL DEFAULT 0,
  fk_paiement integer NOT NULL DEFAULT 2, num_paiement varchar(50), fk_user_creat integer REFERENCES llx_user (rowid), datec timestamp,
  tms timestamp DEFAULT CURRENT_TIMESTAMP, CONSTRAINT uk_paiement_ref UNIQUE (ref, entity));
CREATE TABLE llx_paiement_facture (
  rowid serial PRIMARY KEY, fk_paiement integer NOT NULL REFERENCES llx_paiement (rowid), fk_facture integer NOT NULL REFERENCES llx_facture (rowid),
  amount numeric(24,8) NOT NULL DEFAULT 0, CONSTRAINT uk_paiement_facture UNIQUE (fk_paiement, fk_facture));
CREATE INDEX idx_paiement_facture_fk_facture ON llx_paiement_facture (fk_facture);
CREATE TABLE llx_ecm_files (
  rowid serial PRIMARY KEY, ref varchar(128), label varchar(128) NOT NULL, entity integer NOT NULL DEFAULT 1, filepath varchar(255) NOT NULL,
  filename varchar(255) NOT NULL, src_object_type varchar(64), src_object_id integer, date_c timestamp, tms timestamp DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT uk_ecm_files UNIQUE (filepath, filename, entity));
CREATE TABLE llx_actioncomm (
  id serial PRIMARY KEY, ref varchar(30) NOT NULL, entity integer NOT NULL DEFAULT 1, code varchar(50), label varchar(255) NOT NULL, datep timestamp,
  fk_soc integer REFERENCES llx_societe (rowid), fk_element integer, elementtype varchar(255), fk_user_author integer,
  tms timestamp DEFAULT CURRENT_TIMESTAMP, CONSTRAINT uk_actioncomm_ref UNIQUE (ref, entity));
CREATE INDEX idx_actioncomm_fk_soc ON llx_actioncomm (fk_soc);
CREATE TABLE llx_extrafields (
  rowid serial PRIMARY KEY, name varchar(64) NOT NULL, entity integer NOT NULL DEFAULT 1, elementtype varchar(64) NOT NULL DEFAULT 'member',
  label varchar(255) NOT NULL, type varchar(8), size varchar(8) DEFAULT '255', CONSTRAINT uk_extrafields_name UNIQUE (name, entity, elementtype));
