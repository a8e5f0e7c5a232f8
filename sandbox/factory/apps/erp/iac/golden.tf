# Leased to whoever takes the golden: reads the prod database and no more (postgres/iac, golden.tf).
resource "vault_database_secret_backend_role" "golden" {
  backend = "postgres"
  name    = "erp-golden"
  db_name = "postgres"
  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
    "GRANT \"erp_golden\" TO \"{{name}}\";",
    "ALTER ROLE \"{{name}}\" SET default_transaction_read_only = on;",
  ]
  revocation_statements = ["DROP ROLE IF EXISTS \"{{name}}\";"]
  renew_statements      = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]
  default_ttl           = 1800
  max_ttl               = 7200
}
