import { domainToASCII } from 'node:url';

/** What a host text can mean: an IPv4 address, an IPv6 address, a name, or nothing two clients would agree on. */
export type HostReading =
  | ({ kind: 'ipv4'; text: string } & Ipv4Readings)
  | {
      kind: 'ipv6';
      address: bigint;
      text: string;
      /** Every IPv4 address hidden in it by a transition mechanism. */ embedded: number[];
    }
  | { kind: 'name'; name: string }
  | { kind: 'unreadable'; why: string };

/** What a text made of numbers can mean. */
export interface Ipv4Readings {
  /** What inet_aton(3) makes of it; undefined when it makes nothing of it. */
  address: number | undefined;
  /** What clients make of it that take no octal, or let numbers wrap around. */
  alternatives: number[];
}

/** Dots that IDNA treats as a full stop (UTS 46). */
const dots = /[\u3002\uFF0E\uFF61]/gu;
/** Characters a client drops or shows as nothing: white space, controls, soft hyphen, joiners, variation selectors. */
const invisible = /[\s\p{Cc}\p{Cf}\u034F\u180B-\u180F\uFE00-\uFE0F]/gu;

/**
 * The form of a host text after everything clients undo: percent-encoding (also nested), full-width and other
 * compatibility forms, ideographic dots, invisible characters, case, brackets, trailing dots.
 * @returns undefined when percent-encoding does not decode.
 */
export function plainHost(text: string): string | undefined {
  let plain = text;
  for (let round = 0; round < 8 && plain.includes('%'); round += 1) {
    // A zone id is written with a bare % (RFC 4007) and is no encoding.
    if (!/%[0-9a-f]{2}/i.test(plain)) break;
    if (/^\[?[0-9a-f:.]*:[0-9a-f:.]*%(?!25)[^%]*$/i.test(plain)) break;
    try {
      plain = decodeURIComponent(plain.replace(/%(?![0-9a-f]{2})/gi, '%25'));
    } catch {
      return undefined;
    }
  }
  plain = plain.normalize('NFKC').replace(dots, '.').replace(invisible, '').toLowerCase();
  plain = plain.replace(/^\[(.*)\]$/u, '$1');
  return plain.replace(/\.+$/u, '');
}

/** Reads one host: no scheme, no port, no user. Never throws. */
export function readHost(text: string): HostReading {
  const plain = plainHost(text);
  if (plain === undefined) return { kind: 'unreadable', why: 'its percent-encoding does not decode' };
  if (plain === '') return { kind: 'unreadable', why: 'it is empty' };
  if (plain.includes(':')) {
    const address = parseIpv6(plain.replace(/%.*$/u, ''));
    if (address === undefined) return { kind: 'unreadable', why: 'it is neither an IPv6 address nor host:port' };
    return { kind: 'ipv6', address, text: formatIpv6(address), embedded: embeddedIpv4(address) };
  }
  const readings = parseIpv4(plain);
  if (readings !== undefined) {
    const { address, alternatives } = readings;
    return { kind: 'ipv4', address, text: address === undefined ? plain : formatIpv4(address), alternatives };
  }
  const name = domainToASCII(plain) || plain;
  // An IDNA mapping may turn a name into digits again (circled and mathematical digits).
  if (name !== plain && parseIpv4(name) !== undefined) return readHost(name);
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(name) || name.length > 253)
    return { kind: 'unreadable', why: 'it is no host name' };
  return { kind: 'name', name };
}

/**
 * The IPv4 readings of a text as inet_aton(3) and others take it: 1 to 4 parts, each decimal, octal (0...) or hex (0x...),
 * the last part filling what is left.
 * @returns undefined when the text is not made of numbers.
 */
