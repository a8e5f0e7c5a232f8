import { z } from 'zod';
import { eventually } from '../eventually';
import { compare } from '../finding';
import type { Systems } from '../systems';
import { readSecrets, type InstanceSecrets } from './credentials';
import { production, sandbox } from './instances';

/** Where the sandbox's own id waits while it bears production's. */
const ownId = 'own_doli_instance_unique_id';
const config = z.object({ data: z.record(z.string(), z.string()) });

/** What the high-fidelity mode costs, for whoever asks for it. */
export const priceOfFidelity = `High fidelity copies production's DOLI_INSTANCE_UNIQUE_ID to the sandbox. What production encrypted decrypts there:
its users' API keys are valid in the sandbox, and its passwords (SMTP) can be read and used from there, also by the agent. The operator's
token has to read production's configuration, and OpenTofu takes the sandbox's for drifted. \`npm run reset\` without it takes all of this back.`;

/** Whether the sandbox bears production's id, by its configuration. */
export function bearsProductionsId(secrets: InstanceSecrets): boolean {
  return secrets[ownId] !== undefined;
}

/**
 * Gives the sandbox production's id or its own, and waits until its next pod will read it. Does nothing, and needs no more
 * than the sandbox's own configuration, when it is so already.
 * @param secrets the sandbox's configuration as it is.
 * @returns its configuration as it is now.
 * @throws OperatorError when production has no id; AwaitTimeout when the secrets operator does not deliver it.
 */
export async function setFidelity(systems: Systems, secrets: InstanceSecrets, high: boolean): Promise<InstanceSecrets> {
  if (high === bearsProductionsId(secrets)) return secrets;
  const { vault, kubernetes } = systems;
  const path = `kvv2/data/${sandbox.instance}/config`;
  const { [ownId]: kept, ...data } = (await vault.read(path, config))?.data ?? {};
  const own = kept ?? data['doli_instance_unique_id'] ?? '';
  const id = high ? (await readSecrets(vault, production.instance)).doli_instance_unique_id : own;
  const changed = { ...data, doli_instance_unique_id: id, ...(high ? { [ownId]: own } : {}) };
  await vault.write(path, { data: changed });
  const name = `${sandbox.instance}-config`;
  await eventually(
    'the sandbox’s configuration is delivered',
    async () => {
      const delivered = (await kubernetes.secret(sandbox.instance, name))?.['doli_instance_unique_id'];
      return compare(`Secret ${name}`, 'as in Vault', delivered === id ? 'as in Vault' : 'not yet', `Secret ${name}`);
    },
    'sync',
  );
  return readSecrets(vault, sandbox.instance);
}
