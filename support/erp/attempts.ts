import axios from 'axios';
import { z } from 'zod';
import type { Finding } from '../finding';
import type { PostgresClient, PostgresConnection } from '../postgres/client';
import { ProductError } from '../product-error';
import type { Systems } from '../systems';
import { locate } from './client';
import { readSecrets, withLease } from './credentials';
import { goldenCredentialsPath, production, sandbox } from './instances';

/** insufficient_privilege */
export const refusedState = '42501';

/** Something that would harm production, tried with the sandbox's credentials. */
interface Attempt {
  name: string;
  /** The database it is tried in. */
  database: string;
  sql: string;
  /**
   * True when success could not be taken back: then it is tried only where the catalogue says that it will be refused.
   * The query gives one row `possible`.
   */
  unless?: string;
}

const owner = production.ownerRole;
const inProduction = (name: string, sql: string): Attempt => ({ name, database: production.instance, sql });
const inSandbox = (name: string, sql: string, unless?: string): Attempt => ({
  name,
  database: sandbox.instance,
  sql,
  ...(unless === undefined ? {} : { unless }),
});
const ownsProduction = `select pg_has_role(session_user, datdba, 'member') as possible from pg_database where datname = '${production.instance}'`;
const isProduction = `select pg_has_role(session_user, oid, 'member') as possible from pg_roles where rolname = '${owner}'`;

/** Every way to harm production that the issue names; each in a transaction that is rolled back where that is possible. */
export const attempts: readonly Attempt[] = [
  inSandbox('drop production’s database', `drop database "${production.instance}"`, ownsProduction),
  inSandbox('rename production’s database', `alter database "${production.instance}" rename to gone`, ownsProduction),
  inSandbox(
    'take over production’s database',
    `begin; alter database "${production.instance}" owner to "${sandbox.ownerRole}"`,
  ),
  inSandbox('drop all that production’s role owns', `begin; drop owned by "${owner}" cascade`, isProduction),
  inSandbox('become production’s role', `set role "${owner}"`),
  inSandbox('grant itself production’s role', `begin; grant "${owner}" to "${sandbox.ownerRole}"`),
  inSandbox(
    'make a database',
    'create database stray_of_the_sandbox',
    'select rolcreatedb as possible from pg_roles where rolname = session_user',
  ),
  inSandbox('make a role', 'begin; create role stray_of_the_sandbox'),
  inSandbox(
    'end production’s sessions',
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${production.instance}' limit 1`,
    "select pg_has_role(session_user, 'pg_signal_backend', 'member') as possible",
  ),
  inProduction('connect to production', 'select 1'),
  inProduction('read a table of production', 'select rowid from llx_societe limit 1'),
  inProduction('write a table of production', 'begin; update llx_societe set nom = nom where rowid = 1'),
  inProduction(
    'make a function in production',
    'begin; create function stray() returns int language sql as $$ select 1 $$',
  ),
  inProduction(
    'make a trigger in production',
    'begin; create trigger stray after insert on llx_const execute function suppress_redundant_updates_trigger()',
  ),
  inProduction('drop all it owns in production', `begin; drop owned by "${sandbox.ownerRole}" cascade`),
];

/** The attempt of a name. @throws Error for a name that is none. */
export function attemptNamed(name: string): Attempt {
  const found = attempts.find((attempt) => attempt.name === name);
  if (found === undefined)
    throw new Error(`no attempt "${name}": use one of ${attempts.map((one) => one.name).join(', ')}`);
  return found;
}

/** Tries one, as the user of `postgres`. Met when Postgres refuses it for lack of privilege, with its SQLSTATE. */
export async function tryAttempt(postgres: PostgresClient, attempt: Attempt): Promise<Finding> {
  const finding = {
    subject: attempt.name,
    expected: `refused with ${refusedState}`,
    source: `${attempt.sql.slice(0, 60)} in ${attempt.database} as ${postgres.login.username}`,
  };
  try {
    const done = await postgres.connected(attempt.database, (connection) => carryOut(connection, attempt));
    return { ...finding, status: 'unmet', actual: done, final: true };
  } catch (thrown) {
    if (!(thrown instanceof ProductError)) throw thrown;
    const actual = `refused with ${thrown.code}`;
    return {
      ...finding,
      status: actual === finding.expected ? 'met' : 'unmet',
      actual: actual === finding.expected ? actual : `${actual}: ${thrown.answer}`,
    };
  }
}

