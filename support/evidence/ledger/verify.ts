import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { OperatorError } from '../../failure';
import { entryShape, type Attachment, type Entry } from './entry';
import { chainHash, genesis, nextLine, rawLines, readLine, sha256, sizeOf, type Line, type Word } from './lines';
import { displaced } from './displaced';
import { ledgerFiles, objectFile, readHead, type Head } from './place';
import { SignatureChecker, signersFile } from './signature';
import type { Damage, Problem, Verification } from './verification';

export interface VerifyOptions {
  /** Allowed signers, instead of the ledger's own file. */
  signers?: string;
  /** A hash that must be among the entries: an earlier head, kept elsewhere. */
  pinned?: string;
  /** Follow the chain over what the entries are made of, without reading what they say: no attachments, no signatures. */
  chainOnly?: boolean;
  /** Called from time to time with how much of the file is done, 0 to 1. */
  progress?: (done: number) => void;
  /** Words to look for in the lines. */
  words?: readonly Word[];
  /** Called with every entry that holds one of the words and whose chain holds; `named` has a bit for each word. */
  each?: (line: Line, seq: number, named: number) => void;
}

/**
 * Reads a ledger, or an exported part of one, from its first to its last byte and says the first thing that is wrong. Needs
 * nothing but the folder. Memory does not grow with the ledger.
 * @throws OperatorError (exit code 2) when there is no ledger.
 */
export function verifyLedger(folder: string, options: VerifyOptions = {}): Verification {
  const files = ledgerFiles(folder);
  if (!existsSync(files.chain) && !existsSync(files.head)) throw noLedger(folder);
  return new Verifier(folder, options).verify();
}

/** There is no ledger where one was asked for. */
export function noLedger(folder: string): OperatorError {
  return new OperatorError({
    attempted: 'read the ledger',
    where: folder,
    expected: 'ledger.jsonl and head.json',
    seen: 'neither',
    next: 'run the suite or a gate, which makes it, or name the folder (EVIDENCE_LEDGER, or an argument of verify).',
    exitCode: 2,
  });
}

class Verifier {
  private readonly result: Verification;
  private readonly checker: SignatureChecker;
  /** Attachments whose file was found good, by hash. */
  private readonly good = new Set<string>();
  private readonly exported: boolean;
  private pinnedSeen: boolean;
  private lastEnd = '';
  /** The hash of the last entry but one. */
  private before = genesis;
  private unknown: Problem | undefined;

  constructor(
    private readonly folder: string,
    private readonly options: VerifyOptions,
  ) {
    this.result = { folder, entries: 0, withheld: 0, attachments: 0, signed: 0, hash: genesis, notes: [] };
    const files = ledgerFiles(folder);
    this.checker = new SignatureChecker(signersFile(options.signers, files.signers));
    this.exported = existsSync(files.manifest);
    this.pinnedSeen = options.pinned === undefined;
  }

  verify(): Verification {
    const { result, folder, options } = this;
    let head: Head | undefined;
    try {
      head = readHead(folder);
    } catch (thrown) {
      if (!(thrown instanceof OperatorError)) throw thrown;
      return this.failed({ entry: 0, damage: 'head changed', detail: thrown.parts.seen ?? thrown.message });
    }
    const file = ledgerFiles(folder).chain;
    const size = sizeOf(file);
    let counted = head?.count === 0;
    for (const { bytes, offset, ended, named } of size === 0 ? [] : rawLines(file, options.words)) {
      if (!ended) {
        const problem = this.unended(bytes, offset, head);
        if (problem !== undefined) return this.failed(problem);
        break;
      }
      const problem = this.entry(bytes, offset, named);
      if (problem !== undefined) return this.failed(problem);
      if (head?.count === result.entries) {
        if (head.hash !== result.hash || head.bytes !== offset + bytes.length + 1)
          return this.failed(headDiffers(head, result));
        counted = true;
      }
      if (result.entries % 2000 === 0) options.progress?.(offset / size);
    }
    return this.ending(head, counted);
  }

