import { holdLab } from '../sandbox/lab-hold';
import { mediaOver } from '../sandbox/machines/media';
import { powerCut, powerOn } from '../sandbox/machines/power';
import { accepts, untilReachable } from '../sandbox/machines/reach';
import { run } from '../support/command';
import { eventually } from '../support/eventually';
import type { Finding } from '../support/finding';
import { clusterMachines, readInventory } from '../support/inventory';
import { loadApis } from '../support/kubernetes/apis';
import { readKubeconfig } from '../support/kubernetes/client';
import { assertNobodyTests, ensureLab, expectRecovery, fineMs } from './lab';
import { freshlyReady } from './fresh-nodes';
import type { BenchContext, Benchmark } from './benchmark';

/** How long the cluster takes to come back after the power was cut. */
export const nodesReady: Benchmark = {
  name: 'nodes-ready',
  what: 'from the power-on of the three cut machines, all at once, until three nodes are Ready by a heartbeat that is younger than the power-on',
  unit: 's',
  goal: 'at most 6 s',
  touches: 'cuts the three machines; made whole by `lab up` afterwards',
  before: async ({ say }) => {
    assertNobodyTests();
    await ensureLab(say);
  },
  run: cutAndPowerOn,
  peer: {
    what: 'three bare sets of the same kinds of namespaces, made at once by unshare(1), that run `true`: what the kernel takes; no root file system, no services, no cluster',
    run: async () => {
      const began = performance.now();
      const kinds = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork'];
      await Promise.all(Array.from({ length: 3 }, () => run('unshare', [...kinds, 'true'])));
      return (performance.now() - began) / 1000;
    },
  },
  after: ({ say }) => ensureLab(say),
};

async function cutAndPowerOn({ say, part }: BenchContext): Promise<number> {
  const inventory = readInventory();
  const machines = clusterMachines(inventory);
  const hold = await holdLab();
  try {
    const media = mediaOver(expectRecovery().base);
    await Promise.all(machines.map(({ name }) => powerCut(name)));
    say(`${machines.map(({ name }) => name).join(', ')} cut; powering on`);
    const poweredOn = Date.now();
    const began = performance.now();
    const elapsed = (): number => (performance.now() - began) / 1000;
    await Promise.all(machines.map((machine) => powerOn(inventory, machine, media)));
    part('machines booted', elapsed());
    const reachable = Promise.all(machines.map(untilReachable)).then(() => part('machines answer by SSH', elapsed()));
    await Promise.all([untilNodesReady(inventory.endpoints.kubernetes, machines.length, poweredOn), reachable]);
    return elapsed();
  } finally {
    hold.release();
  }
}

/** Without the client's own repetitions, which would pause while the API server is not there yet. */
async function untilNodesReady(endpoint: string, count: number, since: number): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  const { core } = await loadApis(readKubeconfig());
  const look = async (): Promise<Finding> => {
    if (await accepts(hostname, Number(port))) return freshlyReady((await core.listNode()).items, count, since);
    return {
      subject: 'the API server',
      status: 'unmet',
      expected: 'connections accepted',
      actual: 'not accepted',
      source: endpoint,
    };
  };
  await eventually(`${count} nodes are Ready since the power-on`, look, 'boot', { longestPauseMs: fineMs });
}
