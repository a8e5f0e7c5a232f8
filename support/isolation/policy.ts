import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { OperatorError } from '../failure';
import { type Inventory, readInventory } from '../inventory';
import { formatIpv4, mappedIpv4, parseIpv4, readHost } from './addresses';
import { RefusedByBoundary, type Verdict, allowed, refused, within } from './verdict';

/** What must never be reached (seed 001: production is 192.168.1.201-203; seed 000: its public domain is arcodange.fr). */
export const production = {
  first: '192.168.1.201',
  last: '192.168.1.203',
  domain: 'arcodange.fr',
} as const;

const firstProduction = parseIpv4(production.first)?.address ?? 0;
const lastProduction = parseIpv4(production.last)?.address ?? 0;

/** True for the addresses of the production machines. */
export function isProductionAddress(address: number): boolean {
  return address >= firstProduction && address <= lastProduction;
}

/** True for the production domain and every name below it. */
export function isProductionName(name: string): boolean {
  return isBelow(name, production.domain);
}

/** The addresses of the production machines, in plain form. */
export const productionAddresses = Array.from({ length: lastProduction - firstProduction + 1 }, (_, i) =>
  formatIpv4(firstProduction + i),
);

/** What a target may be reached at. Everything else is refused. */
export interface Policy {
  /** Networks in CIDR notation. */
  networks: readonly string[];
  /** Host names, exactly. */
  names: readonly string[];
  /** Domains: the name itself and everything below it. */
  domains: readonly string[];
  /** Names whose address is known from the inventory, so that nobody is asked for it. */
  pins?: Readonly<Record<string, string>>;
}

/** Names of this machine and of a Kubernetes cluster from inside; what they resolve to is judged again at connect time. */
const ownNames = ['localhost', 'ip6-localhost', 'ip6-loopback', 'kubernetes', 'kubernetes.default'];
const ownDomains = ['localhost', 'svc', 'cluster.local'];
const loopback = ['127.0.0.0/8', '::1/128', '0.0.0.0/32', '::/128'];

/** Ranges a target's network may lie in (RFC 1918, RFC 6598, ULA, loopback): a typing mistake must not open the internet. */
const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', '127.0.0.0/8'];

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * The allow-list for a target: its own networks and names, and loopback.
 * @throws OperatorError when a network is public or unreadable, or a machine or endpoint of the inventory lies outside them.
 */
export function policyFrom(inventory: Inventory): Judge {
  const networks = [inventory.networkCidr, inventory.podCidr, inventory.serviceCidr];
  const ranges = blockList(privateRanges);
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    const sound =
      (isIPv4(address) || isIPv6(address)) &&
      /^\d+$/.test(bits) &&
      Number(bits) >= 8 &&
      Number(bits) <= (family === 'ipv4' ? 32 : 128);
    if (!sound || !ranges.check(address, family)) {
      throw new OperatorError({
        attempted: 'draw the isolation boundary',
        where: inventory.file,
        expected: 'private networks in CIDR notation',
        seen: network,
        next: 'correct network_cidr, pod_cidr and service_cidr in that file.',
        exitCode: 2,
      });
    }
  }
  const pins = Object.fromEntries(inventory.machines.map((machine) => [machine.name.toLowerCase(), machine.address]));
  const judge = new Judge({
    networks,
    names: inventory.machines.map((machine) => machine.name),
    domains: [inventory.domain],
    pins,
  });
  const places = [
    ...inventory.machines.map((machine) => machine.address),
    ...Object.values(inventory.endpoints),
    inventory.operatorAddress,
    inventory.clusterDns,
    inventory.nameServer,
  ];
  for (const place of places) {
    const verdict = judge.host(place.replace(/^[a-z]+:\/\//, '').replace(/[:/].*$/, ''));
    if (!verdict.allowed) throw new RefusedByBoundary(within(inventory.file, verdict));
  }
  return judge;
}

/** Decides about hosts under one policy. Compiled once, then well below a millisecond a host. */
export class Judge {
  readonly policy: Policy;
  private readonly list: BlockList;
  private readonly own: BlockList;
  private readonly names: ReadonlySet<string>;
  private readonly domains: readonly string[];

  constructor(policy: Policy) {
    this.policy = policy;
    this.list = blockList(policy.networks);
    this.own = blockList(loopback);
    this.names = new Set([...ownNames, ...policy.names.map((name) => name.toLowerCase())]);
    this.domains = [...ownDomains, ...policy.domains.map((domain) => domain.toLowerCase())];
  }

  /** Judges one host in any spelling: no scheme, user or port. Sends nothing and looks nothing up. */
  host(text: string): Verdict {
    const reading = readHost(text);
    const shown = printable(text);
    switch (reading.kind) {
      case 'unreadable':
        return refused(shown, 'unreadable', reading.why);
      case 'ipv4': {
        const hit = [reading.address, ...reading.alternatives]
          .filter((address) => address !== undefined)
          .find(isProductionAddress);
        if (hit !== undefined)
          return refused(shown, 'production-address', `it means ${formatIpv4(hit)}, a production machine`);
        if (reading.address === undefined)
          return refused(shown, 'unreadable', 'it is a number that is no IPv4 address');
        return this.literal(shown, reading.text, 'ipv4');
      }
      case 'ipv6': {
        const hit = reading.embedded.find(isProductionAddress);
        if (hit !== undefined)
          return refused(shown, 'production-address', `it carries ${formatIpv4(hit)}, a production machine`);
        const mapped = mappedIpv4(reading.address);
        return mapped === undefined
          ? this.literal(shown, reading.text, 'ipv6')
          : this.literal(shown, formatIpv4(mapped), 'ipv4');
      }
      case 'name':
        return this.name(shown, reading.name);
    }
  }

  /** The judge that takes names by what they are called alone, where a text merely mentions them. */
  byNameOnly(): Judge {
    return this;
  }

  private literal(shown: string, address: string, family: 'ipv4' | 'ipv6'): Verdict {
    if (this.own.check(address, family)) return allowed(shown, 'this machine');
    if (this.list.check(address, family)) return allowed(shown, "the target's own network");
    return refused(
      shown,
      'outside',
      `${address} lies in none of the target's networks (${this.policy.networks.join(', ')})`,
    );
  }

  private name(shown: string, name: string): Verdict {
    if (isProductionName(name))
      return refused(shown, 'production-name', `${production.domain} and everything below it is production`);
    if (this.names.has(name) || this.domains.some((domain) => isBelow(name, domain)))
      return allowed(shown, 'a name of the target');
    return refused(shown, 'outside', 'it is no name of the target');
  }
}

function isBelow(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** A text fit for a terminal: control characters shown as escapes, never a whole document. */
export function printable(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"');
  return escaped.length > 120 ? `${escaped.slice(0, 117)}...` : escaped;
}

let current: Judge | undefined;

/** The judge for the target in use, from its inventory; made at first use. */
export function currentJudge(): Judge {
  current ??= policyFrom(readInventory());
  return current;
}
