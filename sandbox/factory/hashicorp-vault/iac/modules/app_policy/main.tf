terraform {
  required_providers {
    vault = {
      source = "hashicorp/vault"
    }
  }
}

locals {
  # prod elides: its instance bears the app's own name.
  instances = toset([for env in var.envs : env == "prod" ? var.name : "${var.name}-${env}"])
  # <app> and <app>-*: how the paths of roles end, and those of secrets.
  families = [
    { role = var.name, secrets = "${var.name}/*" },
    { role = "${var.name}-*", secrets = "${var.name}-*" },
  ]
}

# What a running instance may read: its own credentials and its own configuration.
resource "vault_policy" "runtime" {
  for_each = local.instances
  name     = each.key
  policy   = <<-EOT
    path "${var.postgres_path}/creds/${each.key}" {
      capabilities = ["read"]
    }
    path "${var.kv_path}/data/${each.key}/*" {
      capabilities = ["read"]
    }
  EOT
}

# What the app's CI may manage: the paths of all its instances and no further.
resource "vault_policy" "ops" {
  name = "${var.name}-ops"
  policy = join("\n", [for family in local.families : <<-EOT
    path "${var.postgres_path}/roles/${family.role}" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "auth/kubernetes/role/${family.role}" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "${var.kv_path}/data/${family.secrets}" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "${var.kv_path}/metadata/${family.secrets}" {
      capabilities = ["create", "read", "update", "delete", "list"]
    }
  EOT
  ])
}

# One role a repository: its CI token and no other gets the policy.
resource "vault_jwt_auth_backend_role" "gitea_cicd" {
  backend         = var.jwt_mount
  role_name       = "gitea_cicd_${var.name}"
  role_type       = "jwt"
  bound_audiences = ["vault"]
  bound_claims    = { repository = "${var.gitea_org}/${var.name}" }
  user_claim      = "repository"
  token_policies  = [vault_policy.ops.name]
  token_ttl       = var.ci_token_ttl
  token_max_ttl   = var.ci_token_ttl
}
