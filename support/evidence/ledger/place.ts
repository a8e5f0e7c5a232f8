import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { OperatorError, reason } from '../../failure';
import { projectRoot } from '../../paths';

/**
 * Where the ledger lies: EVIDENCE_LEDGER, else beside the reports when REPORTS_OUT puts them elsewhere (tests, planted
 * faults and benchmarks must not write into the operator's own ledger), else reports/ledger, which no run ever cleans.
 */
export function ledgerFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { EVIDENCE_LEDGER: named, REPORTS_OUT: out } = environment;
  if (named) return resolve(named);
  return out ? join(resolve(out), 'ledger') : join(projectRoot, 'reports', 'ledger');
}

/** The files of a ledger's folder. */
export function ledgerFiles(
  folder: string,
): Record<'chain' | 'head' | 'lock' | 'objects' | 'signers' | 'history' | 'manifest', string> {
  return {
    chain: join(folder, 'ledger.jsonl'),
    head: join(folder, 'head.json'),
    lock: join(folder, 'lock'),
    objects: join(folder, 'objects'),
    signers: join(folder, 'allowed_signers'),
    history: join(folder, 'allure-history.jsonl'),
    manifest: join(folder, 'export.json'),
  };
}

/** The file of an attachment, by its hash. */
export function objectFile(folder: string, sha256: string): string {
  return join(ledgerFiles(folder).objects, sha256.slice(0, 2), sha256);
}

const headShape = z.object({
  version: z.literal(1),
  /** How many entries the chain had at least, and the hash of the last of these. */
  count: z.number().int().nonnegative(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Size of the chain's file up to there. */
  bytes: z.number().int().nonnegative(),
});

/** How far the chain had certainly come. It may lag behind after a power loss, never run ahead: written after the entry. */
export type Head = z.infer<typeof headShape>;

/** @returns the head, undefined when there is none. @throws OperatorError when it cannot be read. */
export function readHead(folder: string): Head | undefined {
  const file = ledgerFiles(folder).head;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadableHead(file, reason(thrown));
  }
  try {
    return headShape.parse(JSON.parse(text));
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw unreadableHead(file, issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown));
  }
}

function unreadableHead(file: string, seen: string): OperatorError {
  return new OperatorError({
    attempted: 'read the head of the ledger',
    where: file,
    expected: '{version: 1, count, hash, bytes}',
    seen,
    next: 'restore head.json from a backup; the ledger proves nothing without it, and nothing is appended to it.',
    exitCode: 1,
  });
}

/** Writes the head, whole or not at all, and on the disk when this returns. */
export function writeHead(folder: string, head: Head): void {
  writeDurably(ledgerFiles(folder).head, `${JSON.stringify(head)}\n`);
}

/** Writes a file, whole or not at all, mode 0600, and on the disk when this returns. */
export function writeDurably(file: string, content: string | Buffer): void {
  makeFolder(dirname(file));
  const fresh = `${file}.${process.pid}.new`;
  const fd = openSync(fresh, 'w', 0o600);
  try {
    writeAll(fd, Buffer.from(content as string));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, file);
  syncFolder(dirname(file));
}

/** Makes a folder with those above it, mode 0700; those that were not there survive a power loss. */
export function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // A folder's name is in the one above it.
  const top = dirname(resolve(first));
  for (let above = dirname(resolve(folder)); ; above = dirname(above)) {
    syncFolder(above);
    if (above === top) return;
  }
}

/** Makes names in a folder survive a power loss. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes all of it; write(2) may take less at a time. */
export function writeAll(fd: number, data: Buffer): void {
  for (let done = 0; done < data.length;) done += writeSync(fd, data, done);
}
