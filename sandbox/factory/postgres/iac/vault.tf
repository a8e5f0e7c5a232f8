# Here and not in hashicorp-vault/iac, because here is where the password is made: it crosses no other state.
resource "vault_database_secret_backend_connection" "postgres" {
  backend       = "postgres"
  name          = "postgres"
  allowed_roles = ["*"]
  postgresql {
    connection_url = "postgresql://{{username}}:{{password}}@${var.postgres_endpoint}/postgres?sslmode=disable"
    username       = postgresql_role.credentials_editor.name
    password       = random_password.credentials_editor.result
  }
}
