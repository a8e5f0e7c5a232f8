import { z } from 'zod';
import { run } from '../../support/command';
import { OperatorError, reason } from '../../support/failure';
import type { Inventory } from '../../support/inventory';
import { bridgeName, filterTable } from './layout';

/**
 * Production's machines (seed 000). Only to count and drop what would go to them; nothing in this project talks to them.
 */
export const productionAddresses = '192.168.1.201-192.168.1.203';

/** What the edge has counted since the lab came up, in packets. */
export interface EdgeCounters {
  /** From the lab to an address outside it: dropped. */
  outOfLab: number;
  /** From the lab to production's machines: dropped. */
  labToProduction: number;
  /** From this host (any of its processes, not only the suite's) to production's machines: counted and let through. */
  hostToProduction: number;
  /** Between the lab and another network of this host: dropped. */
  forwarded: number;
}

const names = {
  outOfLab: 'out_of_lab',
  labToProduction: 'lab_to_production',
  hostToProduction: 'host_to_production',
  forwarded: 'forwarded',
} as const;

/** The nftables rules of the lab's edge, as one table that appears and goes in one transaction. */
export function edgeRules(inventory: Inventory): string {
  const lab = `{ ${inventory.networkCidr}, ${inventory.podCidr}, ${inventory.serviceCidr} }`;
  return `table inet ${filterTable} {
  counter ${names.outOfLab} {}
  counter ${names.labToProduction} {}
  counter ${names.hostToProduction} {}
  counter ${names.forwarded} {}
  chain from_lab {
    type filter hook prerouting priority -310; policy accept;
    iifname != "${bridgeName}" return
    ip daddr ${productionAddresses} counter name ${names.labToProduction} drop
    meta pkttype host ip daddr != ${lab} counter name ${names.outOfLab} drop
    meta pkttype host meta nfproto ipv6 counter name ${names.outOfLab} drop
  }
  chain between_networks {
    type filter hook forward priority -10; policy accept;
    iifname "${bridgeName}" oifname "${bridgeName}" accept
    iifname "${bridgeName}" counter name ${names.forwarded} drop
    oifname "${bridgeName}" counter name ${names.forwarded} drop
  }
  chain from_host {
    type filter hook output priority -310; policy accept;
    ip daddr ${productionAddresses} counter name ${names.hostToProduction}
  }
}
`;
}

/** Puts the edge in place unless it stands; its counters are kept. */
export async function ensureEdge(inventory: Inventory): Promise<void> {
  if (await edgeStands()) return;
  await run('nft', ['-f', '-'], { input: edgeRules(inventory) });
}

export async function removeEdge(): Promise<void> {
  if (await edgeStands()) await run('nft', ['delete', 'table', 'inet', filterTable]);
}

export async function edgeStands(): Promise<boolean> {
  return (await run('nft', ['list', 'table', 'inet', filterTable], { allowFailure: true })).exitCode === 0;
}

const countersShape = z.object({
  nftables: z.array(
    z.object({ counter: z.object({ name: z.string(), packets: z.number() }).loose().optional() }).loose(),
  ),
});

/** Reads the edge's counters. @throws OperatorError when the edge does not stand. */
export async function edgeCounters(): Promise<EdgeCounters> {
  const { stdout, exitCode, stderr } = await run('nft', ['-j', 'list', 'counters', 'table', 'inet', filterTable], {
    allowFailure: true,
  });
  const missing = (seen: string): OperatorError =>
    new OperatorError({
      attempted: "read the counters of the lab's edge",
      expected: `nftables table ${filterTable}`,
      seen,
      next: 'run `npm run lab -- up`, which puts the edge in place.',
    });
  if (exitCode !== 0) throw missing(stderr);
  return parseCounters(stdout, missing);
}

function parseCounters(json: string, missing: (seen: string) => OperatorError): EdgeCounters {
  try {
    const counters = new Map(
      countersShape
        .parse(JSON.parse(json))
        .nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter.packets] as const] : [])),
    );
    const read = (name: string): number => counters.get(name) ?? 0;
    return {
      outOfLab: read(names.outOfLab),
      labToProduction: read(names.labToProduction),
      hostToProduction: read(names.hostToProduction),
      forwarded: read(names.forwarded),
    };
  } catch (thrown) {
    throw missing(reason(thrown));
  }
}
