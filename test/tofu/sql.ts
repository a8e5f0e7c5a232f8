import { Client } from 'pg';
import type { Rig } from './rig';

/** Whoever talks to the rig's Postgres. */
export interface Login {
  username: string;
  password: string;
}

/** Runs one statement in a database. @returns the rows. */
export async function sql(
  rig: Rig,
  as: Login,
  database: string,
  statement: string,
): Promise<Record<string, unknown>[]> {
  const { host, port } = rig.servers.postgres;
  const client = new Client({ host, port, database, user: as.username, password: as.password });
  await client.connect();
  try {
    // Several statements give several results: the last is the answer.
    const results = [await client.query<Record<string, unknown>>(statement)].flat();
    return results[results.length - 1]?.rows ?? [];
  } finally {
    await client.end();
  }
}

/** The SQLSTATE with which Postgres refuses a statement, or `accepted`. */
export async function answerTo(rig: Rig, as: Login, database: string, statement: string): Promise<string> {
  try {
    await sql(rig, as, database, statement);
    return 'accepted';
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return String(thrown.code);
    throw thrown;
  }
}
