package vault

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/hashicorp/vault/api"
)

var policy = definition{
	name:        "vault_policy",
	description: "A policy.",
	location:    "{name}",
	fields: []field{
		{name: "name", required: true, fixed: true, local: true},
		{name: "policy", required: true},
	},
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		return client.Sys().PutPolicyWithContext(ctx, at, now.text("policy"))
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		rules, err := client.Sys().GetPolicyWithContext(ctx, at)
		if err != nil || rules == "" {
			return false, err
		}
		into["policy"] = rules
		return true, nil
	},
	remove: func(ctx context.Context, client *api.Client, at string, _ values) error {
		return client.Sys().DeletePolicyWithContext(ctx, at)
	},
}

var databaseRole = definition{
	name:        "vault_database_secret_backend_role",
	description: "How users of a database are made and removed.",
	location:    "{backend}/roles/{name}",
	fields: []field{
		{name: "backend", required: true, fixed: true, local: true},
		{name: "name", required: true, fixed: true, local: true},
		{name: "db_name", required: true},
		{name: "creation_statements", kind: list, required: true},
		{name: "revocation_statements", kind: list},
		{name: "rollback_statements", kind: list},
		{name: "renew_statements", kind: list},
		{name: "default_ttl", kind: number},
		{name: "max_ttl", kind: number},
		{name: "credential_type", fallback: "password"},
		{name: "credential_config", kind: mapping},
	},
}

var databaseConnection = definition{
	name:        "vault_database_secret_backend_connection",
	description: "A Postgres server that Vault makes users in.",
	location:    "{backend}/config/{name}",
	fields:      connectionFields,
	create:      writeConnection,
	update: func(ctx context.Context, client *api.Client, at string, now, _ values) error {
		return writeConnection(ctx, client, at, now)
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		secret, err := client.Logical().ReadWithContext(ctx, at)
		if err != nil || secret == nil {
			return false, err
		}
		details, _ := secret.Data["connection_details"].(map[string]any)
		for name, value := range details {
			secret.Data[name] = value
		}
		return true, observe(connectionFields, into, secret.Data)
	},
}

var connectionFields = []field{
	{name: "backend", required: true, fixed: true, local: true},
	{name: "name", required: true, fixed: true, local: true},
	{name: "plugin_name", fallback: "postgresql-database-plugin"},
	{name: "verify_connection", kind: flag, fallback: true, hidden: true},
	{name: "allowed_roles", kind: list},
	{name: "root_rotation_statements", api: "root_credentials_rotate_statements", kind: list},
	{name: "connection_url", block: "postgresql", required: true},
	{name: "username", block: "postgresql"},
	{name: "password", block: "postgresql", sensitive: true, hidden: true},
	{name: "max_open_connections", block: "postgresql", kind: number, fallback: int64(4)},
	{name: "max_idle_connections", block: "postgresql", kind: number, fallback: int64(0)},
	{name: "max_connection_lifetime", block: "postgresql", kind: number, hidden: true},
	{name: "username_template", block: "postgresql"},
	{name: "disable_escaping", block: "postgresql", kind: flag},
}

// writeConnection sends everything: Vault keeps a connection's details as they were last written.
func writeConnection(ctx context.Context, client *api.Client, at string, now values) error {
	body := map[string]any{}
	for _, f := range connectionFields {
		if value, ok := now[f.name]; ok && !f.local {
			body[f.parameter()] = value
		}
	}
	// A number of seconds in the configuration, a duration for the plugin.
	if seconds, ok := body["max_connection_lifetime"].(int64); ok {
		body["max_connection_lifetime"] = strconv.FormatInt(seconds, 10) + "s"
	}
	_, err := client.Logical().WriteWithContext(ctx, at, body)
	return err
}

var keyValue = definition{
	name:        "vault_kv_secret",
	description: "A secret of the key-value engine, version 1.",
	location:    "{path}",
	fields: []field{
		{name: "path", required: true, fixed: true, local: true},
		{name: "data_json", kind: jsonText, required: true, sensitive: true},
	},
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		_, err := client.Logical().WriteBytesWithContext(ctx, at, []byte(now.text("data_json")))
		return err
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		secret, err := client.Logical().ReadWithContext(ctx, at)
		if err != nil || secret == nil {
			return false, err
		}
		return true, observe(keyValueData, into, map[string]any{"data_json": secret.Data})
	},
}

var keyValueData = []field{{name: "data_json", kind: jsonText}}

var keyValue2 = definition{
	name:        "vault_kv_secret_v2",
	description: "A secret of the key-value engine, version 2.",
	location:    "{mount}/data/{name}",
	fields: []field{
		{name: "mount", required: true, fixed: true, local: true},
		{name: "name", required: true, fixed: true, local: true},
		{name: "data_json", kind: jsonText, required: true, sensitive: true},
		{name: "cas", kind: number, fallback: int64(-1), local: true},
		{name: "disable_read", kind: flag, local: true},
		{name: "delete_all_versions", kind: flag, local: true},
		{name: "path", computed: true},
		{name: "metadata", kind: mapping, computed: true},
	},
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		body := map[string]any{"data": json.RawMessage(now.text("data_json"))}
		if cas, ok := now["cas"].(int64); ok && cas >= 0 {
			body["options"] = map[string]any{"cas": cas}
		}
		_, err := client.Logical().WriteWithContext(ctx, at, body)
		return err
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		into["path"] = at
		if into.flag("disable_read") {
			return true, nil
		}
		secret, err := client.Logical().ReadWithContext(ctx, at)
		// The newest version of a deleted secret has metadata, but no data.
		if err != nil || secret == nil || secret.Data["data"] == nil {
			return false, err
		}
		metadata, err := field{kind: mapping}.decode(secret.Data["metadata"])
		if err != nil {
			return false, err
		}
		into["metadata"] = metadata
		return true, observe(keyValueData, into, map[string]any{"data_json": secret.Data["data"]})
	},
	remove: func(ctx context.Context, client *api.Client, at string, last values) error {
		if last.flag("delete_all_versions") {
			at = last.text("mount") + "/metadata/" + last.text("name")
		}
		_, err := client.Logical().DeleteWithContext(ctx, at)
		return err
	},
}
