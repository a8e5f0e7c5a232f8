terraform {
  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = "4.4.0"
    }
    random = {
      source  = "hashicorp/random"
      version = "3.9.0"
    }
  }
}

# VAULT_ADDR; the repository's CI token comes in TERRAFORM_VAULT_AUTH_JWT.
provider "vault" {
  # The CI policy may not make tokens, and the token of one run is short-lived already.
  skip_child_token = true
  auth_login_jwt {
    mount = "gitea_jwt"
    role  = "gitea_cicd___APP__"
  }
}
