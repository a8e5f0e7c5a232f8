import { copyFileSync, createWriteStream, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { OperatorError } from '../failure';
import { findEntry, entries, type Found } from './ledger/find';
import type { Entry } from './ledger/entry';
import { formatLine } from './ledger/lines';
import { ledgerFiles, objectFile, readHead, writeHead } from './ledger/place';
import { verifyLedger } from './ledger/verify';
import { viewer } from './viewer';

/** What to export: entries by id, or all that were made with a commit or its content. */
export interface Selection {
  ids: readonly string[];
  /** Commit or tree hashes, or their beginnings. */
  commits: readonly string[];
}

export interface Exported {
  folder: string;
  chosen: number;
  entries: number;
  files: number;
}

/**
 * Writes a folder that proves one change to somebody who has nothing else: the chosen entries with all their attachments, the
 * others as bare links of the chain, a page to read them, checksums for coreutils.
 * @throws OperatorError when the ledger is broken, nothing is chosen, or the folder is not empty.
 */
export async function exportChange(ledger: string, folder: string, selection: Selection): Promise<Exported> {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw refusal(
      'export the evidence',
      folder,
      'a folder that holds something',
      'name a folder that is new or empty.',
    );
  }
  const { problem } = verifyLedger(ledger);
  if (problem !== undefined) {
    const seen = `entry ${problem.entry} is broken (${problem.damage}: ${problem.detail})`;
    throw refusal('export the evidence', ledger, seen, 'restore the ledger; what is broken proves nothing elsewhere.');
  }
  const chosen = choose(ledger, selection);
  const from = ledgerFiles(ledger);
  const to = ledgerFiles(folder);
  mkdirSync(folder, { recursive: true });
  const wanted = new Set(chosen.map(({ seq }) => seq));
  const chain = createWriteStream(to.chain);
  let count = 0;
  let bytes = 0;
  let hash = '';
  for (const { line } of entries(ledger, () => true)) {
    count += 1;
    const { entry: _, ...bare } = line;
    const text = `${formatLine(wanted.has(count) ? line : bare)}\n`;
    bytes += Buffer.byteLength(text);
    hash = line.hash;
    chain.write(text);
  }
  chain.end();
  await finished(chain);
  if (readHead(ledger)?.hash !== hash)
    throw refusal('export the evidence', ledger, 'a run that was appended meanwhile', 'export again.');
  writeHead(folder, { version: 1, count, hash, bytes });
  if (existsSync(from.signers)) copyFileSync(from.signers, to.signers);
  const files = new Set(chosen.flatMap(({ entry }) => entry?.attachments.map(({ sha256 }) => sha256) ?? []));
  for (const sha256 of files) {
    const file = objectFile(folder, sha256);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync(objectFile(ledger, sha256), file);
  }
  const manifest = { schema: 'sandbox-acceptance/export', version: 1, entries: [...wanted], of: count, hash };
  writeFileSync(to.manifest, `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'index.html'), viewer(chosen, { count, hash }));
  const sums = [...files].sort().map((sha256) => `${sha256}  ${relative(folder, objectFile(folder, sha256))}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  return { folder, chosen: chosen.length, entries: count, files: files.size };
}

function choose(ledger: string, { ids, commits }: Selection): Found[] {
  const named = ids.map((id) => findEntry(ledger, id));
  const made =
    commits.length === 0 ? [] : [...entries(ledger, (bytes) => commits.some((commit) => bytes.includes(`"${commit}`)))];
  const all = new Map(
    [...named, ...made.filter(({ entry }) => entry && isAbout(entry, commits))].map((one) => [one.seq, one]),
  );
  if (all.size > 0) return [...all.values()].sort((a, b) => a.seq - b.seq);
  const seen = commits.length === 0 ? 'no entry was named' : `no entry about ${commits.join(', ')}`;
  throw refusal(
    'export the evidence',
    ledger,
    seen,
    'name entries (--entry) or a commit (--commit); `evidence show` lists them.',
  );
}

function isAbout({ sources }: Entry, commits: readonly string[]): boolean {
  return sources.some(({ role, commit, tree }) =>
    commits.some((one) => role !== 'suite' && (commit?.startsWith(one) === true || tree?.startsWith(one) === true)),
  );
}

function refusal(attempted: string, where: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, where, seen, next, exitCode: 2 });
}
