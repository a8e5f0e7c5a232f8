import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { hash as digest } from 'node:crypto';

/**
 * How an entry lies in the file. One line of JSON, its keys always in this order and place, so that the chain can be followed
 * without reading what it says:
 *
 *     {"hash":H,"prev":P,"body":B,"sig":S,"entry":{...}}
 *
 * B is the SHA-256 of the entry's bytes as they stand, P the H of the line before, H the SHA-256 of P and B. `sig` is there
 * when the entry is signed. An exported folder leaves `entry` out of lines that are not about its change: the chain holds.
 */
export interface Line {
  hash: string;
  prev: string;
  body: string;
  sig?: string;
  /** The entry's bytes; undefined when it was left out of an export. */
  entry?: Buffer;
}

/** `prev` of the first entry. */
export const genesis = '0'.repeat(64);

const fixed = /^\{"hash":"([0-9a-f]{64})","prev":"([0-9a-f]{64})","body":"([0-9a-f]{64})"$/;
/** Where the fixed part ends. */
const head = 222;
const sigKey = ',"sig":"';
const entryKey = ',"entry":';

/** SHA-256 in hexadecimal. */
export function sha256(data: Buffer | string): string {
  return digest('sha256', data, 'hex');
}

/** The hash that chains a body to the line before. */
export function chainHash(prev: string, body: string): string {
  return sha256(`sandbox-acceptance ledger 1\n${prev}\n${body}\n`);
}

/** The text of a line, without its line end. */
export function formatLine({ hash, prev, body, sig, entry }: Line): string {
  const signature = sig === undefined ? '' : `${sigKey}${sig}"`;
  const content = entry === undefined ? '' : `${entryKey}${entry.toString('utf8')}`;
  return `{"hash":"${hash}","prev":"${prev}","body":"${body}"${signature}${content}}`;
}

/** Reads a line's frame; undefined when it is no line of a ledger. What the entry says is not looked at. */
export function readLine(bytes: Buffer): Line | undefined {
  const match = fixed.exec(bytes.toString('latin1', 0, head));
  if (match === null || bytes[bytes.length - 1] !== 0x7d) return undefined;
  const [, hash = '', prev = '', body = ''] = match;
  let at = head;
  let sig: string | undefined;
  if (bytes.toString('latin1', at, at + sigKey.length) === sigKey) {
    const end = bytes.indexOf('"', at + sigKey.length);
    if (end === -1) return undefined;
    sig = bytes.toString('latin1', at + sigKey.length, end);
    at = end + 1;
  }
  const signed = sig === undefined ? {} : { sig };
  if (at === bytes.length - 1) return { hash, prev, body, ...signed };
  if (bytes.toString('latin1', at, at + entryKey.length) !== entryKey) return undefined;
  return { hash, prev, body, ...signed, entry: bytes.subarray(at + entryKey.length, bytes.length - 1) };
}

/** Where the entry of an unsigned line begins. */
const contentAt = head + entryKey.length;

/**
 * The line, where it is unsigned, has its entry, is whole and follows `prev`: its frame is computed from what it says and
 * compared, which takes a third of the time of taking it apart. Undefined says no more than that `readLine` must look.
 */
export function nextLine(bytes: Buffer, prev: string): Line | undefined {
  if (bytes[head + 2] !== 0x65 || bytes[bytes.length - 1] !== 0x7d) return undefined;
  const entry = bytes.subarray(contentAt, bytes.length - 1);
  const body = sha256(entry);
  const hash = chainHash(prev, body);
  const frame = `{"hash":"${hash}","prev":"${prev}","body":"${body}"${entryKey}`;
  return bytes.toString('latin1', 0, contentAt) === frame ? { hash, prev, body, entry } : undefined;
}

/** Whether a line with its entry is whole in itself and follows another one's hash. */
export function follows({ hash, prev, body, entry }: Line, other: string): boolean {
  return entry !== undefined && prev === other && body === sha256(entry) && hash === chainHash(prev, body);
}

/** A line as it lies in a file. */
export interface RawLine {
  bytes: Buffer;
  /** Of its first byte. */
  offset: number;
  /** Whether a line end follows; without one an append was cut off, or the file was. */
  ended: boolean;
  /** Which of the words that were asked for are in it: the sum of their bits. */
  named: number;
}

const chunkBytes = 1 << 20;
/** Bytes. Longer than any entry: a file without line ends must not fill the memory. */
export const longestLine = 64 << 20;

/** Something to look for while a file is read. */
export interface Word {
  bytes: Uint8Array;
  /** Offset in the file before which it need not be looked for. */
  from?: number;
}

/**
 * Reads a file line by line with little memory. A line longer than 64 MiB ends the reading as one that is not ended. The
 * bytes of a line are only good until the next one is asked for.
 * @param words looked for in a piece of the file at a time: looking into every line takes longer than reading it.
 */
export function* rawLines(file: string, words: readonly Word[] = []): Generator<RawLine, void, undefined> {
  const fd = openSync(file, 'r');
  try {
    // One space for the whole file, a line longer than that aside: fresh memory for every piece costs as much as hashing it.
    let space = Buffer.allocUnsafeSlow(2 * chunkBytes);
    let kept = 0;
    let offset = 0;
    for (;;) {
      if (kept + chunkBytes > space.length) space = Buffer.concat([space], 2 * space.length);
      const got = readSync(fd, space, kept, chunkBytes, offset + kept);
      const data = space.subarray(0, kept + got);
      const found = words.map(({ bytes, from = 0 }) => new Occurrences(data, bytes, from <= offset + data.length));
      let start = 0;
      for (let end = data.indexOf(10, kept); end !== -1; end = data.indexOf(10, start)) {
        yield { bytes: data.subarray(start, end), offset, ended: true, named: namedIn(found, start, end) };
        offset += end + 1 - start;
        start = end + 1;
      }
      space.copyWithin(0, start, data.length);
      kept = data.length - start;
      if (got === 0 || kept > longestLine) break;
    }
    if (kept > 0) yield { bytes: space.subarray(0, kept), offset, ended: false, named: 0 };
  } finally {
    closeSync(fd);
  }
}

/** Where a word is in some bytes, asked about from their beginning to their end. */
class Occurrences {
  private at: number;

  constructor(
    private readonly data: Buffer,
    private readonly word: Uint8Array,
    wanted: boolean,
  ) {
    this.at = wanted ? data.indexOf(word) : -1;
  }

  between(start: number, end: number): boolean {
    if (this.at !== -1 && this.at < start) this.at = this.data.indexOf(this.word, start);
    return this.at !== -1 && this.at < end;
  }
}

/** The bit of a word, by its place among those that are looked for; from the 32nd on they share one. */
export function wordBit(index: number): number {
  return 1 << Math.min(index, 31);
}

function namedIn(found: readonly Occurrences[], start: number, end: number): number {
  let bits = 0;
  for (const [index, one] of found.entries()) if (one.between(start, end)) bits |= wordBit(index);
  return bits;
}

/** Size of a file in bytes; 0 when there is none. */
export function sizeOf(file: string): number {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw thrown;
  }
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}
