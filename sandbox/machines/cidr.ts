/** An IPv4 network as first and last address, both inclusive. */
export function range(cidr: string): { first: number; last: number } {
  const [address = '', length = '32'] = cidr.split('/');
  const bits = Number(length);
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}

/** True when two IPv4 networks in CIDR notation share an address. */
export function overlaps(one: string, other: string): boolean {
  const a = range(one);
  const b = range(other);
  return a.first <= b.last && b.first <= a.last;
}
