variable "applications" {
  description = "Applications and the environments each is deployed to. prod elides: its instance bears the app's own name."
  type = set(object({
    name = string
    envs = optional(list(string), ["prod"])
    # Whether a role may read the prod database for the golden that sandboxes are reset to.
    golden = optional(bool, false)
  }))
}

variable "postgres_endpoint" {
  description = "host:port at which Vault reaches Postgres to make and remove users."
  type        = string
}
