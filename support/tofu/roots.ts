import type { InstanceNames } from '../naming';
import { readClusterKeys, readPostgresAdmin } from '../sandbox-secrets';
import type { Inventory } from '../inventory';
import type { TofuRoot } from './client';

/** Where the shared roots keep their states; `sandbox/` keeps them apart from production's. */
export const postgresStatePrefix = 'sandbox/postgres/main';
export const vaultStatePrefix = 'sandbox/hashicorp-vault/main';

/** postgres/iac: applied by the provisioner, state under the sandbox's prefix. */
export function postgresRoot(systems: { inventory: Inventory }, directory: string): TofuRoot {
  const [host = '', port = ''] = systems.inventory.endpoints.postgres.split(':');
  const { username, password } = readPostgresAdmin();
  return {
    directory,
    statePrefix: postgresStatePrefix,
    env: {
      PGHOST: host,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      TF_VAR_postgres_endpoint: systems.inventory.endpoints.postgres,
      ...vaultAsRoot(systems),
    },
  };
}

/** hashicorp-vault/iac: applied with the root token. */
export function vaultRoot(systems: { inventory: Inventory }, directory: string): TofuRoot {
  return { directory, statePrefix: vaultStatePrefix, env: vaultAsRoot(systems) };
}

/** An app's own iac: applied by its CI with a token of its own. */
export function appRoot(
  systems: { inventory: Inventory },
  directory: string,
  names: InstanceNames,
  jwt: string,
): TofuRoot {
  const env = { VAULT_ADDR: systems.inventory.endpoints.vault, TERRAFORM_VAULT_AUTH_JWT: jwt };
  return { directory, statePrefix: names.statePrefix, env };
}

function vaultAsRoot({ inventory }: { inventory: Inventory }): Record<string, string> {
  return { VAULT_ADDR: inventory.endpoints.vault, VAULT_TOKEN: readClusterKeys().root_token };
}
