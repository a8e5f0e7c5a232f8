import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { redactor } from '../redaction';
import type { Attachment } from './entry';
import { makeFolder, objectFile, syncFolder, writeAll } from './place';

/** Something to keep with an entry: a file, or a text. */
export type Keepsake = { name: string; mediaType?: string } & ({ file: string } | { text: string });

const mediaTypes: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.ndjson': 'application/x-ndjson',
  '.jsonl': 'application/x-ndjson',
  '.xml': 'application/xml',
  '.html': 'text/html',
  '.md': 'text/markdown',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** Every file below a folder as a keepsake, named by its path from the folder's parent. */
export function filesOf(folder: string): Keepsake[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({ name: relative(dirname(folder), file), file }));
}

/**
 * Copies keepsakes into the ledger's folder under their hashes, and has them on the disk when it returns: an entry that
 * names them is written afterwards. The same content is kept once. Texts are cleaned of secrets; files are reports, which were.
 */
export function keep(folder: string, keepsakes: readonly Keepsake[]): Attachment[] {
  const folders = new Set<string>();
  const attachments = keepsakes.map((keepsake) => {
    const content =
      'file' in keepsake ? readFileSync(keepsake.file) : Buffer.from(redactor.text(keepsake.text), 'utf8');
    const sha256 = createHash('sha256').update(content).digest('hex');
    const file = objectFile(folder, sha256);
    // What lies there under this hash may have been altered since: it is written again rather than believed.
    makeFolder(dirname(file));
    const fd = openSync(`${file}.${process.pid}.new`, 'w', 0o600);
    try {
      writeAll(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(`${file}.${process.pid}.new`, file);
    folders.add(dirname(file));
    const mediaType = keepsake.mediaType ?? mediaTypes[extname(keepsake.name)] ?? 'text/plain';
    return { name: keepsake.name, mediaType, bytes: content.length, sha256 };
  });
  for (const one of folders) syncFolder(one);
  return attachments;
}
