import { z } from 'zod';
import { compare, type Finding } from '../finding';
import type { InstanceNames } from '../naming';
import type { PostgresClient } from '../postgres/client';
import { answered } from '../product-error';
import type { Systems } from '../systems';
import { connectErpReader } from './client';
import { readSecrets, withLease } from './credentials';
import { goldenCredentialsPath, production, sandbox } from './instances';
import { unseal } from './seal';

/**
 * Whether the wall between the instances' secrets stands: what production encrypted is noise in the sandbox, and nobody's key
 * of production is valid there. The sandbox's key is never valid in production.
 */
export async function probeSecretsApart(systems: Systems, apart: boolean): Promise<Finding[]> {
  const { vault, inventory } = systems;
  const [theirs, own] = [await readSecrets(vault, production.instance), await readSecrets(vault, sandbox.instance)];
  const there = await withLease(vault, inventory, goldenCredentialsPath, (postgres) =>
    sealedPassword(postgres, production.instance),
  );
  const here = await withLease(vault, inventory, sandbox.credentialsPath, (postgres) =>
    sealedPassword(postgres, sandbox.instance),
  );
  const readable = unseal(own.doli_instance_unique_id, here) === unseal(theirs.doli_instance_unique_id, there);
  const judged = (key: string, names: InstanceNames): Promise<string> => keyAccepted(systems, names, key);
  return [
    compare(
      'production’s SMTP password in the sandbox',
      apart ? 'noise' : 'readable',
      readable ? 'readable' : 'noise',
      'llx_const',
    ),
    compare(
      'production’s administrator’s key in the sandbox',
      apart ? 'refused' : 'accepted',
      await judged(theirs.admin_api_key, sandbox),
      `GET ${sandbox.host}/api/index.php/status`,
    ),
    compare(
      'the sandbox’s key in production',
      'refused',
      await judged(own.ai_agent_api_key, production),
      `GET ${production.host}/api/index.php/status`,
    ),
  ];
}

async function sealedPassword(postgres: PostgresClient, database: string): Promise<string> {
  const sql = "select value from public.llx_const where name = 'MAIN_MAIL_SMTPS_PW'";
  return (await postgres.rows(database, sql, [], z.object({ value: z.string() })))[0]?.value ?? '';
}

async function keyAccepted({ kubernetes }: Systems, names: InstanceNames, key: string): Promise<string> {
  const erp = await connectErpReader(kubernetes, names, key);
  return erp.status().then(
    () => 'accepted',
    (thrown: unknown) => {
      if (!answered(thrown, '401')) throw thrown;
      return 'refused';
    },
  );
}
