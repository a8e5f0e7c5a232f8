import { compare } from '../../finding';
import { typoHint } from '../../naming';
import { readCiSigningKey } from '../../sandbox-secrets';
import { ciMount, ciToken } from '../../vault/ci-token';
import { probeLoginRefused } from '../../vault/probes';
import type { CanaryContext, Link } from '../link';

const where = 'hashicorp-vault/iac, module app_policy';

/** The CI role: the repository's own token gets exactly its policies, another repository's gets nothing. */
export const ciRoleLink: Link = {
  name: 'ci-role',
  title: 'CI role of the repository (JWT login)',
  check: async (context) => {
    const { systems, names } = context;
    const { vault, inventory } = systems;
    const roles = await vault.list(`auth/${ciMount}/role`);
    const source = `LIST auth/${ciMount}/role`;
    const present = compare(
      `CI role ${names.ciRole}`,
      'present',
      roles.includes(names.ciRole) ? 'present' : 'absent',
      source,
      typoHint(names.ciRole, roles, where),
    );
    if (present.status !== 'met') return [present];
    const key = readCiSigningKey();
    const own = await ciToken(key, `${inventory.giteaOrg}/${names.app}`);
    const foreign = await ciToken(key, `${inventory.giteaOrg}/erp`);
    const refused = probeLoginRefused(vault, ciMount, names.ciRole, foreign, 'the CI of erp');
    return [present, await ownLogin(context, own), await refused];
  },
};

async function ownLogin(context: CanaryContext, jwt: string): Promise<ReturnType<typeof compare>> {
  const { systems, names } = context;
  const login = await systems.vault.loginWithJwt(ciMount, names.ciRole, jwt);
  context.ciToken = login.token;
  const expected = ['default', names.opsPolicy].sort().join(', ');
  const hint = `token_policies of ${names.ciRole} in ${where}`;
  return compare(
    `policies of the CI of ${names.app}`,
    expected,
    [...login.policies].sort().join(', '),
    `POST auth/${ciMount}/login`,
    hint,
  );
}
