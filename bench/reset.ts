import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { connectBackupBucket } from '../support/backups/client';
import { hashContent } from '../support/erp/content-hash';
import { fetchGolden, takeGolden, type GoldenManifest } from '../support/erp/golden';
import { dumpTables, restoreTables, sha256Of, toolVersion } from '../support/erp/pg-tools';
import { resetSandbox } from '../support/erp/reset/reset';
import { connectSystems, type Systems } from '../support/systems';
import type { BenchContext, Benchmark } from './benchmark';
import { measuredChild } from './child';
import { ensureLab } from './lab';

const source = 'bench_golden';
const target = 'bench_restored';
const cloner = 'bench_cloner';
/** The same number of jobs as the reset uses on two cores. */
const jobs = 2;

/** One benchmark a size: the golden is production's with more rows. */
export const resets: readonly Benchmark[] = [10, 200, 1000].map((mib): Benchmark => {
  let golden: GoldenManifest | undefined;
  return {
    name: `reset-${words(mib)}`,
    what: `a whole reset to a golden of ${mib} MB of tables and indexes: fetched, checked, ERP stopped, wiped, restored, hashed, overlaid, hashed, ERP serving`,
    unit: 's',
    ...(mib >= 200 ? { goal: 'at most 1.25 times the peer' } : { goal: 'fixed overhead below 5 s' }),
    touches: 'resets the ERP’s sandbox, at the end to production’s golden',
    before: async ({ say }) => {
      await ensureLab(say);
      golden ??= await generate(connectSystems(), mib, say);
    },
    run: async ({ say, part }) => {
      const began = performance.now();
      const result = await resetSandbox(connectSystems(), { from: golden?.name ?? '', say });
      const whole = (performance.now() - began) / 1000;
      for (const [step, seconds] of Object.entries(result.seconds)) part(step, seconds);
      part('memory at the most', peakMiB(), 'MiB');
      await besides(connectSystems(), part);
      return whole;
    },
    peer: {
      what: 'pg_restore of the same dump with as many jobs into an empty database, and nothing else',
      run: () => plainRestore(connectSystems(), golden?.name ?? ''),
    },
    after: async () => {
      const systems = connectSystems();
      await resetSandbox(systems, { from: (await takeGolden(systems, () => undefined)).name, say: () => undefined });
      await dropAll(systems);
      if (golden !== undefined) await removeGolden(systems, golden.name);
    },
  };
});

function words(mib: number): string {
  return { 10: 'small', 200: 'middle', 1000: 'large' }[mib] ?? 'other';
}

/** The most memory this process ever held. */
function peakMiB(): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}

