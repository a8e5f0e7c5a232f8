terraform {
  required_providers {
    postgresql = {
      source  = "cyrilgdn/postgresql"
      version = "1.26.0"
    }
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

# The one credential that can create and drop databases. Server and credential come from PGHOST, PGPORT, PGUSER and
# PGPASSWORD, never from a file of the repository.
provider "postgresql" {
  database  = "postgres"
  sslmode   = "disable"
  superuser = true
}

# VAULT_ADDR and VAULT_TOKEN.
provider "vault" {}
