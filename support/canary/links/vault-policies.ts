import { probePolicy, probePolicyAllows } from '../../vault/probes';
import type { Link } from '../link';

const where = 'hashicorp-vault/iac, module app_policy';
/** An app that exists besides the canary: its secrets must stay out of reach. */
const neighbour = 'erp';

/** The runtime policy and the CI policy, by hashicorp-vault/iac with the app added to `applications`. */
export const vaultPoliciesLink: Link = {
  name: 'vault-policies',
  title: 'Vault policies of runtime and CI (hashicorp-vault/iac)',
  act: async ({ workspace }) => {
    await workspace.applyVault();
  },
  check: async ({ systems, names }) => {
    const { vault } = systems;
    const present = await Promise.all(
      [names.instance, names.opsPolicy].map((policy) => probePolicy(vault, policy, where)),
    );
    if (present.some((finding) => finding.status !== 'met')) return present;
    const runtime = {
      [names.credentialsPath]: 'read',
      [`${names.configMount}/data/${names.configPath}`]: 'read',
      [`postgres/creds/${neighbour}`]: 'deny',
      [`${names.configMount}/data/${neighbour}/config`]: 'deny',
    };
    // What the app's own CI has to write, and the neighbour's it must not.
    const ops = [
      names.credentialsRolePath,
      `auth/kubernetes/role/${names.instance}`,
      `${names.configMount}/data/${names.configPath}`,
    ];
    const allowed = await Promise.all([
      probePolicyAllows(vault, names.instance, runtime, where),
      probeOpsPolicy(vault, names.opsPolicy, ops, [`postgres/roles/${neighbour}`, `auth/kubernetes/role/${neighbour}`]),
    ]);
    return [...present, ...allowed.flat()];
  },
};

/** The CI policy must let CI create, read, update and delete its own, whatever else it grants; and nothing of others. */
async function probeOpsPolicy(
  vault: Parameters<typeof probePolicyAllows>[0],
  policy: string,
  own: string[],
  foreign: string[],
): ReturnType<typeof probePolicyAllows> {
  const needed = 'create, delete, read, update';
  const expected: Record<string, string> = {};
  for (const path of own) expected[path] = needed;
  for (const path of foreign) expected[path] = 'deny';
  const findings = await probePolicyAllows(vault, policy, expected, where);
  return findings.map((finding) => {
    const more = needed.split(', ').every((capability) => finding.actual.split(', ').includes(capability));
    return finding.expected === needed && more ? { ...finding, status: 'met', final: false } : finding;
  });
}
