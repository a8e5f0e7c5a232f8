locals {
  # One object an instance, keyed by its name. prod elides; the owner role is the one name in snake case.
  app_instances = merge([
    for app in var.applications : {
      for env in app.envs :
      (env == "prod" ? app.name : "${app.name}-${env}") => {
        database = env == "prod" ? app.name : "${app.name}-${env}"
        role     = env == "prod" ? "${app.name}_role" : "${app.name}_${env}_role"
      }
    }
  ]...)
}

# The role with which Vault makes and removes the leased users.
resource "random_password" "credentials_editor" {
  length           = 24
  override_special = "-:!+<>"
}

resource "postgresql_role" "credentials_editor" {
  name        = "credentials_editor"
  login       = true
  create_role = true
  password    = random_password.credentials_editor.result
  # Its memberships are postgresql_grant_role.credentials_editor_app_role.
  lifecycle {
    ignore_changes = [roles]
  }
}

resource "vault_kv_secret_v2" "postgres_admin_credentials" {
  mount               = "kvv2"
  name                = "postgres/credentials_editor"
  delete_all_versions = true
  data_json = jsonencode({
    username = postgresql_role.credentials_editor.name
    password = random_password.credentials_editor.result
  })
}

resource "postgresql_role" "app_role" {
  for_each = local.app_instances
  name     = each.value.role
  login    = false
}

resource "postgresql_grant_role" "credentials_editor_app_role" {
  for_each          = local.app_instances
  role              = postgresql_role.credentials_editor.name
  grant_role        = postgresql_role.app_role[each.key].name
  with_admin_option = true
}

resource "postgresql_database" "app_db" {
  for_each               = local.app_instances
  name                   = each.value.database
  owner                  = postgresql_role.app_role[each.key].name
  template               = "template0"
  alter_object_ownership = true
}

# PgBouncer asks this function for the password of whoever logs in: leased users are in no file.
resource "postgresql_function" "pgbouncer_user_lookup" {
  for_each = local.app_instances
  name     = "user_lookup"
  database = postgresql_database.app_db[each.key].name
  arg {
    mode = "IN"
    name = "i_username"
    type = "text"
  }
  arg {
    mode = "OUT"
    name = "uname"
    type = "text"
  }
  arg {
    mode = "OUT"
    name = "phash"
    type = "text"
  }
  language         = "plpgsql"
  body             = <<-EOT
    BEGIN
      SELECT usename, passwd FROM pg_catalog.pg_shadow
      WHERE usename = i_username INTO uname, phash;
      RETURN;
    END;
  EOT
  security_definer = true
}

resource "postgresql_grant" "pgbouncer_user_lookup_public_revoke" {
  for_each    = local.app_instances
  database    = postgresql_function.pgbouncer_user_lookup[each.key].database
  role        = "public"
  schema      = "public"
  object_type = "function"
  objects = [
    postgresql_function.pgbouncer_user_lookup[each.key].name,
  ]
  privileges = []
}

resource "postgresql_grant" "pgbouncer_user_lookup" {
  depends_on  = [postgresql_grant.pgbouncer_user_lookup_public_revoke] # both change the function's access list
  for_each    = local.app_instances
  database    = postgresql_function.pgbouncer_user_lookup[each.key].database
  role        = "pgbouncer_auth"
  schema      = "public"
  object_type = "function"
  objects = [
    postgresql_function.pgbouncer_user_lookup[each.key].name,
  ]
  privileges = ["EXECUTE"]
}
