terraform {
  required_providers {
    vault = {
      source  = "hashicorp/vault"
      version = "4.4.0"
    }
  }
}

# VAULT_ADDR and VAULT_TOKEN.
provider "vault" {}