  /** Judges the next line; @returns what is wrong with it. */
  private entry(bytes: Buffer, offset: number, named: number): Problem | undefined {
    const { result, options } = this;
    const seq = result.entries + 1;
    const sound = nextLine(bytes, result.hash);
    const line = sound ?? readLine(bytes);
    if (line === undefined) return { entry: seq, damage: 'changed', detail: `line ${seq} is no entry of a ledger` };
    if (sound === undefined && line.hash !== chainHash(line.prev, line.body)) {
      return { entry: seq, damage: 'changed', detail: `its hash is not that of what it says and what came before it` };
    }
    if (line.prev !== result.hash) return displaced(this.folder, { seq, offset, expected: result.hash, line });
    if (line.entry === undefined) {
      if (!this.exported) return { entry: seq, damage: 'removed', detail: 'its content was taken out' };
      const problem = this.checker.problem(line.hash, line.sig, undefined);
      if (problem !== undefined) return { entry: seq, damage: 'signature bad', detail: problem };
      result.withheld += 1;
    } else {
      if (sound === undefined && sha256(line.entry) !== line.body)
        return { entry: seq, damage: 'changed', detail: 'what it says is not what was written' };
      const problem = this.content(line, line.entry, seq);
      // What a later version wrote may be sound: the chain is followed to its end all the same.
      if (problem?.damage === 'unknown version') this.unknown ??= problem;
      else if (problem !== undefined) return problem;
    }
    if (line.sig !== undefined) result.signed += 1;
    if (line.hash === options.pinned) this.pinnedSeen = true;
    result.entries = seq;
    this.before = result.hash;
    result.hash = line.hash;
    if (named !== 0) options.each?.(line, seq, named);
    return undefined;
  }

  private content(line: Line, bytes: Buffer, seq: number): Problem | undefined {
    if (this.options.chainOnly) return undefined;
    const parsed = parseEntry(bytes);
    if ('problem' in parsed) return { entry: seq, damage: parsed.damage, detail: parsed.problem };
    const { entry } = parsed;
    if (entry.seq !== seq) return { entry: seq, damage: 'changed', detail: `it calls itself entry ${entry.seq}` };
    const signature = this.checker.problem(line.hash, line.sig, entry.signer);
    if (signature !== undefined) return { entry: seq, damage: 'signature bad', detail: signature };
    if (entry.ended < this.lastEnd) {
      this.note(`The clock went backwards: entry ${seq} ended ${entry.ended}, an earlier one ${this.lastEnd}.`);
    } else this.lastEnd = entry.ended;
    if (entry.repaired !== undefined) {
      this.note(`Before entry ${seq} an append was cut off; ${entry.repaired.bytes} bytes of it were taken out.`);
    }
    for (const attachment of entry.attachments) {
      const problem = this.attachment(attachment);
      if (problem !== undefined) return { entry: seq, ...problem };
    }
    return undefined;
  }

  private attachment({ name, sha256: hash, bytes }: Attachment): Omit<Problem, 'entry'> | undefined {
    this.result.attachments += 1;
    if (this.good.has(hash)) return undefined;
    const problem = attachmentProblem(this.folder, hash, bytes);
    if (problem === undefined) this.good.add(hash);
    return problem && { damage: problem, detail: `attachment "${name}" (${objectFile('', hash)})` };
  }

  /** The file's last line has no end: an append that was cut off after all that was counted, or a file that was. */
  private unended(bytes: Buffer, offset: number, head: Head | undefined): Problem | undefined {
    const { entries } = this.result;
    if (head !== undefined && offset < head.bytes) {
      return {
        entry: entries + 1,
        damage: 'truncated',
        detail: `the file ends within it; ${head.count} entries were counted`,
      };
    }
    this.note(
      `After entry ${entries} lie ${bytes.length} bytes of an append that was cut off; the next append repairs it.`,
    );
    return undefined;
  }

