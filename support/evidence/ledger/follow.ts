import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { projectRoot } from '../../paths';
import { followParts, partsOf, type Part, type Shares } from './follow-part';
import { genesis, readLine, sizeOf, type Line, type Word } from './lines';
import { ledgerFiles, readHead } from './place';
import type { Verification } from './verification';
import { verifyLedger } from './verify';

/** How a chain is followed. */
export interface FollowOptions {
  /** Words to look for in the lines. */
  words: readonly Word[];
  /** Called, when the chain holds, with every entry that holds one of the words; `named` has a bit for each word. */
  each: (line: Line, seq: number, named: number) => void;
  /** How much of the file one thread takes at a time. Bytes. */
  partBytes?: number;
  /** Threads beside this one. */
  threads?: number;
}

const usualPart = 4 << 20;
/** Fewer are followed in less time than a thread needs to start. */
const partsWorthAThread = 8;
/** More threads than these wait for each other's memory. */
const mostThreads = 3;

/**
 * Follows the whole chain, as `verifyLedger` with `chainOnly`, in as many threads as there are processors: lines hold or do
 * not hold by themselves, and parts are put together by the hash that the first line of each follows. What does not hold, or
 * is not as a ledger at rest is, is left to `verifyLedger`, which says what is wrong.
 * @throws OperatorError (exit code 2) when there is no ledger.
 */
export async function followLedger(folder: string, options: FollowOptions): Promise<Verification> {
  const { words, each } = options;
  return (
    (await followInParts(folder, options)) ??
    // Entries that are named before the one that is broken are nobody's evidence: who asks looks at `problem` first.
    verifyLedger(folder, { chainOnly: true, words, each })
  );
}

async function followInParts(
  folder: string,
  { words, each, partBytes = usualPart, threads = Math.min(availableParallelism() - 1, mostThreads) }: FollowOptions,
): Promise<Verification | undefined> {
  const { chain } = ledgerFiles(folder);
  const head = restingHead(folder);
  if (head === undefined || head.bytes <= partBytes) return undefined;
  const next = new Int32Array(new SharedArrayBuffer(4));
  const shares: Shares = { file: chain, size: head.bytes, partBytes, words, next };
  const parts = await inThreads(shares, threads);
  let hash = genesis;
  let entries = 0;
  let signed = 0;
  const named: { line: Line; seq: number; bits: number }[] = [];
  for (let number = 0; number < partsOf(shares); number++) {
    const part = parts.get(number);
    if (part === undefined || (part.lines > 0 && part.prev !== hash)) return undefined;
    for (const { index, bytes, bits } of part.named) {
      const line = readLine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (line === undefined) return undefined;
      named.push({ line, seq: entries + index + 1, bits });
    }
    entries += part.lines;
    signed += part.signed;
    if (part.lines > 0) hash = part.hash;
  }
  if (entries !== head.count || hash !== head.hash) return undefined;
  for (const { line, seq, bits } of named) each(line, seq, bits);
  return { folder, entries, withheld: 0, attachments: 0, signed, hash, notes: [] };
}

/** The head, where it counts all there is, to the byte. What it counts does not change any more, whoever appends meanwhile. */
function restingHead(folder: string): ReturnType<typeof readHead> {
  const { chain, head, manifest } = ledgerFiles(folder);
  if (!existsSync(head) || existsSync(manifest)) return undefined;
  try {
    const counted = readHead(folder);
    return counted !== undefined && sizeOf(chain) === counted.bytes ? counted : undefined;
  } catch {
    // `verifyLedger` says what is wrong with it.
    return undefined;
  }
}

/** Deals the parts out to this thread and others; each takes the next one when it is done with one. */
async function inThreads(shares: Shares, threads: number): Promise<Map<number, Part | undefined>> {
  const worthIt = Math.floor(partsOf(shares) / partsWorthAThread);
  const workers = Array.from({ length: Math.min(threads, worthIt) }, () => new FollowWorker(shares));
  try {
    const parts = followParts(shares);
    // A thread that came too late took none, and need not be waited for.
    for (const worker of workers) {
      if (parts.size === partsOf(shares)) break;
      for (const [number, part] of await worker.done) parts.set(number, part);
    }
    return parts;
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

class FollowWorker {
  private readonly worker: Worker;
  readonly done: Promise<Map<number, Part | undefined>>;

  constructor(shares: Shares) {
    this.worker = new Worker(join(projectRoot, 'support', 'startup', 'start.js'), {
      argv: [join(__dirname, 'follow-worker.ts')],
      execArgv: [],
      workerData: shares,
    });
    this.done = new Promise((resolve, reject) => {
      this.worker.once('message', resolve);
      this.worker.once('error', reject);
    });
    // Whoever does not need it any more does not wait for it, and ends it.
    this.done.catch(() => undefined);
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}
