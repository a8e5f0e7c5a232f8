package vault

import (
	"context"
	"strings"

	"github.com/hashicorp/vault/api"
)

// tokenFields are the attributes that the roles of all auth methods have in common.
var tokenFields = []field{
	{name: "token_bound_cidrs", kind: set},
	{name: "token_explicit_max_ttl", kind: number},
	{name: "token_max_ttl", kind: number},
	{name: "token_no_default_policy", kind: flag},
	{name: "token_num_uses", kind: number},
	{name: "token_period", kind: number},
	{name: "token_policies", kind: set},
	{name: "token_ttl", kind: number},
	{name: "token_type", fallback: "default"},
}

var kubernetesRole = definition{
	name:        "vault_kubernetes_auth_backend_role",
	description: "Which ServiceAccounts may log in, and what they get.",
	location:    "auth/{backend}/role/{role_name}",
	fields: append([]field{
		{name: "backend", fallback: "kubernetes", fixed: true, local: true},
		{name: "role_name", required: true, fixed: true, local: true},
		{name: "bound_service_account_names", kind: set, required: true},
		{name: "bound_service_account_namespaces", kind: set, required: true},
		{name: "audience"},
		{name: "alias_name_source", fallback: "serviceaccount_uid"},
	}, tokenFields...),
}

var kubernetesConfig = definition{
	name:        "vault_kubernetes_auth_backend_config",
	description: "How Vault asks Kubernetes whether a token is good.",
	location:    "auth/{backend}/config",
	fields: []field{
		{name: "backend", fallback: "kubernetes", fixed: true, local: true},
		{name: "kubernetes_host", required: true},
		{name: "kubernetes_ca_cert"},
		{name: "token_reviewer_jwt", sensitive: true, hidden: true},
		{name: "issuer"},
		{name: "disable_iss_validation", kind: flag, fallback: true},
		{name: "disable_local_ca_jwt", kind: flag},
		{name: "use_annotations_as_alias_metadata", kind: flag},
	},
	// Vault has no way to remove a configuration: it goes with the mount.
	remove: func(context.Context, *api.Client, string, values) error { return nil },
}

var jwtRole = definition{
	name:        "vault_jwt_auth_backend_role",
	description: "Which JSON web tokens may log in, and what they get.",
	location:    "auth/{backend}/role/{role_name}",
	fields:      jwtRoleFields,
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		return writeJWTRole(ctx, client, at, now, nil)
	},
	update: writeJWTRole,
}

var jwtRoleFields = append([]field{
	{name: "backend", fallback: "jwt", fixed: true, local: true},
	{name: "role_name", required: true, fixed: true, local: true},
	{name: "role_type", fallback: "oidc"},
	{name: "bound_audiences", kind: set},
	{name: "user_claim", required: true},
	{name: "user_claim_json_pointer", kind: flag},
	{name: "bound_subject"},
	{name: "bound_claims", kind: mapping},
	{name: "bound_claims_type", fallback: "string"},
	{name: "disable_bound_claims_parsing", kind: flag, local: true},
	{name: "claim_mappings", kind: mapping},
	{name: "groups_claim"},
	{name: "allowed_redirect_uris", kind: set},
	{name: "oidc_scopes", kind: set},
	{name: "clock_skew_leeway", kind: number},
	{name: "expiration_leeway", kind: number},
	{name: "not_before_leeway", kind: number},
	{name: "max_age", kind: number},
	{name: "verbose_oidc_logging", kind: flag},
}, tokenFields...)

// writeJWTRole takes commas in bound claims as the real provider does: any of the parts may match.
func writeJWTRole(ctx context.Context, client *api.Client, at string, now, before values) error {
	body := parameters(jwtRoleFields, now, before)
	// The API asks for it even where it is the default.
	body["role_type"] = now.text("role_type")
	if claims, ok := body["bound_claims"].(map[string]string); ok && !now.flag("disable_bound_claims_parsing") {
		parsed := map[string]any{}
		for claim, value := range claims {
			if parsed[claim] = value; strings.Contains(value, ",") {
				parsed[claim] = strings.Split(value, ",")
			}
		}
		body["bound_claims"] = parsed
	}
	_, err := client.Logical().WriteWithContext(ctx, at, body)
	return err
}

