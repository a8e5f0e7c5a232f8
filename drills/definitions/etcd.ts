import { z } from 'zod';
import { runPlaybook } from '../../support/ansible/client';
import { makeBackup } from '../../support/backups/backups';
import { compare, type Finding } from '../../support/finding';
import { overwriteEtcd } from '../../support/kubernetes/faults';
import { probeEtcdServes } from '../../support/kubernetes/probes';
import { defineDrill, noLonger, type DrillContext, type DrillDefinition } from '../definition';

const nothing = z.object({});
/** Where etcd runs. */
const machine = 'pi1';

/** Two objects of the drill's own, which nothing else looks at: one from before the backup, one from after it. */
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
const namespace = 'default';
const [before, after] = ['drill-before-the-backup', 'drill-after-the-backup'];

function create({ systems }: DrillContext, name: string): Promise<void> {
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec: {} };
  return systems.kubernetes.createResource(leases, namespace, body);
}

async function removeBoth({ systems }: DrillContext): Promise<void> {
  for (const name of [before, after]) await systems.kubernetes.deleteResource(leases, namespace, name);
}

async function probeKept({ systems, observe, notes }: DrillContext): Promise<Finding> {
  const own = z.object({ metadata: z.object({ name: z.string() }) });
  const seen = await Promise.all(
    [before, after].map((name) => systems.kubernetes.resource(leases, namespace, name, own)),
  );
  const kept = seen.flatMap((one) => (one === undefined ? [] : [one.metadata.name])).join(', ') || 'none';
  if (!notes.has('lost')) observe('lost', `objects made after the backup: ${after}; kept: ${kept}`);
  notes.set('lost', true);
  const hint = 'an object from after the backup cannot be there';
  return compare('objects of the drill', before, kept, `GET leases of ${namespace}`, hint);
}

/** etcd cannot open what it has written, and comes back from the bucket. */
export const etcdDrills: readonly DrillDefinition[] = [
  defineDrill({
    id: 'etcd-damaged',
    title: 'etcd is stopped and the beginning of its database overwritten.',
    changeClasses: ['infra'],
    capabilities: ['ssh'],
    sections: ['etcd-is-damaged', 'the-apps-come-back'],
    variables: { NODE: machine },
    memory: nothing,
    prepare: () => Promise.resolve({}),
    inject: async (context) => {
      await removeBoth(context);
      await create(context, before);
      await makeBackup(context.target, 'etcd');
      await create(context, after);
      await overwriteEtcd(context.target, machine);
    },
    detect: async ({ target }) => noLonger(await probeEtcdServes(target, machine)),
    recovered: async (context) => [await probeEtcdServes(context.target, machine), await probeKept(context)],
    heal: async (context) => {
      await runPlaybook('recover/etcd-restore.yml');
      await runPlaybook('recover/workloads.yml');
      await removeBoth(context);
    },
    tidy: removeBoth,
    hands: {},
    budgets: { detectionMs: 60_000, recoveryMs: 420_000 },
  }),
];
