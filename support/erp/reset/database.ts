import { z } from 'zod';
import { OperatorError } from '../../failure';
import type { PostgresClient, PostgresConnection } from '../../postgres/client';
import { answered } from '../../product-error';
import { assertSandboxSession } from '../guard';
import { sandbox } from '../instances';

/** Longest a wipe waits for others' locks before it gives up and leaves everything as it was. */
const lockTimeout = '20s';
/** How often it waits so long for work of Postgres' own. */
const wipeTries = 3;
/** Dropping thousands of objects. Milliseconds. */
const wipeTimeoutMs = 10 * 60_000;

/**
 * Opens the session that does the destroying, once it has proved to be in the sandbox, and keeps every other reset out for
 * as long as it is open.
 * @throws OperatorError when another reset is under way, or the session is not the sandbox's.
 */
export async function asOnlyReset<T>(
  postgres: PostgresClient,
  work: (connection: PostgresConnection) => Promise<T>,
): Promise<T> {
  return asMember(postgres, async (connection) => {
    await assertSandboxSession(connection);
    const [row] = await connection.rows(
      "select pg_try_advisory_lock(hashtext('reset of the sandbox')) as held",
      [],
      z.object({ held: z.boolean() }),
    );
    if (row?.held !== true) {
      throw new OperatorError({
        attempted: 'reset the sandbox',
        where: sandbox.instance,
        seen: 'another reset is under way',
        next: 'wait until it has ended: `npm run reset -- --status`.',
      });
    }
    return work(connection);
  });
}

/** Opens a session in the sandbox, into which only members of its role are let. */
async function asMember<T>(postgres: PostgresClient, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
  let connected = false;
  try {
    return await postgres.connected(
      sandbox.instance,
      (connection) => ((connected = true), work(connection)),
      wipeTimeoutMs,
    );
  } catch (thrown) {
    if (connected || !answered(thrown, '42501')) throw thrown;
    throw new OperatorError({
      attempted: 'open a session in the sandbox',
      where: sandbox.instance,
      expected: `a member of ${sandbox.ownerRole}`,
      seen: `${postgres.login.username} is no member of ${sandbox.ownerRole}: ${thrown.answer}`,
      next: `look at the creation statements of ${sandbox.credentialsRolePath}: \`npm run gate -- plan\`. Nothing was changed.`,
      cause: thrown,
    });
  }
}

/**
 * Drops everything the app's role owns in the sandbox's database, whatever its name, in one transaction; what the
 * provisioner owns stays (ADR-0003, section 2).
 * @throws OperatorError naming who holds what, when others' locks do not go away: then nothing was dropped.
 */
export async function wipe(connection: PostgresConnection): Promise<void> {
  await assertSandboxSession(connection);
  for (let tries = wipeTries; ; tries--) {
    const refused = await dropOwned(connection);
    if (refused === undefined) return;
    const found = await holders(connection);
    // Postgres' own work ends by itself, such as the autovacuum of a gigabyte that was restored a moment ago.
    if (tries > 1 && found.every(({ client }) => !client)) continue;
    throw new OperatorError({
      attempted: 'empty the sandbox',
      where: sandbox.instance,
      expected: 'nobody else at work in its tables',
      seen: found.map(({ who }) => who).join(', ') || 'a lock that was gone when it was looked at',
      next: 'end these sessions, or wait for them, and run the same command again.',
      cause: refused,
    });
  }
}

/** @returns what Postgres said when others' locks did not go away: then nothing was dropped. */
async function dropOwned(connection: PostgresConnection): Promise<unknown> {
  try {
    await connection.execute(
      `begin; set local lock_timeout = '${lockTimeout}'; drop owned by "${sandbox.ownerRole}" cascade; commit`,
    );
    return undefined;
  } catch (thrown) {
    await connection.execute('rollback');
    if (answered(thrown, '55P03')) return thrown;
    throw thrown;
  }
}

const holderShape = z.object({ who: z.string(), client: z.boolean() });

/**
 * Who holds locks in the sandbox. Of others' sessions this role sees the user and not much more: a process of Postgres' own has
 * none, and one that was dropped has no name any more.
 */
async function holders(connection: PostgresConnection): Promise<z.infer<typeof holderShape>[]> {
  const sql = `select distinct coalesce(a.usename::text, case when a.usesysid is null then 'Postgres itself' else 'a user that is gone' end)
      || ' from ' || coalesce(host(a.client_addr), 'here') || ' (pid ' || a.pid || ')' as who, a.usesysid is not null as client
    from pg_locks l join pg_stat_activity a using (pid)
    where l.relation is not null and l.database = (select oid from pg_database where datname = current_database()) and a.pid <> pg_backend_pid()`;
  return connection.rows(sql, [], holderShape);
}

/** Relations, functions and the like in `public` that belong to neither the app's role nor the provisioner. */
export async function wronglyOwned(connection: PostgresConnection): Promise<string[]> {
  const sql = `select relname::text || ' belongs to ' || pg_get_userbyid(relowner) as what from pg_class
    where relnamespace = 'public'::regnamespace and relname like 'llx\\_%' and relkind in ('r', 'S', 'v', 'm', 'p')
      and pg_get_userbyid(relowner) <> $1 order by 1`;
  return (await connection.rows(sql, [sandbox.ownerRole], z.object({ what: z.string() }))).map(({ what }) => what);
}
