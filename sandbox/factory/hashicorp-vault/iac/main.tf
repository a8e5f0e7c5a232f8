# What the platform has once: secrets engines and ways to log in.
resource "vault_mount" "postgres" {
  path        = "postgres"
  type        = "database"
  description = "Leased users of the Postgres server outside the cluster"
}

resource "vault_mount" "kvv2" {
  path        = "kvv2"
  type        = "kv"
  options     = { version = "2" }
  description = "Configuration of the instances"
}

resource "vault_auth_backend" "kubernetes" {
  type        = "kubernetes"
  path        = "kubernetes"
  description = "ServiceAccounts of the cluster"
}

# Vault's own ServiceAccount reviews the tokens.
resource "vault_kubernetes_auth_backend_config" "cluster" {
  backend              = vault_auth_backend.kubernetes.path
  kubernetes_host      = var.kubernetes_host
  kubernetes_ca_cert   = var.kubernetes_ca_cert
  disable_local_ca_jwt = var.kubernetes_ca_cert != ""
}

resource "vault_jwt_auth_backend" "gitea_jwt" {
  path                   = "gitea_jwt"
  description            = "CI of the app repositories"
  jwt_validation_pubkeys = [trimspace(file(pathexpand(var.gitea_jwt_public_key_file)))]
}

# The scheduled backup: it may read the snapshot of the storage, encrypted as it lies there, and nothing else.
resource "vault_policy" "backups" {
  name   = "backups"
  policy = <<-EOT
    path "sys/storage/raft/snapshot" {
      capabilities = ["read"]
    }
  EOT
}

resource "vault_kubernetes_auth_backend_role" "backups" {
  backend                          = vault_auth_backend.kubernetes.path
  role_name                        = "backups"
  bound_service_account_names      = ["backups"]
  bound_service_account_namespaces = ["vault"]
  token_policies                   = [vault_policy.backups.name]
  token_ttl                        = 300
}

# What every app has: policies of its instances, and the role its CI logs in with.
module "app_policy" {
  source   = "./modules/app_policy"
  for_each = { for app in var.applications : app.name => app }

  name          = each.value.name
  envs          = each.value.envs
  gitea_org     = var.gitea_org
  jwt_mount     = vault_jwt_auth_backend.gitea_jwt.path
  postgres_path = vault_mount.postgres.path
  kv_path       = vault_mount.kvv2.path
}