export function parseIpv4(text: string): Ipv4Readings | undefined {
  const parts = text.split('.');
  const digits = /^(0x[0-9a-f]*|[0-9]+)$/;
  // WHATWG: a name whose last label is a number must be an address, so it can be no name either.
  if (!digits.test(parts.at(-1) ?? '')) return undefined;
  if (parts.length > 4 || !parts.every((part) => digits.test(part))) return { address: undefined, alternatives: [] };
  const octal = parts.map(octalAware);
  const decimal = parts.map(decimalOnly);
  const careless = [assemble(decimal, false), assemble(octal, true), assemble(decimal, true)];
  const address = assemble(octal, false) ?? careless[0];
  return {
    address,
    alternatives: careless.filter((reading) => reading !== undefined).filter((reading) => reading !== address),
  };
}

function octalAware(part: string): bigint | undefined {
  if (part.startsWith('0x')) return part === '0x' ? 0n : BigInt(part);
  if (part.length > 1 && part.startsWith('0')) return /^[0-7]+$/.test(part) ? BigInt(`0o${part}`) : undefined;
  return BigInt(part);
}

function decimalOnly(part: string): bigint | undefined {
  if (part.startsWith('0x')) return octalAware(part);
  return BigInt(part);
}

/** @param wrap let every number wrap around at its width, as careless parsers do. */
function assemble(parts: readonly (bigint | undefined)[], wrap: boolean): number | undefined {
  let address = 0n;
  const lastWidth = BigInt(8 * (5 - parts.length));
  for (const [index, part] of parts.entries()) {
    if (part === undefined) return undefined;
    const width = index === parts.length - 1 ? lastWidth : 8n;
    if (part >> width !== 0n && !wrap) return undefined;
    address = (address << width) | (part & ((1n << width) - 1n));
  }
  return Number(address);
}

/** Parses an IPv6 address without zone and brackets, with or without a dotted tail. */
export function parseIpv6(text: string): bigint | undefined {
  let source = text;
  const tail = /^(.*:)([^:]*\.[^:]*)$/.exec(text);
  if (tail?.[1] !== undefined && tail[2] !== undefined) {
    // A tail in inet_aton spelling is refused by strict parsers; reading it as they would if they did is the safe side.
    const address = parseIpv4(tail[2])?.address;
    if (address === undefined) return undefined;
    source = `${tail[1]}${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}`;
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const [head, rest] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (head === undefined) return undefined;
  const missing = 8 - head.length - (rest?.length ?? 0);
  if (rest === undefined ? missing !== 0 : missing < 0) return undefined;
  const words = [...head, ...Array<string>(rest === undefined ? 0 : missing).fill('0'), ...(rest ?? [])];
  if (words.length !== 8 || !words.every((word) => /^0*[0-9a-f]{1,4}$/.test(word))) return undefined;
  return words.reduce((address, word) => (address << 16n) | BigInt(`0x${word}`), 0n);
}

/**
 * Every IPv4 address a transition mechanism could take out of an IPv6 address: mapped, compatible, translated, 6to4,
 * ISATAP and NAT64 with any prefix (each 16-bit aligned window), NAT64 across the u-octet (RFC 6052), Teredo (inverted).
 */
export function embeddedIpv4(address: bigint): number[] {
  const found = new Set<number>();
  for (let shift = 96n; shift >= 0n; shift -= 8n) found.add(Number((address >> shift) & 0xffffffffn));
  const bytes = Array.from({ length: 16 }, (_, index) => Number((address >> BigInt(8 * (15 - index))) & 0xffn));
  const withoutOctet8 = bytes.filter((_, index) => index !== 8);
  for (const start of [5, 6, 7, 8]) found.add(join4(withoutOctet8.slice(start, start + 4)));
  if (address >> 96n === 0x20010000n) found.add(Number(~address & 0xffffffffn));
  return [...found];
}

function join4(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** True for ::ffff:a.b.c.d, the one form for which the kernel itself opens an IPv4 connection. */
export function mappedIpv4(address: bigint): number | undefined {
  return address >> 32n === 0xffffn ? Number(address & 0xffffffffn) : undefined;
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

export function formatIpv6(address: bigint): string {
  const mapped = mappedIpv4(address);
  if (mapped !== undefined) return `::ffff:${formatIpv4(mapped)}`;
  const words = Array.from({ length: 8 }, (_, index) => ((address >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  return words.join(':').replace(/(^|:)(0(:|$)){2,}/, '::');
}
