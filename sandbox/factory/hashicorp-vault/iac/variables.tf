variable "applications" {
  description = "Applications and the environments each is deployed to. prod elides: its instance bears the app's own name."
  type = set(object({
    name = string
    envs = optional(list(string), ["prod"])
  }))
}

variable "gitea_org" {
  description = "Organisation of the app repositories; the CI tokens name it."
  type        = string
  default     = "arcodange-org"
}

variable "gitea_jwt_public_key_file" {
  description = "Public key (PEM) of whoever signs the CI tokens. In the sandbox that is the stand-in issuer."
  type        = string
  default     = "~/.arcodange/sandbox/ci-jwt.pub"
}

variable "kubernetes_host" {
  description = "API server as Vault, which runs in the cluster, reaches it."
  type        = string
  default     = "https://kubernetes.default.svc"
}

variable "kubernetes_ca_cert" {
  description = "Certificate authority (PEM) of the API server. Empty: the one Vault's own pod has."
  type        = string
  default     = ""
}
