output "instance" {
  description = "Name of the instance: namespace, ServiceAccount, database, policy."
  value       = local.instance
}