  private ending(head: Head | undefined, counted: boolean): Verification {
    const { result } = this;
    const count = head?.count ?? 0;
    if (result.entries < count) {
      const missing = count - result.entries;
      const detail = `the file ends after entry ${result.entries}; ${missing} counted ${missing === 1 ? 'entry is' : 'entries are'} missing`;
      return this.failed({ entry: result.entries + 1, damage: 'truncated', detail });
    }
    if (!counted && head !== undefined) return this.failed(headDiffers(head, result));
    if (result.entries > count + 1 && !this.countedSince(count)) {
      const what = head === undefined ? 'head.json is missing' : `head.json counts ${count}`;
      return this.failed({ entry: 0, damage: 'head changed', detail: `${what}, there are ${result.entries} entries` });
    }
    if (result.entries === count + 1 && !this.countedSince(count)) {
      this.note(
        `Entry ${result.entries} was written by a run that ended before it could count it; the next append counts it.`,
      );
    }
    if (!this.pinnedSeen) {
      const detail = `no entry has the hash ${this.options.pinned ?? ''}: the ledger was rewritten, or it is another one`;
      return this.failed({ entry: 0, damage: 'changed', detail });
    }
    for (const key of this.checker.unvouched)
      this.note(`No allowed signers were given: ${key} signed, and nobody says whose it is.`);
    return this.unknown === undefined ? result : this.failed(this.unknown);
  }

  /** Whether what was not counted when the reading began is by now: others may append meanwhile, each after the one before. */
  private countedSince(count: number): boolean {
    const { entries, hash } = this.result;
    let later: Head | undefined;
    try {
      later = readHead(this.folder);
    } catch {
      return false;
    }
    if (later === undefined || later.count <= count) return false;
    if (later.count > entries) return true;
    return later.count === entries ? later.hash === hash : later.count === entries - 1 && later.hash === this.before;
  }

  private note(sentence: string): void {
    const { notes } = this.result;
    if (notes.length < 20) notes.push(sentence);
    else if (notes.length === 20) notes.push('... and more of these.');
  }

  private failed(problem: Problem): Verification {
    return { ...this.result, problem };
  }
}

function headDiffers(head: Head, { entries, hash }: Verification): Problem {
  const detail =
    `head.json says entry ${head.count} ends at byte ${head.bytes} with hash ${head.hash.slice(0, 12)}; ` +
    `the chain of ${entries} says ${hash.slice(0, 12)}`;
  return { entry: head.count, damage: 'head changed', detail };
}

/** Reads an entry's content. */
export function parseEntry(bytes: Buffer): { entry: Entry } | { problem: string; damage: Damage } {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { problem: 'its content is no JSON', damage: 'changed' };
  }
  const parsed = entryShape.safeParse(json);
  if (parsed.success) return { entry: parsed.data };
  const version = typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (version !== 1) {
    const said = JSON.stringify(version) ?? 'none';
    return {
      problem: `its schema version is ${said}, this program knows 1: update it and verify again`,
      damage: 'unknown version',
    };
  }
  const issue = parsed.error.issues[0];
  return { problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not an entry'}`, damage: 'changed' };
}

/** What is wrong with a stored attachment, read in pieces. */
export function attachmentProblem(
  folder: string,
  hash: string,
  bytes: number,
): 'attachment missing' | 'attachment altered' | undefined {
  const file = objectFile(folder, hash);
  if (!existsSync(file)) return 'attachment missing';
  if (sizeOf(file) !== bytes) return 'attachment altered';
  const digest = createHash('sha256');
  const chunk = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(file, 'r');
  try {
    for (let got = readSync(fd, chunk); got > 0; got = readSync(fd, chunk)) digest.update(chunk.subarray(0, got));
  } finally {
    closeSync(fd);
  }
  return digest.digest('hex') === hash ? undefined : 'attachment altered';
}
