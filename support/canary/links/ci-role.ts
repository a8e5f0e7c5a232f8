import { compare, type Finding } from '../../finding';
import { typoHint } from '../../naming';
import { answered } from '../../product-error';
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
    const logins = [ownLogin(context, own), probeLoginRefused(vault, ciMount, names.ciRole, foreign, 'the CI of erp')];
    return [present, ...(await Promise.all(logins))];
  },
};

async function ownLogin({ systems, names }: CanaryContext, jwt: string): Promise<Finding> {
  const subject = `login of the CI of ${names.app}`;
  const source = `POST auth/${ciMount}/login`;
  const expected = ['default', names.opsPolicy].sort().join(', ');
  try {
    const login = await systems.vault.loginWithJwt(ciMount, names.ciRole, jwt);
    await systems.vault.as(login.token).revokeSelf();
    const hint = `token_policies of ${names.ciRole} in ${where}`;
    return compare(subject, expected, [...login.policies].sort().join(', '), source, hint);
  } catch (thrown) {
    if (!answered(thrown, '400', '403')) throw thrown;
    const hint = `bound_claims or bound_audiences of ${names.ciRole} in ${where}, or the key of auth/${ciMount}/config`;
    return { subject, status: 'unmet', final: true, expected, actual: `refused: ${thrown.answer}`, source, hint };
  }
}
