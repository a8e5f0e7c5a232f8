import { closeSync, openSync, readSync } from 'node:fs';
import { follows, longestLine, nextLine, readLine, wordBit, type Line, type Word } from './lines';

/** A part of a chain that holds in itself. */
export interface Part {
  lines: number;
  signed: number;
  /** The hash that its first line follows, as that says. */
  prev: string;
  /** The hash of its last line. */
  hash: string;
  /** Its lines that hold one of the words, counted from 0, with the sum of the words' bits. */
  named: { index: number; bytes: Uint8Array; bits: number }[];
}

/** What is shared by the threads that follow one chain. */
export interface Shares {
  file: string;
  /** Size of the file. Bytes. */
  size: number;
  partBytes: number;
  words: readonly Word[];
  /** One number: the next part that nobody has taken. */
  next: Int32Array;
}

/** How many parts a chain is followed in. */
export function partsOf({ size, partBytes }: Pick<Shares, 'size' | 'partBytes'>): number {
  return Math.ceil(size / partBytes);
}

/**
 * Follows parts of a chain until none is left, each taken by nobody else. A part that does not hold, or is not as most are,
 * comes as undefined, and ends the work of all threads: the whole is then looked at line by line.
 */
export function followParts(shares: Shares): Map<number, Part | undefined> {
  const parts = new Map<number, Part | undefined>();
  const count = partsOf(shares);
  const fd = openSync(shares.file, 'r');
  try {
    let space: Buffer = Buffer.alloc(0);
    for (;;) {
      const number = Atomics.add(shares.next, 0, 1);
      if (number >= count) return parts;
      // One space for all parts: fresh memory for each costs as much as hashing it.
      if (space.length === 0) space = Buffer.allocUnsafeSlow(shares.partBytes + 2 * spareBytes);
      const read = readPart(fd, space, shares, number);
      const part = read && followLines(read, shares.words);
      parts.set(number, part);
      if (part === undefined) Atomics.store(shares.next, 0, count);
      else space = read?.space ?? space;
    }
  } finally {
    closeSync(fd);
  }
}

/** The lines that begin in a part of the file, whole. */
interface Lines {
  /** Of the first byte of `data`, in the file. */
  offset: number;
  data: Buffer;
  /** What it was read into; larger than before where a line was. */
  space: Buffer;
}

/** Room for the end of a part's last line. */
const spareBytes = 1 << 16;

/** @returns undefined when its last line has no end. */
function readPart(fd: number, given: Buffer, { size, partBytes }: Shares, number: number): Lines | undefined {
  let space = given;
  const from = number * partBytes;
  const to = Math.min(size, from + partBytes);
  // A line begins where another one ends: the byte before the part says whether one does where the part begins.
  const offset = Math.max(0, from - 1);
  let filled = read(fd, space, 0, to - offset, offset);
  let end = filled;
  while (space[end - 1] !== 10) {
    if (filled - (to - offset) > longestLine) return undefined;
    if (filled + spareBytes > space.length) space = Buffer.concat([space], 2 * space.length);
    const got = read(fd, space, filled, Math.min(spareBytes, size - offset - filled), offset + filled);
    if (got === 0) return undefined;
    const found = space.subarray(0, filled + got).indexOf(10, filled);
    filled += got;
    end = found === -1 ? filled : found + 1;
  }
  const first = from === 0 ? 0 : space.indexOf(10) + 1;
  // Where a line is longer than a part, none begins in some.
  return { offset: offset + first, data: space.subarray(Math.min(first, end), first + offset < to ? end : 0), space };
}

function read(fd: number, space: Buffer, at: number, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const got = readSync(fd, space, at + done, length - done, offset + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** `"prev":"` of every line ends here. */
const prevAt = 83;

function followLines({ data, offset }: Lines, words: readonly Word[]): Part | undefined {
  const prev = data.toString('latin1', prevAt, prevAt + 64);
  const part: Part = { lines: 0, signed: 0, prev, hash: prev, named: [] };
  const found = placesOf(data, offset, words);
  let next = 0;
  for (let start = 0; start < data.length;) {
    const end = data.indexOf(10, start);
    const bytes = data.subarray(start, end);
    const line = nextLine(bytes, part.hash) ?? signedLine(bytes, part.hash);
    if (line === undefined) return undefined;
    let bits = 0;
    for (let place = found[next]; place !== undefined && place.at < end; place = found[++next]) bits |= place.bit;
    if (bits !== 0) part.named.push({ index: part.lines, bytes: new Uint8Array(bytes), bits });
    part.lines += 1;
    if (line.sig !== undefined) part.signed += 1;
    part.hash = line.hash;
    start = end + 1;
  }
  return part;
}

function signedLine(bytes: Buffer, prev: string): Line | undefined {
  const line = readLine(bytes);
  return line?.sig !== undefined && follows(line, prev) ? line : undefined;
}

/** Where words are, in order. No line end is in a word. */
function placesOf(data: Buffer, offset: number, words: readonly Word[]): { at: number; bit: number }[] {
  const places = words.flatMap(({ bytes, from = 0 }, index) => {
    const its: { at: number; bit: number }[] = [];
    if (from > offset + data.length) return its;
    for (let at = data.indexOf(bytes); at !== -1; at = data.indexOf(bytes, at + bytes.length))
      its.push({ at, bit: wordBit(index) });
    return its;
  });
  return places.sort((one, other) => one.at - other.at);
}
