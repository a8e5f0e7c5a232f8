import { createHash } from 'node:crypto';
import { connectBackupBucket } from '../backups/client';
import type { Systems } from '../systems';
import { totalOf } from './content-hash';
import type { GoldenManifest } from './golden';

/** What can be wrong with a golden, as a change of its copy's dump and manifest. */
interface Damaged {
  manifest: GoldenManifest;
  dump: Buffer | undefined;
}

type Damage = (manifest: GoldenManifest, dump: Buffer) => Damaged;

/** Keeps the manifest's own figures true to the changed dump: only what is inside is wrong. */
function fitted(manifest: GoldenManifest, dump: Buffer): Damaged {
  const sha256 = createHash('sha256').update(dump).digest('hex');
  return { dump, manifest: { ...manifest, dump: { ...manifest.dump, bytes: dump.length, sha256 } } };
}

const damages: Record<string, Damage> = {
  'without its dump': (manifest) => ({ manifest, dump: undefined }),
  'cut short': (manifest, dump) => ({ manifest, dump: dump.subarray(0, dump.length / 2) }),
  'changed in one bit': (manifest, dump) => {
    const changed = Buffer.from(dump);
    const at = Math.floor(dump.length / 2);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return { manifest, dump: changed };
  },
  empty: (manifest) => ({ manifest, dump: Buffer.alloc(0) }),
  'of another schema': (manifest, dump) => {
    const tables = { ...manifest.content.tables, llx_somewhere_else: { rows: '1', hash: 'none' } };
    const content = { ...manifest.content, tables };
    return { manifest: { ...manifest, content: { ...content, total: totalOf(content) } }, dump };
  },
  // A dump in custom format begins with PGDMP and its version in three bytes.
  'of a newer version': (manifest, dump) => {
    const changed = Buffer.from(dump);
    changed[6] = 99;
    return fitted(manifest, changed);
  },
  'described wrongly': (manifest, dump) => {
    const sequences = Object.fromEntries(Object.keys(manifest.content.sequences).map((name) => [name, '1 true']));
    return { manifest: { ...manifest, content: { ...manifest.content, sequences } }, dump };
  },
};

/** What a golden is called that nobody took. */
export const missingGolden = 'never-taken';

/**
 * Keeps a damaged copy of a golden in the bucket.
 * @returns its name, and what removes it.
 */
export async function damagedCopy(
  systems: Systems,
  golden: GoldenManifest,
  damage: string,
): Promise<{ name: string; remove: () => Promise<void> }> {
  if (damage === 'missing') return { name: missingGolden, remove: () => Promise.resolve() };
  const change = damages[damage];
  if (change === undefined) throw new Error(`no damage "${damage}": use one of ${Object.keys(damages).join(', ')}`);
  const bucket = connectBackupBucket(systems.inventory);
  const name = `${golden.name}-${damage.replaceAll(' ', '-')}`;
  const object = `erp/golden/${name}.dump`;
  const { manifest, dump } = change(golden, await bucket.get(golden.dump.object));
  if (dump !== undefined) await bucket.put(object, dump);
  const described = { ...manifest, name, dump: { ...manifest.dump, object } };
  await bucket.put(`erp/golden/${name}.json`, Buffer.from(JSON.stringify(described)));
  const remove = async (): Promise<void> => {
    await bucket.delete(`erp/golden/${name}.json`);
    await bucket.delete(object);
  };
  return { name, remove };
}
