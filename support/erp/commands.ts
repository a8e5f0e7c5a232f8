import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { textTable } from '../evidence/findings-table';
import { OperatorError, reason } from '../failure';
import { connectBackupBucket } from '../backups/client';
import type { Systems } from '../systems';
import { auditInvoices, incompleteThirdParties, paymentsState, vatSummary, type Remark } from './checks/books';
import { compareSnapshots, snapshotShape, takeSnapshot, type Snapshot } from './checks/snapshot';
import { connectErpReader, type ErpReader } from './client';
import { hashContent } from './content-hash';
import { readSecrets, withLease } from './credentials';
import { listGoldens, takeGolden } from './golden';
import { goldenCredentialsPath, production, sandbox, type InstanceName } from './instances';

/** What a command of `npm run erp` prints, and its exit code. */
export interface Outcome {
  text: string;
  /** The same as a value, for `--json`. */
  value: unknown;
  exitCode?: number;
}

const names = { prod: production, sandbox };

/** Connects with the agent's own key: what reads here can write nothing in production. */
export async function readerOf(systems: Systems, instance: InstanceName): Promise<ErpReader> {
  const secrets = await readSecrets(systems.vault, names[instance].instance);
  return connectErpReader(systems.kubernetes, names[instance], secrets.ai_agent_api_key);
}

export async function status(systems: Systems, instance: InstanceName): Promise<Outcome> {
  const version = await (await readerOf(systems, instance)).status();
  return { text: `${names[instance].host}: Dolibarr ${version}`, value: { host: names[instance].host, version } };
}

/** Hashes an instance's database with credentials of its own that suffice for reading. */
export async function hash(systems: Systems, instance: InstanceName): Promise<Outcome> {
  const path = instance === 'prod' ? goldenCredentialsPath : sandbox.credentialsPath;
  const content = await withLease(systems.vault, systems.inventory, path, (postgres) =>
    hashContent(postgres, names[instance].instance),
  );
  const rows = Object.entries(content.tables)
    .sort()
    .map(([table, one]) => [table, one.rows, one.hash.slice(0, 12)]);
  const text = `${textTable(['table', 'rows', 'hash'], rows)}\n${Object.keys(content.sequences).length} sequences, schema ${content.schema.slice(0, 12)}\ncontent ${content.total}`;
  return { text, value: content };
}

export async function golden(systems: Systems, say: (line: string) => void): Promise<Outcome> {
  const manifest = await takeGolden(systems, say);
  const rows = Object.values(manifest.content.tables).reduce((sum, table) => sum + Number(table.rows), 0);
  const text = `golden ${manifest.name}: ${Object.keys(manifest.content.tables).length} tables, ${rows} rows, content ${manifest.content.total.slice(0, 12)}`;
  return { text, value: manifest };
}

export async function goldens(systems: Systems): Promise<Outcome> {
  const found = await listGoldens(connectBackupBucket(systems.inventory));
  return { text: found.join('\n') || 'none yet: `npm run erp -- golden`', value: found };
}

export async function snapshot(
  systems: Systems,
  instance: InstanceName,
  file: string | undefined,
  deep: boolean,
): Promise<Outcome> {
  const taken = await takeSnapshot(await readerOf(systems, instance), { deep });
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(taken, null, 2)}\n`);
  const counts = Object.entries(taken.objects).map(([kind, objects]) => `${Object.keys(objects).length} ${kind}`);
  return { text: `${taken.instance}: ${counts.join(', ')}; hash ${taken.hash}`, value: taken };
}

export function diff(beforeFile: string, afterFile: string): Outcome {
  const changes = compareSnapshots(readSnapshot(beforeFile), readSnapshot(afterFile));
  const rows = changes.map(({ collection, id, change }) => [collection, id, change]);
  const text = changes.length === 0 ? 'the same' : textTable(['kind', 'id', 'change'], rows);
  return { text, value: changes, exitCode: changes.length === 0 ? 0 : 1 };
}

function readSnapshot(file: string): Snapshot {
  try {
    return snapshotShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw new OperatorError({
      attempted: 'read the snapshot',
      where: file,
      expected: 'a file written by `npm run erp -- snapshot --out FILE`',
      seen: issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown),
      next: 'give another file.',
      exitCode: 2,
    });
  }
}

export async function vat(systems: Systems, instance: InstanceName): Promise<Outcome> {
  const months = await vatSummary(await readerOf(systems, instance));
  const rows = months.map(({ month, collected, deductible, due }) => [month, collected, deductible, due]);
  return { text: textTable(['month', 'collected', 'deductible', 'due'], rows), value: months };
}

export async function payments(systems: Systems, instance: InstanceName): Promise<Outcome> {
  const states = await paymentsState(await readerOf(systems, instance));
  const rows = states.map(({ state, invoices, amount }) => [state, String(invoices), amount]);
  return { text: textTable(['state', 'invoices', 'amount'], rows), value: states };
}

export async function audit(systems: Systems, instance: InstanceName): Promise<Outcome> {
  return remarksOutcome(await auditInvoices(await readerOf(systems, instance)), 'no remark on any invoice');
}

export async function completeness(systems: Systems, instance: InstanceName): Promise<Outcome> {
  return remarksOutcome(
    await incompleteThirdParties(await readerOf(systems, instance)),
    'every third party is complete',
  );
}

function remarksOutcome(remarks: readonly Remark[], none: string): Outcome {
  const rows = remarks.map(({ object, remark }) => [object, remark]);
  const text = remarks.length === 0 ? none : `${textTable(['object', 'remark'], rows)}\n${remarks.length} remarks`;
  return { text, value: remarks, exitCode: remarks.length === 0 ? 0 : 1 };
}
