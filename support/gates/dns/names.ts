import { domainToASCII, domainToUnicode } from 'node:url';
import { parse } from 'tldts';

/** How a name in a plan reads. `ascii` is lower case, in punycode, without the trailing dot; '' is the zone's apex. */
export type NameReading = { readable: true; ascii: string; absolute: boolean } | { readable: false; why: string };

const longestLabel = 63;
const longestName = 253;

/** Names that end in these are meant as whole names although no registry sells them (RFC 2606, 6761, 6762, 8375, 9476). */
const specialUse = new Set([
  'alt',
  'arpa',
  'example',
  'internal',
  'invalid',
  'lab',
  'lan',
  'local',
  'localhost',
  'onion',
  'test',
]);

/** What may stand in a label: letters, digits and marks of any script, hyphen, underscore; `*` alone is the wildcard. */
const label = /^(?:\*|[\p{L}\p{M}\p{N}_-]+)$/u;

/**
 * Reads a record or zone name as DNS does: case and one trailing dot do not count, an international name equals its
 * punycode (both ways). A name is refused rather than guessed when it is spelled so that two readers could differ:
 * escapes, invisible or compatibility characters, punycode that decodes to nothing or to plain ASCII.
 */
export function readName(text: string): NameReading {
  if (text === '' || text === '@') return { readable: true, ascii: '', absolute: false };
  if (text.length > 4 * longestName) return unreadable(`it is ${text.length} characters long`);
  const dotted = text.endsWith('.');
  const labels = (dotted ? text.slice(0, -1) : text).split('.');
  const ascii: string[] = [];
  for (const one of labels) {
    const reading = readLabel(one);
    if (reading.why !== undefined) return unreadable(reading.why);
    ascii.push(reading.ascii);
  }
  const name = ascii.join('.');
  if (name.length > longestName) return unreadable(`it is longer than ${longestName} characters`);
  return { readable: true, ascii: name, absolute: dotted || endsLikeAWholeName(ascii) };
}

type LabelReading = { ascii: string; why?: undefined } | { why: string };

function readLabel(text: string): LabelReading {
  if (text === '') return { why: 'it has an empty label' };
  if (!label.test(text)) return { why: `"${printable(text)}" has a character that no host name has` };
  const lower = text.toLowerCase();
  // The Kelvin sign is a `k` in lower case.
  if (isAscii(lower) !== isAscii(text))
    return { why: `"${printable(text)}" is spelled with characters that stand for others` };
  if (isAscii(lower)) {
    if (lower.length > longestLabel) return { why: `a label is longer than ${longestLabel} characters` };
    if (!lower.startsWith('xn--')) return { ascii: lower };
    const decoded = unicode(lower);
    const sound = decoded !== lower && !isAscii(decoded) && punycode(decoded) === lower;
    return sound ? { ascii: lower } : { why: `"${lower}" is punycode that stands for no international name` };
  }
  const encoded = punycode(lower);
  if (encoded === '' || encoded.length > longestLabel) return { why: `"${printable(text)}" is no international label` };
  // Ligatures, full-width letters and the like turn into other letters on the way: the reader does not see which.
  if (unicode(encoded) !== lower.normalize('NFC')) {
    return { why: `"${printable(text)}" is spelled with characters that stand for others ("${unicode(encoded)}")` };
  }
  return { ascii: encoded };
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

// The URL standard's functions read numbers and short forms as addresses; behind a label of letters they do not.
const anchor = '.example';

function punycode(text: string): string {
  return strip(domainToASCII(text + anchor));
}

function unicode(text: string): string {
  return strip(domainToUnicode(text + anchor));
}

function strip(text: string): string {
  return text.endsWith(anchor) ? text.slice(0, -anchor.length) : '';
}

/** True when the last of several labels is a top-level domain: who writes `a.evil.example` means that whole name. */
function endsLikeAWholeName(labels: readonly string[]): boolean {
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || last.startsWith('_') || last === '*') return false;
  return specialUse.has(last) || parse(`x.${last}`).isIcann === true;
}

/** True for the zone itself and every name below it. Both in the form that `readName` returns. */
export function within(ascii: string, zone: string): boolean {
  return ascii === zone || ascii.endsWith(`.${zone}`);
}

/** A text from a plan in a sentence: control and invisible characters are shown by their code points. */
export function printable(text: string): string {
  const shown = text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  });
  return shown.length > 120 ? `${shown.slice(0, 120)}...` : shown;
}

function unreadable(why: string): NameReading {
  return { readable: false, why };
}
