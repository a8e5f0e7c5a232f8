import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { productionAddresses } from './policy';

/** The rig's interface: it owns the production addresses inside a namespace without a route out. */
export const rigInterface = 'no-route-rig';
/** Its other end, in the same namespace, on kernels without dummy interfaces (a veth pair stands in for one). */
export const rigPeer = 'no-route-peer';
/** Breaks the boundary on purpose. Honoured inside the rig only, so that a shell that exports it changes nothing. */
export const breakVariable = 'SANDBOX_BOUNDARY_BROKEN_IN_RIG';

let inside: boolean | undefined;

/**
 * True when this process lives in the rig's network namespace: its interface owns every production address, there is
 * no interface but it and loopback, and no route leads through a gateway. What is sent there cannot leave.
 */
export function insideRig(): boolean {
  inside ??= lookAround();
  return inside;
}

function lookAround(): boolean {
  const interfaces = networkInterfaces();
  const owned = new Set((interfaces[rigInterface] ?? []).map(({ address }) => address));
  if (!productionAddresses.every((address) => owned.has(address))) return false;
  try {
    // Every interface, up or down: /proc/net/dev lists those that os.networkInterfaces() leaves out.
    const names = readFileSync('/proc/net/dev', 'utf8')
      .split('\n')
      .slice(2)
      .map((line) => line.split(':')[0]?.trim() ?? '')
      .filter((name) => name !== '');
    const gateways = readFileSync('/proc/net/route', 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[2])
      .filter((gateway) => gateway !== undefined);
    return (
      names.every((name) => ['lo', rigInterface, rigPeer].includes(name)) &&
      gateways.every((gateway) => gateway === '00000000')
    );
  } catch {
    return false;
  }
}

/** True only where a test has broken the boundary on purpose and nothing can leave. */
export function boundaryIsBroken(): boolean {
  return process.env[breakVariable] === '1' && insideRig();
}
