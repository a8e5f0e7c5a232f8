# What the stand-in providers have and the factory does not use: applied, settled, changed and destroyed by the rig.
terraform {
  backend "gcs" {}
  required_providers {
    postgresql = { source = "cyrilgdn/postgresql" }
    vault      = { source = "hashicorp/vault" }
    random     = { source = "hashicorp/random" }
  }
}

provider "postgresql" {
  sslmode = "disable"
}

provider "vault" {
  # A child of the root token, as for every run that does not say skip_child_token.
  max_lease_ttl_seconds = 300
}

variable "stage" {
  description = "Changing it changes one attribute of everything."
  type        = number
  default     = 1
}

resource "random_password" "one" {
  length           = 16
  min_numeric      = 3
  min_special      = 2
  override_special = "-_"
}

resource "postgresql_role" "reader" {
  name             = "rig-reader-${var.stage}"
  login            = true
  password         = "${random_password.one.result}${var.stage}"
  connection_limit = var.stage
  valid_until      = "2099-01-01 00:00:00+00"
  roles            = var.stage == 1 ? [postgresql_role.group.name] : []
}

resource "postgresql_role" "group" {
  name    = "rig-group"
  inherit = false
}

resource "postgresql_database" "one" {
  name                   = "rig-database"
  owner                  = var.stage == 1 ? postgresql_role.group.name : "postgres"
  connection_limit       = 10 + var.stage
  alter_object_ownership = true
}

resource "postgresql_grant" "database" {
  database    = postgresql_database.one.name
  role        = postgresql_role.group.name
  object_type = "database"
  privileges  = var.stage == 1 ? ["CONNECT"] : ["CONNECT", "TEMPORARY"]
}

resource "postgresql_grant" "schema" {
  database          = postgresql_database.one.name
  role              = postgresql_role.group.name
  schema            = "public"
  object_type       = "schema"
  privileges        = var.stage == 1 ? ["USAGE"] : ["USAGE", "CREATE"]
  with_grant_option = true
}

resource "postgresql_grant" "tables" {
  database    = postgresql_database.one.name
  role        = postgresql_role.group.name
  schema      = "pg_catalog"
  object_type = "table"
  objects     = ["pg_authid", "pg_subscription"]
  privileges  = var.stage == 1 ? ["SELECT"] : ["ALL"]
}

resource "postgresql_function" "addition" {
  database = postgresql_database.one.name
  name     = "addition"
  arg {
    name = "one"
    type = "int"
  }
  arg {
    name    = "label"
    type    = "varchar(10)"
    default = "'none'"
  }
  returns    = "int8"
  language   = "SQL"
  volatility = var.stage == 1 ? "immutable" : "stable"
  parallel   = "safe"
  strict     = true
  body       = "AS $$ select one::int8 + ${var.stage} $$"
}

resource "postgresql_function" "many" {
  database = postgresql_database.one.name
  name     = "many"
  returns  = "TABLE(first integer, second text)"
  language = "sql"
  body     = "select ${var.stage}, 'two'::text"
}

resource "vault_mount" "kv1" {
  path                      = "rig/kv1"
  type                      = "kv"
  options                   = { version = "1" }
  max_lease_ttl_seconds     = 3600 * var.stage
  default_lease_ttl_seconds = 60
}

resource "vault_mount" "kv2" {
  path    = "rig/kv2"
  type    = "kv"
  options = { version = "2" }
}

resource "vault_kv_secret" "one" {
  path      = "${vault_mount.kv1.path}/some/secret"
  data_json = jsonencode({ stage = var.stage, nested = { list = [1, 2] } })
}

resource "vault_kv_secret_v2" "two" {
  mount     = vault_mount.kv2.path
  name      = "some/secret"
  data_json = jsonencode({ b = "two", a = "stage ${var.stage}" })
}

data "vault_kv_secret_v2" "two" {
  mount      = vault_mount.kv2.path
  name       = vault_kv_secret_v2.two.name
  depends_on = [vault_kv_secret_v2.two]
}

data "vault_policy_document" "one" {
  rule {
    path         = "rig/kv2/data/some/*"
    capabilities = ["read", "list"]
    description  = "Stage ${var.stage}"
  }
  rule {
    path         = "rig/kv1/+"
    capabilities = ["deny"]
  }
}

resource "vault_policy" "one" {
  name   = "rig-policy"
  policy = data.vault_policy_document.one.hcl
}

resource "vault_auth_backend" "userpass" {
  type        = "userpass"
  description = "stage ${var.stage}"
}

resource "vault_jwt_auth_backend" "two" {
  path                   = "rig-jwt"
  jwt_validation_pubkeys = [file("ci-jwt.pub")]
  bound_issuer           = "issuer-${var.stage}"
  description            = "stage ${var.stage}"
}

resource "vault_jwt_auth_backend_role" "two" {
  backend         = vault_jwt_auth_backend.two.path
  role_name       = "two"
  role_type       = "jwt"
  bound_audiences = ["vault"]
  bound_claims    = { ref = "refs/heads/main,refs/heads/stage-${var.stage}" }
  claim_mappings  = { ref = "ref" }
  user_claim      = "sub"
  token_policies  = [vault_policy.one.name]
  token_type      = "batch"
  token_ttl       = 60 * var.stage
}

output "read_back" {
  value     = data.vault_kv_secret_v2.two.data["a"]
  sensitive = true
}
