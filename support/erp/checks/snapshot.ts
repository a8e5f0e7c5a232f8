import { createHash } from 'node:crypto';
import { z } from 'zod';
import { collections, type Collection, type ErpObject, type ErpReader } from '../client';

/** What an instance shows over its API, content-addressed: every object by the hash of what it holds. */
export const snapshotShape = z.object({
  instance: z.string(),
  /** ISO 8601; not part of the hash. */
  taken: z.string(),
  objects: z.record(z.string(), z.record(z.string(), z.string())),
  hash: z.string(),
});
export type Snapshot = z.infer<typeof snapshotShape>;

/** Reads every object of every kind, bills with their lines and payments when `deep`. Reads only. */
export async function takeSnapshot(erp: ErpReader, options: { deep?: boolean } = {}): Promise<Snapshot> {
  const objects: Snapshot['objects'] = {};
  for (const collection of collections) {
    const found = await erp.list(collection);
    const whole = options.deep === true ? await withLines(erp, collection, found) : found;
    objects[collection] = Object.fromEntries(whole.map((object) => [object.id, hashOf(object)]));
  }
  return { instance: erp.host, taken: new Date().toISOString(), objects, hash: hashOf(objects) };
}

async function withLines(erp: ErpReader, collection: Collection, objects: readonly ErpObject[]): Promise<ErpObject[]> {
  if (collection !== 'invoices' && collection !== 'supplierinvoices') return [...objects];
  const whole: ErpObject[] = [];
  for (const { id } of objects) whole.push(await erp.get(collection, id));
  return whole;
}

/** One change between two snapshots. */
export interface SnapshotChange {
  collection: string;
  id: string;
  change: 'added' | 'changed' | 'removed';
}

/** What differs, in the order of kinds and ids. */
export function compareSnapshots(before: Snapshot, after: Snapshot): SnapshotChange[] {
  return collections.flatMap((collection) => {
    const [was, is] = [before.objects[collection] ?? {}, after.objects[collection] ?? {}];
    const ids = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort(
      (one, other) => Number(one) - Number(other),
    );
    return ids
      .filter((id) => was[id] !== is[id])
      .map((id) => ({
        collection,
        id,
        change: was[id] === undefined ? 'added' : is[id] === undefined ? 'removed' : 'changed',
      }));
  });
}

/** SHA-256 of a value's JSON with sorted keys: the same content has the same address. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortedKeys)).digest('hex');
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
