# A database lets every role in by default: one instance's credentials could look into another's catalogue. Owners and
# their members keep their own right, and PgBouncer needs one to look users up.
resource "postgresql_grant" "connect_public_revoke" {
  for_each    = local.app_instances
  database    = postgresql_database.app_db[each.key].name
  role        = "public"
  object_type = "database"
  privileges  = []
}

resource "postgresql_grant" "connect_pgbouncer" {
  depends_on  = [postgresql_grant.connect_public_revoke] # both change the database's access list
  for_each    = local.app_instances
  database    = postgresql_database.app_db[each.key].name
  role        = "pgbouncer_auth"
  object_type = "database"
  privileges  = ["CONNECT"]
}
