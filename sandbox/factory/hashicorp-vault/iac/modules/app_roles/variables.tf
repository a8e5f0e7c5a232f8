variable "name" {
  description = "The app."
  type        = string
}

variable "env" {
  description = "The environment; prod elides."
  type        = string
  default     = "prod"
}

variable "default_ttl" {
  description = "Life of a leased user in seconds, renewable."
  type        = number
  default     = 3600
}

variable "max_ttl" {
  description = "Seconds after which a lease cannot be renewed any more."
  type        = number
  default     = 86400
}
