variable "applications" {
  description = "Applications and the environments each is deployed to. prod elides: its instance bears the app's own name."
  type = set(object({
    name = string
    envs = optional(list(string), ["prod"])
  }))
}

variable "postgres_endpoint" {
  description = "host:port at which Vault reaches Postgres to make and remove users."
  type        = string
}
