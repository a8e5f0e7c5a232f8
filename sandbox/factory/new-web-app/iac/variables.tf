variable "envs" {
  description = "Environments the app is deployed to. prod elides: its instance bears the app's own name."
  type        = set(string)
  default     = ["prod"]
}