async function carryOut(connection: PostgresConnection, attempt: Attempt): Promise<string> {
  if (attempt.unless !== undefined) {
    const [row] = await connection.rows(attempt.unless, [], z.object({ possible: z.boolean() }));
    if (row?.possible === true) return 'possible: the catalogue would allow it (not tried)';
  }
  await connection.execute(attempt.sql);
  // Ends the attempt's own transaction; without one it is a warning.
  await connection.execute('rollback');
  return 'done';
}

/** Writes that change nothing even where they are allowed: what does not exist, or lacks what it must have. */
const writes = [
  { method: 'POST', path: '/thirdparties', body: {} },
  { method: 'PUT', path: '/thirdparties/2147483647', body: { town: 'nowhere' } },
  { method: 'DELETE', path: '/thirdparties/2147483647' },
  { method: 'POST', path: '/invoices', body: {} },
  { method: 'POST', path: '/invoices/2147483647/validate', body: {} },
  { method: 'POST', path: '/supplierinvoices', body: {} },
  { method: 'DELETE', path: '/products/2147483647' },
  { method: 'POST', path: '/documents/upload', body: { modulepart: 'invoice', ref: 'none', filename: 'none.txt' } },
  { method: 'DELETE', path: '/documents?modulepart=invoice&original_file=none/none.txt' },
] as const;

/**
 * Tries writes over an instance's API, past the project's own host guard: what must refuse is the ERP itself.
 * @param status the HTTP status with which each must be refused.
 */
export async function tryWrites(
  address: string,
  host: string,
  key: string,
  whose: string,
  status: number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { method, path, ...rest } of writes) {
    const response = await axios.request<unknown>({
      method,
      url: `${address}/api/index.php${path}`,
      headers: { DOLAPIKEY: key, Host: host },
      data: 'body' in rest ? rest.body : undefined,
      timeout: 20_000,
      proxy: false,
      maxRedirects: 0,
      validateStatus: () => true,
    });
    const met = response.status === status;
    findings.push({
      subject: `${method} ${path} with ${whose}`,
      status: met ? 'met' : 'unmet',
      final: !met,
      expected: `refused with ${status}`,
      actual: `answered ${response.status}`,
      source: host,
    });
  }
  return findings;
}

/** Tries several, one after another. */
export async function tryAll(postgres: PostgresClient, wanted: readonly Attempt[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const attempt of wanted) findings.push(await tryAttempt(postgres, attempt));
  return findings;
}

/** As `tryAll`, as a user leased from a path, while somebody has a session in production that could be ended. */
export async function tryAsLeased(systems: Systems, path: string, wanted: readonly Attempt[]): Promise<Finding[]> {
  const { vault, inventory } = systems;
  return withLease(vault, inventory, goldenCredentialsPath, (reader) =>
    reader.connected(production.instance, () =>
      withLease(vault, inventory, path, (postgres) => tryAll(postgres, wanted)),
    ),
  );
}

/**
 * Makes so many attempts, in turn with leased credentials at Postgres and with the sandbox's key at production's API.
 * @returns one finding a kind of attempt, unmet when any of it was not refused.
 */
export async function tryMany(systems: Systems, count: number): Promise<Finding[]> {
  const { vault, kubernetes } = systems;
  const key = (await readSecrets(vault, sandbox.instance)).ai_agent_api_key;
  const address = await locate(kubernetes, production);
  const made: Finding[] = [];
  while (made.length < count) {
    made.push(...(await tryAsLeased(systems, sandbox.credentialsPath, attempts)));
    made.push(...(await tryWrites(address, production.host, key, 'the sandbox’s key', 401)));
  }
  const kept = made.slice(0, count);
  const subjects = [...new Set(kept.map(({ subject }) => subject))];
  return subjects.map((subject) => {
    const of = kept.filter((finding) => finding.subject === subject);
    const worst = of.find(({ status }) => status !== 'met') ?? of[0];
    if (worst === undefined) throw new Error('an attempt without a finding');
    return { ...worst, subject: `${subject}, ${of.length} times` };
  });
}
