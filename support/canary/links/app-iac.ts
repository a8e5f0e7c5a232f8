import { z } from 'zod';
import { compare, type Finding } from '../../finding';
import { readCiSigningKey } from '../../sandbox-secrets';
import { ciToken } from '../../vault/ci-token';
import { probeFields } from '../../vault/probes';
import type { CanaryContext, Link } from '../link';

const where = "the app's own iac (module app_roles)";

/** Credentials role, Kubernetes role and config, by the app's own iac with its own CI token. */
export const appIacLink: Link = {
  name: 'app-iac',
  title: "Vault roles and config (the app's own iac, as its CI)",
  act: async ({ systems, names, workspace }) => {
    // A token of its own, as a CI job has: the one the previous link looked at is used up by then.
    const jwt = await ciToken(readCiSigningKey(), `${systems.inventory.giteaOrg}/${names.app}`);
    await workspace.applyApp(jwt);
  },
  check: async (context) => {
    const { systems, names } = context;
    const role = {
      bound_service_account_names: [names.instance],
      bound_service_account_namespaces: [names.instance],
      token_policies: [names.instance],
    };
    const [credentials, kubernetes, config] = await Promise.all([
      probeFields(systems.vault, names.credentialsRolePath, { db_name: 'postgres' }, where),
      probeFields(systems.vault, `auth/kubernetes/role/${names.instance}`, role, where),
      probeConfig(context),
    ]);
    return [...credentials, ...kubernetes, config];
  },
};

/** Whether the config lies at the convention's path, with at least one key. Values are never shown. */
async function probeConfig({ systems, names }: CanaryContext): Promise<Finding> {
  const path = `${names.configMount}/data/${names.configPath}`;
  const found = await systems.vault.read(path, z.object({ data: z.record(z.string(), z.unknown()).nullable() }));
  const keys = Object.keys(found?.data ?? {});
  const finding = compare(
    `config ${names.configMount}/${names.configPath}`,
    'present',
    keys.length > 0 ? 'present' : 'absent',
    `GET ${path}`,
    `vault_kv_secret_v2 in ${where}`,
  );
  return finding.status === 'met'
    ? { ...finding, actual: `keys ${keys.sort().join(', ')}` }
    : { ...finding, final: true };
}
