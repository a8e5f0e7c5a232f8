# What this app reads besides what every app does, by environment. An app with settings of its own replaces this file.
locals {
  app_config = { for env in var.envs : env => {} }
}
