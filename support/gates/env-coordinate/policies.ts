import { z } from 'zod';
import { compare, type Finding } from '../../finding';
import type { VaultClient } from '../../vault/client';

const row = z.strictObject({ policy: z.string().min(1), path: z.string().min(1), allows: z.string().min(1) });

/** One line of the feature's table: what a policy, alone, allows on a path. */
export type PolicyRow = z.infer<typeof row>;

/** Reads the rows of the feature's table. @throws ZodError naming the column that lacks. */
export function readPolicyRows(rows: readonly Record<string, string>[]): PolicyRow[] {
  return z.array(row).min(1).parse(rows);
}

/** What Vault itself says, asked with a token of that one policy. */
export async function probePolicies(vault: VaultClient, rows: readonly PolicyRow[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const policy of new Set(rows.map((one) => one.policy))) {
    const own = rows.filter((one) => one.policy === policy);
    const allowed = await vault.capabilities(
      [policy],
      own.map(({ path }) => path),
    );
    for (const { path, allows } of own) {
      const seen = [...(allowed[path] ?? [])].sort().join(', ');
      const hint = `module app_policy of hashicorp-vault/iac, or somebody changed ${policy} by hand`;
      findings.push(compare(`policy ${policy} on ${path}`, allows, seen, 'POST sys/capabilities-accessor', hint));
    }
  }
  return findings;
}
