import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createHash } from 'node:crypto';

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
  return createHash('sha256').update(data).digest('hex');
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

/** A line as it lies in a file. */
export interface RawLine {
  bytes: Buffer;
  /** Of its first byte. */
  offset: number;
  /** Whether a line end follows; without one an append was cut off, or the file was. */
  ended: boolean;
}

const chunkBytes = 1 << 20;
/** Longer than any entry: a file without line ends must not fill the memory. */
const longestLine = 64 << 20;

/**
 * Reads a file line by line with little memory. A line longer than 64 MiB ends the reading as one that is not ended. The
 * bytes of a line are only good until the next one is asked for.
 * @param from offset of the first byte to read.
 */
export function* rawLines(file: string, from = 0): Generator<RawLine, void, undefined> {
  const fd = openSync(file, 'r');
  try {
    let offset = from;
    let position = from;
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const got = readSync(fd, chunk, 0, chunkBytes, position);
      position += got;
      const data: Buffer = rest.length === 0 ? chunk.subarray(0, got) : Buffer.concat([rest, chunk.subarray(0, got)]);
      let start = 0;
      for (let end = data.indexOf(10, rest.length); end !== -1; end = data.indexOf(10, start)) {
        yield { bytes: data.subarray(start, end), offset, ended: true };
        offset += end + 1 - start;
        start = end + 1;
      }
      rest = data.subarray(start);
      if (got === 0 || rest.length > longestLine) break;
    }
    if (rest.length > 0) yield { bytes: rest, offset, ended: false };
  } finally {
    closeSync(fd);
  }
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
