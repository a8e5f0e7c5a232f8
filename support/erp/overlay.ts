import { z } from 'zod';
import { OperatorError } from '../failure';
import type { PostgresConnection } from '../postgres/client';
import type { InstanceSecrets } from './credentials';
import { agentLogin } from './instances';
import { seal } from './seal';

/** The tables and sequences that the overlay changes, and no others. */
export const overlaid = ['llx_user', 'llx_user_rights', 'llx_user_rights_rowid_seq'] as const;

/**
 * What the sandbox needs on top of the golden: the agent's key, valid only under the sandbox's own id, and its rights to
 * write. Applied in the caller's transaction; the same at every reset, to the last byte.
 * @returns the tables that were written to, as the database counts them: whatever triggers did is in it.
 * @throws OperatorError when the golden has no account for the agent.
 */
export async function applyOverlay(connection: PostgresConnection, secrets: InstanceSecrets): Promise<string[]> {
  const key = seal(secrets.doli_instance_unique_id, secrets.ai_agent_api_key);
  const shape = z.object({ rowid: z.number() });
  const agents = await connection.rows(
    'update llx_user set api_key = $1 where login = $2 and entity = 1 returning rowid',
    [key, agentLogin],
    shape,
  );
  const agent = agents[0]?.rowid;
  if (agent === undefined) {
    throw new OperatorError({
      attempted: 'give the agent its rights in the sandbox',
      where: 'llx_user',
      expected: `a user ${agentLogin}`,
      seen: 'none in the golden',
      next: 'make the account in production with reading rights, and take the golden anew.',
    });
  }
  await connection.rows(
    `insert into llx_user_rights (entity, fk_user, fk_id) select 1, $1::integer, d.id from llx_rights_def d
     where d.entity = 1 and not exists (select from llx_user_rights r where r.fk_user = $1::integer and r.fk_id = d.id) order by d.id
     returning rowid`,
    [agent],
    shape,
  );
  const sql =
    'select relname::text as name from pg_stat_xact_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 0 order by 1';
  return (await connection.rows(sql, [], z.object({ name: z.string() }))).map(({ name }) => name);
}
