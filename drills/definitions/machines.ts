import { connect } from 'node:net';
import { z } from 'zod';
import { runPlaybook } from '../../support/ansible/client';
import { eventually } from '../../support/eventually';
import type { Finding } from '../../support/finding';
import { clusterMachines } from '../../support/inventory';
import { judgeNodeReady } from '../../support/kubernetes/probes';
import { probeErpLast, resumeErp } from '../../support/erp-order';
import { WriteLoad } from '../../support/postgres/write-load';
import { keepFile } from '../../support/storage/client';
import { probeKept } from '../../support/storage/probes';
import { defineDrill, noLonger, type DrillContext, type DrillDefinition } from '../definition';

const nothing = z.object({});

/** Gives the app that keeps files one that must outlive the cut, acknowledged before it. */
async function keepOne({ systems, notes }: DrillContext): Promise<void> {
  notes.set('file', (await keepFile(systems.kubernetes)) ?? null);
}

/** @throws ZodError when nobody noted it: that is no file to see, which is another thing. */
function kept({ systems, notes }: DrillContext): Promise<Finding[]> {
  return probeKept(systems.kubernetes, z.string().nullable().parse(notes.get('file')) ?? undefined);
}

/** Nothing of its own is left when the runbook has brought everything back. */
const tidy = (): Promise<void> => Promise.resolve();

/** Powers every machine on and brings the cluster back as `lab up` does, without the runbook. */
async function healMachines(context: DrillContext): Promise<void> {
  const { target } = context;
  await target.power(
    clusterMachines(target.inventory).map(({ name }) => name),
    'on',
  );
  await runPlaybook('recover/power-on.yml');
  await resumeErp(context.systems.argocd);
}

async function nodeLost({ systems }: DrillContext, node: string): Promise<Finding> {
  return noLonger(judgeNodeReady(await systems.kubernetes.nodes(), node));
}

/** A machine without power does not refuse: whoever asks the API itself would wait for minutes. */
function apiGone({ target }: DrillContext): Promise<Finding> {
  const { hostname, port, host } = new URL(target.inventory.endpoints.kubernetes);
  const finding = { subject: 'API server', expected: 'no answer', source: `a connection to ${host}` };
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 2_000 });
    const end = (status: 'met' | 'unmet', actual: string) => (): void => {
      socket.destroy();
      resolve({ ...finding, status, actual });
    };
    socket.once('connect', end('unmet', 'accepts connections'));
    socket.once('timeout', end('met', 'no answer within 2 s'));
    socket.once('error', end('met', 'no connection'));
  });
}

/** Power cut of one node that holds no state. */
const agent = defineDrill({
  id: 'node-kill-agent',
  title: 'The power of pi3, which runs nothing but pods, is cut.',
  changeClasses: ['infra'],
  capabilities: ['power-cut'],
  sections: ['a-machine-is-lost', 'the-apps-come-back'],
  variables: { NODE: 'pi3' },
  memory: nothing,
  prepare: async ({ systems, observe }) => {
    const pods = await systems.kubernetes.pods();
    const there = pods
      .filter(({ spec }) => spec?.nodeName === 'pi3')
      .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
    observe('pods on pi3 before', there.join(', ') || 'none');
    return {};
  },
  inject: async (context) => {
    await keepOne(context);
    await context.target.power('pi3', 'cut');
  },
  detect: (context) => nodeLost(context, 'pi3'),
  recovered: kept,
  heal: async (context) => {
    await context.systems.kubernetes.clearTaints('pi3');
    await healMachines(context);
  },
  tidy,
  hands: {
    'node-has-no-power': ({ target }) => target.power('pi3', 'cut'),
    'node-power-on': ({ target }) => target.power('pi3', 'on'),
  },
  budgets: { detectionMs: 90_000, recoveryMs: 420_000 },
});

/** Power cut of the machine with the API server, etcd and Vault. */
const server = defineDrill({
  id: 'node-kill-server',
  title: 'The power of pi1, with the API server, etcd and Vault, is cut.',
  changeClasses: ['infra', 'vault'],
  capabilities: ['power-cut'],
  sections: ['the-server-is-lost', 'vault-is-sealed', 'the-apps-come-back'],
  variables: { NODE: 'pi1' },
  memory: nothing,
  prepare: () => Promise.resolve({}),
  inject: async (context) => {
    await keepOne(context);
    await context.target.power('pi1', 'cut');
  },
  detect: apiGone,
  recovered: kept,
  heal: healMachines,
  tidy,
  hands: { 'server-power-on': ({ target }) => target.power('pi1', 'on') },
  budgets: { detectionMs: 60_000, recoveryMs: 480_000 },
});

/** Power cut of all machines while a client writes. */
const everything = defineDrill({
  id: 'full-power-cut',
  title: 'The power of all three machines is cut at once, while a client writes.',
  changeClasses: ['infra', 'vault', 'storage', 'postgres'],
  capabilities: ['power-cut', 'three-machines'],
  sections: ['everything-is-off', 'vault-is-sealed', 'the-apps-come-back', 'erp-comes-last'],
  variables: { NODE: 'pi1' },
  memory: nothing,
  prepare: () => Promise.resolve({}),
  inject: async (context) => {
    const { target, systems, notes } = context;
    await keepOne(context);
    const load = new WriteLoad(systems.postgres);
    await load.begin();
    await eventually('a client writes', () => load.probeWriting(), 'api');
    await target.power(
      clusterMachines(target.inventory).map(({ name }) => name),
      'cut',
    );
    await load.end();
    notes.set('acknowledged', load.rows);
  },
  detect: apiGone,
  recovered: async (context) => {
    const { systems, notes } = context;
    const load = new WriteLoad(systems.postgres, z.number().parse(notes.get('acknowledged')));
    return [await load.probeNothingLost(), ...(await kept(context)), await probeErpLast(systems.kubernetes)];
  },
  heal: async (context) => {
    await healMachines(context);
    await new WriteLoad(context.systems.postgres).remove();
  },
  tidy: ({ systems }) => new WriteLoad(systems.postgres).remove(),
  hands: {
    'power-everything-on': ({ target }) =>
      target.power(
        clusterMachines(target.inventory).map(({ name }) => name),
        'on',
      ),
  },
  budgets: { detectionMs: 60_000, recoveryMs: 600_000 },
});

/** Machine drills, the gentlest first. */
export const machineDrills: readonly DrillDefinition[] = [agent, server, everything];