var authBackend = definition{
	name:        "vault_auth_backend",
	description: "An auth method and where it is mounted.",
	location:    "{path}",
	fields: []field{
		{name: "type", required: true, fixed: true},
		{name: "path", fixed: true, local: true, chosen: true},
		{name: "description"},
		{name: "local", kind: flag, fixed: true},
		{name: "accessor", computed: true},
	},
	choose: func(now values) {
		if now.text("path") == "" {
			now["path"] = now.text("type")
		}
	},
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		return enableAuth(ctx, client, at, now.text("type"), now)
	},
	update: func(ctx context.Context, client *api.Client, at string, now, _ values) error {
		return tune(ctx, client, "auth/"+at, now)
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		return readMount(ctx, client, "sys/auth/"+at, mountFields, into)
	},
	remove: func(ctx context.Context, client *api.Client, at string, _ values) error {
		return client.Sys().DisableAuthWithContext(ctx, at)
	},
}

var jwtBackend = definition{
	name:        "vault_jwt_auth_backend",
	description: "The JWT auth method with its configuration.",
	location:    "{path}",
	fields: append([]field{
		{name: "path", fallback: "jwt", fixed: true, local: true},
		{name: "type", fallback: "jwt", fixed: true, local: true},
		{name: "description", local: true},
		{name: "local", kind: flag, fixed: true, local: true},
		{name: "accessor", computed: true},
	}, jwtConfigFields...),
	create: func(ctx context.Context, client *api.Client, at string, now values) error {
		if err := enableAuth(ctx, client, at, now.text("type"), now); err != nil {
			return err
		}
		return configureJWT(ctx, client, at, now, nil)
	},
	update: func(ctx context.Context, client *api.Client, at string, now, before values) error {
		if now.text("description") != before.text("description") {
			if err := tune(ctx, client, "auth/"+at, now); err != nil {
				return err
			}
		}
		return configureJWT(ctx, client, at, now, before)
	},
	read: func(ctx context.Context, client *api.Client, at string, into values) (bool, error) {
		if found, err := readMount(ctx, client, "sys/auth/"+at, mountFields, into); err != nil || !found {
			return false, err
		}
		config, err := client.Logical().ReadWithContext(ctx, "auth/"+at+"/config")
		if err != nil || config == nil {
			return true, err
		}
		return true, observe(jwtConfigFields, into, config.Data)
	},
	remove: func(ctx context.Context, client *api.Client, at string, _ values) error {
		return client.Sys().DisableAuthWithContext(ctx, at)
	},
}

var jwtConfigFields = []field{
	{name: "bound_issuer"},
	{name: "default_role"},
	{name: "jwks_url"},
	{name: "jwks_ca_pem"},
	{name: "jwt_supported_algs", kind: list},
	{name: "jwt_validation_pubkeys", kind: list},
	{name: "oidc_discovery_url"},
	{name: "oidc_discovery_ca_pem"},
	{name: "oidc_client_id"},
	{name: "oidc_client_secret", sensitive: true, hidden: true},
}

func configureJWT(ctx context.Context, client *api.Client, at string, now, before values) error {
	_, err := client.Logical().WriteWithContext(ctx, "auth/"+at+"/config", parameters(jwtConfigFields, now, before))
	return err
}

func enableAuth(ctx context.Context, client *api.Client, at, method string, now values) error {
	return client.Sys().EnableAuthWithOptionsWithContext(ctx, at, &api.EnableAuthOptions{
		Type: method, Description: now.text("description"), Local: now.flag("local"),
	})
}
