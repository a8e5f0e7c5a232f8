import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pack, type Header, type Pack } from 'tar-stream';

/** One member of a layer. Paths have no leading slash; owners and modes are those inside the container. */
export type LayerEntry = {
  path: string;
  mode?: number;
  uid?: number;
  gid?: number;
} & (
  | { kind: 'directory' }
  | { kind: 'symlink'; target: string }
  | { kind: 'hardlink'; target: string }
  | { kind: 'content'; content: string }
  | { kind: 'file'; source: string; size: number }
);

/** What a written layer is: its digest is also its diff id, because layers are not compressed. */
export interface LayerFile {
  /** sha256:... */
  digest: string;
  size: number;
}

/**
 * Writes a tar archive that depends on its entries alone: sorted, no times, no names of owners.
 * Uncompressed, because three nodes on one machine would each spend seconds on decompressing what never crosses a network.
 */
export async function writeLayer(file: string, entries: readonly LayerEntry[]): Promise<LayerFile> {
  const archive = pack();
  const [written] = await Promise.all([drain(archive, file), addAll(archive, withParents(entries))]);
  return written;
}

async function drain(archive: Pack, file: string): Promise<LayerFile> {
  const output = await open(file, 'w');
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of archive) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a tar archive is made of bytes');
      hash.update(chunk);
      size += chunk.length;
      await output.writeFile(chunk);
    }
  } finally {
    await output.close();
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

async function addAll(archive: Pack, entries: readonly LayerEntry[]): Promise<void> {
  try {
    for (const entry of entries) await add(archive, entry);
    archive.finalize();
  } catch (thrown) {
    archive.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    throw thrown;
  }
}

async function add(archive: Pack, entry: LayerEntry): Promise<void> {
  const header: Partial<Header> & Pick<Header, 'name'> = {
    name: entry.path,
    mode: entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    mtime: new Date(0),
  };
  switch (entry.kind) {
    case 'directory':
      archive.entry({ ...header, type: 'directory' });
      return;
    case 'symlink':
      archive.entry({ ...header, type: 'symlink', mode: 0o777, linkname: entry.target });
      return;
    case 'hardlink':
      archive.entry({ ...header, type: 'link', linkname: entry.target });
      return;
    case 'content':
      archive.entry(header, entry.content);
      return;
    case 'file': {
      const sink = archive.entry({ ...header, size: entry.size });
      // The archive fails with the same error, and that one is thrown.
      sink.on('error', () => undefined);
      for await (const chunk of createReadStream(entry.source, { highWaterMark: 1 << 20 })) {
        if (!sink.write(chunk)) await once(sink, 'drain');
      }
      const ended = once(sink, 'finish');
      sink.end(undefined);
      await ended;
    }
  }
}

/** Sorted, each path once (the last given wins), and with the directories in between. */
function withParents(entries: readonly LayerEntry[]): LayerEntry[] {
  const all = new Map<string, LayerEntry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      if (!all.has(path)) all.set(path, { kind: 'directory', path });
    }
  }
  for (const entry of entries) all.set(entry.path, entry);
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The members of a folder, all owned by root and without set-id bits: nothing in an image may gain rights by them. */
export function treeEntries(root: string): LayerEntry[] {
  const firstOf = new Map<number, string>();
  const entries: LayerEntry[] = [];
  const visit = (below: string): void => {
    for (const name of readdirSync(join(root, below)).sort()) {
      const path = below === '' ? name : `${below}/${name}`;
      const facts = lstatSync(join(root, path));
      const mode = facts.mode & 0o1777;
      const first = firstOf.get(facts.ino);
      if (facts.isDirectory()) {
        entries.push({ kind: 'directory', path, mode });
        visit(path);
      } else if (facts.isSymbolicLink()) {
        entries.push({ kind: 'symlink', path, target: readlinkSync(join(root, path)) });
      } else if (facts.isFile() && first !== undefined) {
        entries.push({ kind: 'hardlink', path, target: first });
      } else if (facts.isFile()) {
        if (facts.nlink > 1) firstOf.set(facts.ino, path);
        entries.push({ kind: 'file', path, mode, source: join(root, path), size: facts.size });
      }
      // Devices and sockets are the container runtime's business.
    }
  };
  visit('');
  return entries;
}
