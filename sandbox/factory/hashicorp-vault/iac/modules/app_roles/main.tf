terraform {
  required_providers {
    vault = {
      source = "hashicorp/vault"
    }
  }
}

locals {
  instance   = var.env == "prod" ? var.name : "${var.name}-${var.env}"
  owner_role = var.env == "prod" ? "${var.name}_role" : "${var.name}_${var.env}_role"
}

# A leased user is a member of the owner role and nothing else.
resource "vault_database_secret_backend_role" "instance" {
  backend = "postgres"
  name    = local.instance
  db_name = "postgres"
  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';",
    "GRANT \"${local.owner_role}\" TO \"{{name}}\";",
  ]
  # Memberships go with the role. What an instance made as its owner role stays: only the user goes.
  revocation_statements = ["DROP ROLE IF EXISTS \"{{name}}\";"]
  renew_statements      = ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}';"]
  default_ttl           = var.default_ttl
  max_ttl               = var.max_ttl
}

# The instance's ServiceAccount, in the instance's namespace, gets the instance's policy.
resource "vault_kubernetes_auth_backend_role" "instance" {
  backend                          = "kubernetes"
  role_name                        = local.instance
  bound_service_account_names      = [local.instance]
  bound_service_account_namespaces = [local.instance]
  token_policies                   = [local.instance]
  token_ttl                        = 3600
}