/** Makes a database of so many MB out of production's golden, and keeps its dump as a golden. */
async function generate(systems: Systems, mib: number, say: (line: string) => void): Promise<GoldenManifest> {
  say(`not measured: a golden of ${mib} MB`);
  const scratch = mkdtempSync(join(tmpdir(), 'bench-reset-'));
  try {
    const base = await takeGolden(systems, () => undefined);
    const { file } = await fetchGolden(systems, scratch, base.name);
    await removeGolden(systems, base.name);
    await dropAll(systems);
    const { postgres } = systems;
    const { username } = postgres.login;
    await postgres.connected('postgres', (connection) =>
      connection.execute(`create database ${source} template template0`),
    );
    await restoreTables(postgres, source, file, { role: username, jobs });
    await postgres.connected(source, (connection) => fill(connection, mib), 30 * 60_000);
    rmSync(file);
    const content = await hashContent(postgres, source, {
      withSnapshot: (snapshot) => dumpTables(postgres, source, file, { snapshot }),
    });
    const name = `${base.name}-bench-${mib}`;
    const dump = {
      object: `erp/golden/${name}.dump`,
      bytes: statSync(file).size,
      sha256: await sha256Of(file),
      pgDump: await toolVersion('pg_dump'),
    };
    const manifest: GoldenManifest = { ...base, name, dump, content };
    const bucket = connectBackupBucket(systems.inventory);
    await bucket.putFile(dump.object, file);
    await bucket.put(`erp/golden/${name}.json`, Buffer.from(JSON.stringify(manifest)));
    return manifest;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Adds events and invoice lines until the database has the size. */
async function fill(
  connection: {
    execute(sql: string): Promise<void>;
    rows<T>(sql: string, values: unknown[], shape: z.ZodType<T>): Promise<T[]>;
  },
  mib: number,
): Promise<void> {
  const size = async (): Promise<number> => {
    const sql = 'select pg_database_size(current_database())::float8 / 1048576 as mib';
    return (await connection.rows(sql, [], z.object({ mib: z.number() })))[0]?.mib ?? 0;
  };
  const empty = 8;
  while ((await size()) < mib + empty) {
    const rows = Math.max(2_000, Math.min(200_000, Math.floor((mib + empty - (await size())) * 1_200)));
    await connection.execute(`insert into llx_actioncomm (ref, code, label, datep, fk_soc, fk_element, elementtype, fk_user_author)
        select 'B' || nextval('llx_actioncomm_id_seq'), 'AC_OTH', md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text),
          timestamp '2025-01-01' + n * interval '1 minute', 1 + n % 600, n, 'invoice', 2 from generate_series(1, ${rows}) n;
      insert into llx_facturedet (fk_facture, fk_product, description, qty, subprice, tva_tx, total_ht, total_tva, total_ttc)
        select 1 + n % 1400, 1 + n % 400, md5(n::text) || md5((n * 7)::text), n % 9, n % 900, 20, n % 900, n % 90, n % 990 from generate_series(1, ${rows}) n`);
  }
  await connection.execute('analyze');
}

/** What is not part of a reset, but what its figure is to be held against. */
async function besides(systems: Systems, part: BenchContext['part']): Promise<void> {
  part('beside it: CREATE DATABASE from a TEMPLATE', await clone(systems));
  const scratch = mkdtempSync(join(tmpdir(), 'bench-hash-'));
  try {
    const hashing = await measuredChild(scratch, ['-r', 'ts-node/register'], ['bench/hash-run.ts', source]);
    part('beside it: the content hash in a process of its own', hashing.seconds);
    part('memory of that process', hashing.peakMiB, 'MiB');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function plainRestore(systems: Systems, name: string): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'bench-reset-'));
  try {
    const { file } = await fetchGolden(systems, scratch, name);
    const { postgres } = systems;
    await drop(systems, target);
    await postgres.connected('postgres', (connection) =>
      connection.execute(`create database ${target} template template0`),
    );
    const began = performance.now();
    await restoreTables(postgres, target, file, { role: postgres.login.username, jobs });
    return (performance.now() - began) / 1000;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** ADR-0003's alternative, with a role that owns only the golden and the sandbox's copy. @returns seconds */
async function clone({ postgres }: Systems): Promise<number> {
  await drop({ postgres }, `${target}_clone`);
  await postgres.connected('postgres', (connection) =>
    connection.execute(
      `do $$ begin create role ${cloner} createdb; exception when duplicate_object then null; end $$; alter database ${source} owner to ${cloner}`,
    ),
  );
  const began = performance.now();
  await postgres.connected(
    'postgres',
    async (connection) => {
      await connection.execute(`set role ${cloner}`);
      await connection.execute(`create database ${target}_clone template ${source}`);
    },
    10 * 60_000,
  );
  const seconds = (performance.now() - began) / 1000;
  await drop({ postgres }, `${target}_clone`);
  return seconds;
}

async function drop({ postgres }: Pick<Systems, 'postgres'>, database: string): Promise<void> {
  await postgres.connected(
    'postgres',
    (connection) => connection.execute(`drop database if exists ${database} with (force)`),
    60_000,
  );
}

async function dropAll(systems: Systems): Promise<void> {
  for (const database of [target, `${target}_clone`, source]) await drop(systems, database);
  await systems.postgres.connected('postgres', (connection) => connection.execute(`drop role if exists ${cloner}`));
}

async function removeGolden({ inventory }: Systems, name: string): Promise<void> {
  const bucket = connectBackupBucket(inventory);
  await bucket.delete(`erp/golden/${name}.json`);
  await bucket.delete(`erp/golden/${name}.dump`);
}
