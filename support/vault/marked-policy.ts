import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readInventory } from '../inventory';
import { defineUndo } from '../undo';
import { connectVault, type VaultClient } from './client';

/** A policy made to be found again: Vault encrypts on its disk what a policy says, but not its name. */
export interface MarkedPolicy {
  name: string;
  /** SHA-256 of its rules. */
  hash: string;
}

/** A policy of a name that nothing else has, yet to be written. */
export function newMarkedPolicy(): MarkedPolicy {
  const name = `storage-${randomBytes(8).toString('hex')}`;
  return { name, hash: createHash('sha256').update(rulesOf(name)).digest('hex') };
}

/** Writes it. It allows nothing. */
export async function writeMarkedPolicy(vault: VaultClient, { name }: MarkedPolicy): Promise<void> {
  await vault.write(`sys/policies/acl/${name}`, { policy: rulesOf(name) });
}

function rulesOf(name: string): string {
  return `# ${name}\n`;
}

/** Takes it away again. */
export const markedPolicyGone = defineUndo({
  name: 'marked-policy-gone',
  args: z.object({ name: z.string() }),
  needs: ['vault'],
  run: async ({ name }) => connectVault(readInventory()).delete(`sys/policies/acl/${name}`),
});
