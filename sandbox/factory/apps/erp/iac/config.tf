# Every instance has its own keys and its own id, under which Dolibarr encrypts them: a key of one is none in another.
locals {
  erp_secrets = toset(["doli_instance_unique_id", "admin_api_key", "ai_agent_api_key"])
  erp_config  = { for pair in setproduct(var.envs, local.erp_secrets) : "${pair[0]}/${pair[1]}" => pair }
  app_config = {
    for env in var.envs : env => { for name in local.erp_secrets : name => random_password.erp["${env}/${name}"].result }
  }
}

resource "random_password" "erp" {
  for_each = local.erp_config
  length   = 40
  special  = false
}
