import fc from 'fast-check';

/** Spellings of an IPv4 address that clients read as that address; shared by the property tests. */

const octets = (address: string): number[] => address.split('.').map(Number);
const toInteger = (address: string): number => octets(address).reduce((value, octet) => value * 256 + octet, 0);

/** One number as decimal, octal or hexadecimal, with leading zeros where the base allows them. */
function number(value: number): fc.Arbitrary<string> {
  return fc
    .record({ base: fc.constantFrom(8, 10, 16), zeros: fc.nat({ max: 6 }), upper: fc.boolean() })
    .map(({ base, zeros, upper }) => {
      if (base === 10) return String(value);
      if (base === 8) return `0${'0'.repeat(zeros)}${value.toString(8)}`;
      const hex = `0x${'0'.repeat(zeros)}${value.toString(16)}`;
      return upper ? hex.toUpperCase() : hex;
    });
}

/** inet_aton(3): 1 to 4 parts, the last filling what is left. */
export function numeric(address: string): fc.Arbitrary<string> {
  const [a = 0, b = 0, c = 0, d = 0] = octets(address);
  return fc
    .constantFrom([toInteger(address)], [a, toInteger(`0.${b}.${c}.${d}`)], [a, b, c * 256 + d], [a, b, c, d])
    .chain((parts) => fc.tuple(...parts.map(number)))
    .map((parts) => parts.join('.'));
}

/** The forms of IPv6 that carry the address; `mapped` alone is the one the kernel turns into IPv4 itself. */
export function ipv6(address: string, onlyMapped: boolean): fc.Arbitrary<string> {
  const value = toInteger(address);
  const [high, low] = [(value >>> 16).toString(16), (value & 0xffff).toString(16)];
  const bytes = octets(address).map((octet) => octet.toString(16).padStart(2, '0'));
  const mapped = [
    `::ffff:${address}`,
    `::ffff:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `0000:0000:0000:0000:0000:FFFF:${address}`,
  ];
  const inverted = (~value >>> 0).toString(16).padStart(8, '0');
  const others = [
    `::${high}:${low}`,
    `::${address}`,
    `64:ff9b::${address}`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${high}:${low}`,
    `64:ff9b:1:${bytes[0]}${bytes[1]}:${bytes[2]}:${bytes[3]}00::`,
    `2002:${high}:${low}::1`,
    `::ffff:0:${high}:${low}`,
    `fe80::5efe:${high}:${low}`,
    `2001:0:4136:e378:8000:63bf:${inverted.slice(0, 4)}:${inverted.slice(4)}`,
    `fd00:1::${high}:${low}`,
  ];
  const zone = fc.constantFrom('', '%eth0', '%25eth0', '%1');
  return fc
    .tuple(fc.constantFrom(...(onlyMapped ? mapped : [...mapped, ...others])), fc.boolean(), zone)
    .map(([text, bracket, suffix]) => (bracket ? `[${text}${suffix}]` : `${text}${suffix}`));
}

/** Percent-encodes, widens or decorates characters; what clients undo before they look. */
export function disguised(text: string): fc.Arbitrary<string> {
  const widen = (character: string): string =>
    /[0-9a-z]/i.test(character) ? String.fromCodePoint((character.codePointAt(0) ?? 0) + 0xfee0) : character;
  const encode = (character: string): string => `%${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
  const dot = (character: string, to: string): string => (character === '.' ? to : character);
  const each = fc.array(
    fc.constantFrom('plain', 'plain', 'plain', 'wide', 'encoded', 'twice', 'dot', 'upper', 'invisible'),
    { minLength: text.length, maxLength: text.length },
  );
  // A % or : has a meaning of its own in IPv6; those texts stay as they are.
  if (/[%:[]/.test(text)) return fc.constantFrom(text, text.toUpperCase());
  return each.map((styles) =>
    [...text]
      .map((character, index) => {
        switch (styles[index]) {
          case 'wide':
            return widen(character);
          case 'encoded':
            return encode(character);
          case 'twice':
            return encode(character).replace('%', '%25');
          case 'dot':
            return dot(character, '。');
          case 'upper':
            return character.toUpperCase();
          case 'invisible':
            return `${character}\u00ad\u200b`;
          default:
            return character;
        }
      })
      .join(''),
  );
}

/** Puts a host where hosts stand: alone, with a port, in a URL, behind users, in a connection string or an scp location. */
export function placed(host: string): fc.Arbitrary<string> {
  const bare = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return fc.constantFrom(
    host,
    `${host.startsWith('[') || !host.includes(':') ? host : bare}.`.replace(/\]\.$/, ']'),
    `${bare}:22`,
    `http://${bare}`,
    `HTTPS://${bare}:6443/api?x=1#y`,
    `http://user:secret@${bare}/`,
    `http:\\\\${bare}\\path`,
    `//${bare}/x`,
    `ssh://git@${bare}:2222/arcodange-org/erp.git`,
    `git@${bare}:arcodange-org/erp.git`,
    `postgres://u:p%40w@${bare}:5432/erp?sslmode=disable`,
    `host=${bare.replace(/^\[|\]$/g, '')} port=5432 dbname=erp`,
    ` ${host}\n`,
  );
}
