package vault

import (
	"context"

	"github.com/hashicorp/vault/api"
)

var mount = definition{
	name:        "vault_mount",
	description: "A secrets engine and where it is mounted.",
	location:    "{path}",
	fields: []field{
		{name: "path", required: true, fixed: true, local: true},
		{name: "type", required: true, fixed: true},
		{name: "description"},
		{name: "default_lease_ttl_seconds", kind: number},
		{name: "max_lease_ttl_seconds", kind: number},
		{name: "options", kind: mapping, fixed: true},
		{name: "local", kind: flag, fixed: true},
		{name: "seal_wrap", kind: flag, fixed: true},
		{name: "accessor", computed: true},
	},
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		options, _ := now["options"].(map[string]string)
		_, err := client.Logical().WriteWithContext(ctx, "sys/mounts/"+at, map[string]any{
			"type": now.text("type"), "description": now.text("description"), "options": options, "local": now.flag("local"),
			"seal_wrap": now.flag("seal_wrap"),
			"config":    map[string]any{"default_lease_ttl": now["default_lease_ttl_seconds"], "max_lease_ttl": now["max_lease_ttl_seconds"]},
		})
		return err
	},
	update: func(ctx context.Context, client *api.Client, at string, now, _ values) error {
		return tune(ctx, client, at, now)
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		return readMount(ctx, client, "sys/mounts/"+at, append(mountFields, mountOnlyFields...), into)
	},
	remove: func(ctx context.Context, client *api.Client, at string, _ values) error {
		return client.Sys().UnmountWithContext(ctx, at)
	},
}

// mountFields are what Vault says of every mount.
var mountFields = []field{{name: "type"}, {name: "description"}, {name: "local", kind: flag}, {name: "accessor"}}

var mountOnlyFields = []field{
	{name: "default_lease_ttl_seconds", kind: number},
	{name: "max_lease_ttl_seconds", kind: number},
	{name: "options", kind: mapping},
	{name: "seal_wrap", kind: flag},
}

// readMount reads a mount. Its lease times lie one level deeper in the answer.
func readMount(ctx context.Context, client *api.Client, at string, fields []field, into values) (bool, error) {
	secret, err := client.Logical().ReadWithContext(ctx, at)
	if noMount(err) {
		return false, nil
	}
	if err != nil || secret == nil {
		return false, err
	}
	data := secret.Data
	if config, ok := data["config"].(map[string]any); ok {
		data["default_lease_ttl_seconds"], data["max_lease_ttl_seconds"] = config["default_lease_ttl"], config["max_lease_ttl"]
	}
	return true, observe(fields, into, data)
}

// noMount tells whether Vault answered that nothing is mounted there, which it says with 400.
func noMount(err error) bool {
	answer, ok := err.(*api.ResponseError)
	return ok && (answer.StatusCode == 400 || answer.StatusCode == 404)
}

func tune(ctx context.Context, client *api.Client, at string, now values) error {
	body := map[string]any{"description": now.text("description")}
	for parameter, name := range map[string]string{"default_lease_ttl": "default_lease_ttl_seconds", "max_lease_ttl": "max_lease_ttl_seconds"} {
		if value, ok := now[name]; ok {
			body[parameter] = value
		}
	}
	_, err := client.Logical().WriteWithContext(ctx, "sys/mounts/"+at+"/tune", body)
	return err
}
