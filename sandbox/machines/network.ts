import { z } from 'zod';
import { run } from '../../support/command';
import { clusterMachines, type Inventory, type Machine } from '../../support/inventory';
import { overlaps } from './cidr';
import { bridgeName, cableName } from './layout';

/** The `ip -batch` commands that connect a machine: its address and the routes to pods and services; no default route. */
export function machineNetworkBatch(inventory: Inventory, machine: Machine): string {
  const nodes = clusterMachines(inventory).filter((node) => node.name !== machine.name && node.podSubnet);
  return [
    'link set lo up',
    `link set eth0 address ${hardwareAddress(machine.address)}`,
    `addr add ${machine.address}/${prefixLength(inventory.networkCidr)} dev eth0`,
    'link set eth0 up',
    ...nodes.map((node) => `route add ${node.podSubnet} via ${node.address}`),
    // kube-proxy rewrites packets to services before they leave; this route only lets them start.
    `route add ${inventory.serviceCidr} dev eth0`,
    '',
  ].join('\n');
}

/**
 * The hardware address that belongs to an IPv4 address of the lab: the same after every power-on, as a real machine's is.
 * With another one its neighbours would send to the old one until their tables forget it, about ten seconds.
 */
export function hardwareAddress(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  // 02: administered locally; 4c: L, for lab.
  return ['02', '4c', ...bytes].join(':');
}

function prefixLength(cidr: string): string {
  return cidr.split('/')[1] ?? '24';
}

/** Makes the bridge with the operator's address on it, or completes a half-made one. Routes come with `ensureRoutes`. */
export async function ensureBridge(inventory: Inventory): Promise<void> {
  const batch = [
    `link set ${bridgeName} addrgenmode none address ${hardwareAddress(inventory.operatorAddress)}`,
    `addr replace ${inventory.operatorAddress}/${prefixLength(inventory.networkCidr)} dev ${bridgeName}`,
    `link set ${bridgeName} up`,
    '',
  ];
  if (!(await linkExists(bridgeName))) batch.unshift(`link add ${bridgeName} type bridge forward_delay 0`);
  await run('ip', ['-batch', '-'], { input: batch.join('\n') });
}

/** Routes of the host to pods (by each node) and services (by the first node). They live as long as the bridge. */
export async function ensureRoutes(inventory: Inventory): Promise<void> {
  const nodes = clusterMachines(inventory);
  const first = nodes[0];
  const routes = nodes.flatMap((node) => (node.podSubnet ? [[node.podSubnet, node.address]] : []));
  if (first) routes.push([inventory.serviceCidr, first.address]);
  const batch = routes.map(([to, via]) => `route replace ${to} via ${via} dev ${bridgeName}`);
  await run('ip', ['-batch', '-'], { input: `${batch.join('\n')}\n` });
}

/** Removes the bridge; its address and routes go with it. */
export async function removeBridge(): Promise<void> {
  await run('ip', ['link', 'del', bridgeName], { allowFailure: true });
}

/** Plugs the cable of a machine that is on into the bridge, if it is not. @returns false when there is no cable. */
export async function plugCable(machine: string): Promise<boolean> {
  const set = ['link', 'set', cableName(machine), 'master', bridgeName, 'up'];
  return (await run('ip', set, { allowFailure: true })).exitCode === 0;
}

/** Removes the host's end of a machine's cable, which a power cut leaves until the kernel has cleaned up. */
export async function removeCable(machine: string): Promise<void> {
  await run('ip', ['link', 'del', cableName(machine)], { allowFailure: true });
}

async function linkExists(name: string): Promise<boolean> {
  return (await run('ip', ['link', 'show', name], { allowFailure: true })).exitCode === 0;
}

const routesShape = z.array(z.object({ dst: z.string(), dev: z.string().optional() }).loose());

/** A route of the host that the lab needs for itself. */
interface TakenSubnet {
  wanted: string;
  route: string;
  device: string;
}

/** Routes of this host that overlap the lab's networks and are not the lab's own. */
export function takenSubnets(inventory: Inventory, ipRouteJson: string): TakenSubnet[] {
  // The whole /16 around the machines' network: a neighbour in it is a lab in the making somewhere else.
  const wanted = [
    `${inventory.networkCidr.split('.').slice(0, 2).join('.')}.0.0/16`,
    inventory.podCidr,
    inventory.serviceCidr,
  ];
  return routesShape.parse(JSON.parse(ipRouteJson)).flatMap((route) => {
    if (route.dst === 'default' || route.dev === bridgeName) return [];
    const hit = wanted.find((cidr) => overlaps(cidr, route.dst));
    return hit === undefined ? [] : [{ wanted: hit, route: route.dst, device: route.dev ?? '?' }];
  });
}

const linksShape = z.array(
  z
    .object({
      linkinfo: z.object({ info_kind: z.string() }).loose().optional(),
      addr_info: z.array(z.object({ local: z.string().optional() }).loose()).default([]),
    })
    .loose(),
);

/** What stands under the bridge's name although it is not the lab's bridge; undefined when the name is free or the lab's. */
export async function bridgeTaken(inventory: Inventory): Promise<string | undefined> {
  const { stdout, exitCode } = await run('ip', ['-json', '-details', 'addr', 'show', 'dev', bridgeName], {
    allowFailure: true,
  });
  if (exitCode !== 0) return undefined;
  const link = linksShape.parse(JSON.parse(stdout))[0];
  const kind = link?.linkinfo?.info_kind ?? 'an interface';
  const addresses = link?.addr_info.flatMap((address) => address.local ?? []) ?? [];
  // A bridge without addresses is one that an interrupted `lab up` left.
  const ours =
    kind === 'bridge' &&
    addresses.every((address) => address === inventory.operatorAddress || address.startsWith('fe80:'));
  return ours ? undefined : `a ${kind} with ${addresses.join(', ') || 'no address'}`;
}
