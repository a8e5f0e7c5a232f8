# The module of the tools repository, checked out beside the folder of app repositories:
#   <checkout>/hashicorp-vault/iac/modules/app_roles  and  <checkout>/apps/__APP__/iac
module "app_roles" {
  source   = "../../../hashicorp-vault/iac/modules/app_roles"
  for_each = var.envs

  name = "__APP__"
  env  = each.key
}

resource "random_password" "session_secret" {
  for_each = var.envs
  length   = 32
  special  = false
}

# What the instance reads besides its database credentials.
resource "vault_kv_secret_v2" "config" {
  for_each            = var.envs
  mount               = "kvv2"
  name                = "${module.app_roles[each.key].instance}/config"
  delete_all_versions = true
  data_json = jsonencode(merge({
    greeting       = "Hello from ${module.app_roles[each.key].instance}"
    session_secret = random_password.session_secret[each.key].result
  }, local.app_config[each.key]))
}
