import { createHash } from 'node:crypto';
import { z } from 'zod';
import { compare, type Finding } from '../finding';
import { typoHint } from '../naming';
import { answered } from '../product-error';
import type { VaultClient } from './client';

/** Whether a policy of that name exists. */
export async function probePolicy(vault: VaultClient, policy: string, where: string): Promise<Finding> {
  const policies = await vault.list('sys/policies/acl');
  const hint = typoHint(policy, policies, where);
  const seen = policies.includes(policy) ? 'present' : 'absent';
  return final(compare(`policy ${policy}`, 'present', seen, 'LIST sys/policies/acl', hint));
}

/** Whether a policy's rules are those of this SHA-256. */
export async function probePolicyRules(vault: VaultClient, policy: string, sha256: string): Promise<Finding> {
  const path = `sys/policies/acl/${policy}`;
  const found = await vault.read(path, z.object({ policy: z.string() }));
  const actual = found === undefined ? 'absent' : createHash('sha256').update(found.policy).digest('hex');
  return compare(`policy ${policy}`, sha256, actual, `SHA-256 of GET ${path}`);
}

/**
 * Whether a policy, alone, allows exactly what is expected: Vault itself judges, with a token of only that policy.
 * @param expected capabilities by path, such as `{ 'postgres/creds/canary': 'read', 'postgres/creds/erp': 'deny' }`.
 */
export async function probePolicyAllows(
  vault: VaultClient,
  policy: string,
  expected: Record<string, string>,
  where: string,
): Promise<Finding[]> {
  const allowed = await vault.capabilities([policy], Object.keys(expected));
  return Object.entries(expected).map(([path, wanted]) => {
    const seen = [...(allowed[path] ?? [])].sort().join(', ');
    const hint = `it gives "${seen}" on ${path}: the path or the capabilities in ${where}`;
    return final(compare(`policy ${policy} on ${path}`, wanted, seen, 'POST sys/capabilities-accessor', hint));
  });
}

/** Whether an object such as a role is there and has the expected fields. Lists are compared as sets. */
export async function probeFields(
  vault: VaultClient,
  path: string,
  expected: Record<string, string | string[]>,
  where: string,
): Promise<Finding[]> {
  const found = await vault.read(path, z.record(z.string(), z.unknown()));
  const source = `GET ${path}`;
  if (found === undefined) {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const name = path.slice(parent.length + 1);
    const hint = typoHint(name, await vault.list(parent), where);
    return [{ subject: path, status: 'unmet', final: true, expected: 'present', actual: 'absent', source, hint }];
  }
  return Object.entries(expected).map(([field, wanted]) =>
    final(compare(`${field} of ${path}`, plain(wanted), plain(found[field]), source, `${field} in ${where}`)),
  );
}

/** Whether Vault refuses a login that must not be possible. */
export async function probeLoginRefused(
  vault: VaultClient,
  mount: string,
  role: string,
  jwt: string,
  whose: string,
): Promise<Finding> {
  const finding = {
    subject: `login of ${whose} at role ${role}`,
    expected: 'refused',
    source: `POST auth/${mount}/login`,
  };
  try {
    const login = await vault.loginWithJwt(mount, role, jwt);
    await vault.as(login.token).revokeSelf();
    return {
      ...finding,
      status: 'unmet',
      final: true,
      actual: `accepted with ${login.policies.join(', ')}`,
      hint: `bound_claims of ${role}`,
    };
  } catch (thrown) {
    if (answered(thrown, '400', '403')) return { ...finding, status: 'met', actual: `refused: ${thrown.answer}` };
    throw thrown;
  }
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).sort().join(', ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => `${key}=${plain(inner)}`)
      .sort()
      .join(', ');
  }
  return value === undefined || value === null ? '' : String(value);
}

function final(finding: Finding): Finding {
  return finding.status === 'unmet' ? { ...finding, final: true } : finding;
}

/** Whether Vault is unsealed. */
export async function probeUnsealed(vault: VaultClient): Promise<Finding> {
  const source = 'GET sys/seal-status';
  const { sealed } = await vault.sealStatus();
  return compare('Vault', 'unsealed', sealed ? 'sealed' : 'unsealed', source, 'unseal it with the sandbox key shares');
}

/** Unsealed is not yet active: a read is refused until the node leads. */
export async function probeActive(vault: VaultClient): Promise<Finding> {
  await vault.list('sys/policies/acl');
  return { subject: 'Vault', status: 'met', expected: 'active', actual: 'active', source: 'LIST sys/policies/acl' };
}
