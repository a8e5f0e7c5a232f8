import { z } from 'zod';
import type { Inventory } from '../inventory';
import { PostgresClient } from '../postgres/client';
import type { CredentialLease, VaultClient } from '../vault/client';
import { redactor } from '../evidence/redaction';
import { OperatorError } from '../failure';
import { answered } from '../product-error';
import { sandbox } from './instances';

const made = z.object({ auth: z.object({ client_token: z.string() }) });

/**
 * Vault as the sandbox's own runtime identity: a short-lived token that has the policy `erp-sandbox` and no other. What
 * works with it needs nothing that an operator or production has.
 */
export async function asSandbox<T>(vault: VaultClient, work: (vault: VaultClient) => Promise<T>): Promise<T> {
  const token = await vault.makeToken([sandbox.instance], '2h', made);
  const narrowed = vault.as(token.auth.client_token);
  try {
    return await work(narrowed);
  } finally {
    // Revokes its leases as well.
    await narrowed.revokeSelf();
  }
}

/** Leases database credentials for the time of `work`, and hands over Postgres itself as that user. */
export async function withLease<T>(
  vault: VaultClient,
  inventory: Inventory,
  path: string,
  work: (postgres: PostgresClient, lease: CredentialLease) => Promise<T>,
): Promise<T> {
  const lease = await vault.leaseCredentials(path);
  try {
    return await work(new PostgresClient(inventory.endpoints.postgres, lease), lease);
  } finally {
    await vault.write('sys/leases/revoke', { lease_id: lease.leaseId, sync: true }).catch((thrown: unknown) => {
      // The sandbox's own policy may not revoke: its token's end does.
      if (!answered(thrown, '403')) throw thrown;
    });
  }
}

const config = z.object({
  data: z
    .object({ doli_instance_unique_id: z.string(), admin_api_key: z.string(), ai_agent_api_key: z.string() })
    .loose(),
});

/** Secrets of an instance, from its config in Vault. */
export type InstanceSecrets = z.infer<typeof config>['data'];

/** Reads an instance's config. @throws OperatorError when it lacks; ProductError when the token may not read it. */
export async function readSecrets(vault: VaultClient, instance: string): Promise<InstanceSecrets> {
  const path = `kvv2/data/${instance}/config`;
  const found = await vault.read(path, config);
  if (found === undefined) {
    throw new OperatorError({
      attempted: `read the configuration of ${instance}`,
      where: path,
      expected: 'doli_instance_unique_id, admin_api_key, ai_agent_api_key',
      seen: 'nothing',
      next: 'converge the sandbox: `npm run lab -- up`.',
    });
  }
  redactor.register(...Object.values(found.data).filter((value): value is string => typeof value === 'string'));
  return found.data;
}
