# Who takes the golden of a prod instance (ADR-0003, section 1) reads everything in that one database and writes nothing:
# the right to read all data ends where the right to connect ends.
locals {
  golden_sources = toset([for app in var.applications : app.name if app.golden])
}

resource "postgresql_role" "golden" {
  for_each = local.golden_sources
  name     = "${each.key}_golden"
  login    = false
  lifecycle {
    ignore_changes = [roles]
  }
}

resource "postgresql_grant_role" "golden_reads" {
  for_each   = local.golden_sources
  role       = postgresql_role.golden[each.key].name
  grant_role = "pg_read_all_data"
}

resource "postgresql_grant_role" "credentials_editor_golden" {
  for_each          = local.golden_sources
  role              = postgresql_role.credentials_editor.name
  grant_role        = postgresql_role.golden[each.key].name
  with_admin_option = true
}

resource "postgresql_grant" "golden_connect" {
  depends_on  = [postgresql_grant.connect_public_revoke, postgresql_grant.connect_pgbouncer] # all change the database's access list
  for_each    = local.golden_sources
  database    = postgresql_database.app_db[each.key].name
  role        = postgresql_role.golden[each.key].name
  object_type = "database"
  privileges  = ["CONNECT"]
}
