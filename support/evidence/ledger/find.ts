import { existsSync } from 'node:fs';
import { OperatorError } from '../../failure';
import { entryId, type Entry } from './entry';
import { chainHash, rawLines, readLine, sha256, type Line } from './lines';
import { ledgerFiles } from './place';
import { attachmentProblem, noLedger, parseEntry } from './verify';

/** An entry as it was found in the file. */
export interface Found {
  id: string;
  seq: number;
  line: Line;
  /** Undefined when this program cannot read it, or an export left it out; `problem` says so. */
  entry?: Entry;
  /** Why the entry cannot be relied on, looked at alone: `evidence verify` looks at the whole chain. */
  problem?: string;
}

/** Goes through the entries whose bytes pass `wanted`, in order; the others are not read. */
export function* entries(
  folder: string,
  wanted: (bytes: Buffer, seq: number) => boolean,
): Generator<Found, void, undefined> {
  const file = ledgerFiles(folder).chain;
  if (!existsSync(file)) throw noLedger(folder);
  let seq = 0;
  for (const { bytes, ended } of rawLines(file)) {
    seq += 1;
    if (ended && wanted(bytes, seq)) yield read(bytes, seq);
  }
}

/** The last entries, and how many there are; only these are looked into. */
export function lastOf(folder: string, wanted: number): { last: Found[]; count: number } {
  const file = ledgerFiles(folder).chain;
  if (!existsSync(file)) throw noLedger(folder);
  const lines: Buffer[] = [];
  let count = 0;
  for (const { bytes, ended } of rawLines(file)) {
    if (!ended) continue;
    lines[count % wanted] = Buffer.from(bytes);
    count += 1;
  }
  const first = Math.max(0, count - wanted);
  const last = Array.from({ length: count - first }, (_, index) =>
    read(lines[(first + index) % wanted] ?? Buffer.alloc(0), first + index + 1),
  );
  return { last, count };
}

function read(bytes: Buffer, seq: number): Found {
  const line = readLine(bytes);
  if (line === undefined) {
    const nothing = { hash: '', prev: '', body: '' };
    return { id: `${seq}-?`, seq, line: nothing, problem: 'it is no entry of a ledger' };
  }
  const found = { id: entryId(seq, line.hash), seq, line };
  if (line.entry === undefined) return { ...found, problem: 'its content was left out of this export' };
  if (sha256(line.entry) !== line.body || chainHash(line.prev, line.body) !== line.hash) {
    return { ...found, problem: 'it was changed after it was written' };
  }
  const parsed = parseEntry(line.entry);
  return 'entry' in parsed ? { ...found, entry: parsed.entry } : { ...found, problem: parsed.problem };
}

/** The entry with this number, id, or beginning of its hash (8 characters at least). @throws OperatorError when there is none. */
export function findEntry(folder: string, id: string): Found {
  const [, number, prefix] = /^(?:#?(\d+))?(?:-?([0-9a-f]{8,64}))?$/.exec(id) ?? [];
  const byNumber = number !== undefined && (prefix !== undefined || number.length < 8);
  const text = prefix ?? (byNumber ? '' : (number ?? ''));
  const matches = (bytes: Buffer, seq: number): boolean =>
    (!byNumber || seq === Number(number)) && bytes.toString('latin1', 9, 9 + text.length) === text;
  if (byNumber || text !== '') for (const found of entries(folder, matches)) return found;
  throw new OperatorError({
    attempted: 'find the entry',
    where: folder,
    expected: 'its number, its id, or the first 8 characters of its hash',
    seen: id,
    next: 'list the last entries with `npm run evidence -- show`.',
    exitCode: 2,
  });
}

/** What is wrong with an entry's attachments, as sentences. */
export function attachmentProblems(folder: string, entry: Entry): string[] {
  return entry.attachments.flatMap(({ name, sha256: hash, bytes }) => {
    const problem = attachmentProblem(folder, hash, bytes);
    return problem === undefined ? [] : [`${problem}: ${name}`];
  });
}
