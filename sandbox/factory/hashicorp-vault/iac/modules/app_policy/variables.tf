variable "name" {
  description = "The app."
  type        = string
}

variable "envs" {
  description = "Its environments; prod elides."
  type        = list(string)
  default     = ["prod"]
}

variable "gitea_org" {
  description = "Organisation of the app's repository."
  type        = string
}

variable "jwt_mount" {
  description = "Auth mount that CI logs in at."
  type        = string
}

variable "postgres_path" {
  description = "Mount of the database engine."
  type        = string
}

variable "kv_path" {
  description = "Mount of the key-value engine, version 2."
  type        = string
}

variable "ci_token_ttl" {
  description = "Life of a CI token in seconds: one run of the app's iac."
  type        = number
  default     = 600
}
