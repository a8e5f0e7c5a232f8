import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { parseIpv4 } from './addresses';

/** A line of /proc/net/route: destination and mask as numbers in host order. */
interface Route {
  destination: number;
  mask: number;
}

function readRoutes(file: string): Route[] | undefined {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t'))
      .filter((fields) => fields.length > 7)
      .map((fields) => ({ destination: hostOrder(fields[1] ?? ''), mask: hostOrder(fields[7] ?? '') }));
  } catch {
    return undefined; // Not Linux: nothing can be said about routes.
  }
}

/** The kernel prints addresses as little-endian hexadecimal. */
function hostOrder(text: string): number {
  return Buffer.from(text.padStart(8, '0'), 'hex').readUInt32LE(0);
}

/**
 * True when a packet to this IPv4 address would leave by the default route: the lab is not up, and its private addresses
 * are then somebody else's. Loopback and IPv6 (the lab has none) answer false.
 */
export function leavesByDefaultRoute(address: string, file = '/proc/net/route'): boolean {
  const value = isIPv4(address) ? parseIpv4(address)?.address : undefined;
  if (value === undefined || value >>> 24 === 127 || value === 0) return false;
  const routes = readRoutes(file);
  if (routes === undefined) return false;
  const matching = routes.filter(({ destination, mask }) => (value & mask) >>> 0 === destination);
  return matching.length > 0 && matching.every(({ mask }) => mask === 0);
}
