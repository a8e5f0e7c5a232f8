import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { OperatorError } from '../../failure';
import { entryShape, entryVersion, type Entry } from './entry';
import { chainHash, follows, formatLine, genesis, readLine, sha256, type Line } from './lines';
import { locked } from './lock';
import { ledgerFiles, makeFolder, readHead, syncFolder, writeAll, writeDurably, writeHead, type Head } from './place';

/** An entry before it has a place in the chain. */
export type Unplaced = Omit<Entry, 'schema' | 'version' | 'seq' | 'repaired'>;

/** An entry in its place. */
export interface Appended {
  seq: number;
  hash: string;
  entry: Entry;
  /** What was found and mended on the way, as sentences. */
  notes: string[];
}

/**
 * Appends an entry and has it on the disk when this returns. Safe beside other writers. What an append that was cut off
 * (power loss, kill) has left at the end of the file is kept aside in torn/, taken out and said.
 * @param sign signs the entry's hash: @returns the signature, without line ends.
 * @throws OperatorError when the ledger's end is not as its head says: nothing is appended to a broken chain.
 */
export function append(folder: string, unplaced: Unplaced, sign?: (hash: string) => string): Appended {
  makeFolder(folder);
  return locked(folder, () => {
    const files = ledgerFiles(folder);
    const fd = openSync(files.chain, 'a+', 0o600);
    try {
      const { head, repaired, notes } = settle(folder, fd, readHead(folder));
      const entry: Entry = entryShape.parse({
        schema: 'sandbox-acceptance/evidence',
        version: entryVersion,
        seq: head.count + 1,
        ...unplaced,
        ...(repaired === undefined ? {} : { repaired }),
      });
      const bytes = Buffer.from(JSON.stringify(entry), 'utf8');
      const body = sha256(bytes);
      const hash = chainHash(head.hash, body);
      const signature = sign?.(hash);
      const line: Line = {
        hash,
        prev: head.hash,
        body,
        entry: bytes,
        ...(signature === undefined ? {} : { sig: signature }),
      };
      const data = Buffer.from(`${formatLine(line)}\n`, 'utf8');
      writeAll(fd, data);
      fsyncSync(fd);
      if (head.count === 0) syncFolder(folder);
      writeHead(folder, { version: 1, count: entry.seq, hash, bytes: head.bytes + data.length });
      return { seq: entry.seq, hash, entry, notes };
    } finally {
      closeSync(fd);
    }
  });
}

interface Settled {
  head: Head;
  repaired?: NonNullable<Entry['repaired']>;
  notes: string[];
}

/** Brings head and file together: entries that were written but not yet counted are counted, a torn one is taken out. */
function settle(folder: string, fd: number, known: Head | undefined): Settled {
  const size = fstatSync(fd).size;
  let head: Head = known ?? { version: 1, count: 0, hash: genesis, bytes: 0 };
  const broken = (seen: string): OperatorError =>
    new OperatorError({
      attempted: 'append to the ledger',
      where: folder,
      expected: `${head.count} entries in ${head.bytes} bytes, as its head says`,
      seen,
      next: `run \`npm run evidence -- verify ${folder}\`, and restore what it names.`,
      exitCode: 1,
    });
  if (known === undefined && size > 0 && !startsChain(fd, size)) throw broken('a file that is no ledger, and no head');
  if (size < head.bytes) throw broken(`${size} bytes: the end is missing`);
  if (head.count > 0 && !endsWith(fd, head)) throw broken('another last entry');
  const notes: string[] = [];
  const tail = Buffer.alloc(size - head.bytes);
  readSync(fd, tail, 0, tail.length, head.bytes);
  const end = tail.indexOf(10);
  if (end !== -1) {
    // Each append counts before the next one writes: no more than one entry can be there uncounted.
    const line = readLine(tail.subarray(0, end));
    if (line === undefined || !follows(line, head.hash) || tail.indexOf(10, end + 1) !== -1) {
      throw broken(`after entry ${head.count} what does not follow it`);
    }
    head = { version: 1, count: head.count + 1, hash: line.hash, bytes: head.bytes + end + 1 };
    writeHead(folder, head);
    notes.push(`Entry ${head.count} was written by a run that ended before it could count it; it is counted now.`);
  }
  const torn = tail.subarray(end + 1);
  if (torn.length === 0) return { head, notes };
  const repaired = { bytes: torn.length, sha256: sha256(torn) };
  writeDurably(`${folder}/torn/${repaired.sha256}`, torn);
  ftruncateSync(fd, head.bytes);
  fsyncSync(fd);
  notes.push(
    `${torn.length} bytes of an entry that was cut off after entry ${head.count} were taken out (kept in torn/).`,
  );
  return { head, repaired, notes };
}

/** Without a head nothing but what the very first append left may be there. */
function startsChain(fd: number, size: number): boolean {
  const begin = '{"hash":"';
  const bytes = Buffer.alloc(Math.min(size, begin.length));
  readSync(fd, bytes, 0, bytes.length, 0);
  return begin.startsWith(bytes.toString('latin1'));
}

/** Whether the last counted entry ends where the head says, and is the one it names. */
function endsWith(fd: number, head: Head): boolean {
  // Back to the beginning of the line, in growing steps: entries are some kilobytes.
  for (let span = 1 << 16; ; span *= 4) {
    const from = Math.max(0, head.bytes - span);
    const bytes = Buffer.alloc(head.bytes - from);
    readSync(fd, bytes, 0, bytes.length, from);
    if (bytes[bytes.length - 1] !== 10) return false;
    const begin = bytes.lastIndexOf(10, bytes.length - 2);
    if (begin === -1 && from > 0) continue;
    const line = readLine(bytes.subarray(begin + 1, bytes.length - 1));
    return line?.hash === head.hash && follows(line, line.prev);
  }
}
