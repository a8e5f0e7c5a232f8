import { z } from 'zod';
import { eventually } from '../../support/eventually';
import type { Finding } from '../../support/finding';
import { probeLeaseRenews, probeReauthenticated, probeSecretReaches } from '../../support/vault/after-seal';
import { vaultSealed } from '../../support/vault/faults';
import { probeUnsealed } from '../../support/vault/probes';
import { changeConfig, restoreConfig } from '../../support/vault/config-marker';
import { defineDrill, noLonger, type DrillContext, type DrillDefinition } from '../definition';

const memory = z.object({
  /** The instance whose secrets are changed and looked at. */
  instance: z.string(),
  /** Written into its config after the recovery. */
  marker: z.string(),
  /** When the drill began, ISO 8601: the secrets operator must have logged in since. */
  since: z.string(),
});
type Memory = z.infer<typeof memory>;

/** Vault's pod; a restarted Vault is sealed. */
const pod = { namespace: 'vault', name: 'vault-0' };

function vaultDrill(id: string, title: string, inject: (context: DrillContext) => Promise<void>): DrillDefinition {
  return defineDrill<Memory>({
    id,
    title,
    changeClasses: ['vault'],
    capabilities: ['ssh'],
    sections: ['vault-is-sealed', 'the-apps-come-back'],
    memory,
    prepare: () => {
      const now = new Date();
      return Promise.resolve({ instance: 'url-shortener', marker: `drill-${now.getTime()}`, since: now.toISOString() });
    },
    inject,
    detect: async ({ systems }) => noLonger(await probeUnsealed(systems.vault)),
    recovered: async ({ systems }, { instance, since }) => [
      await probeReauthenticated(systems, since),
      await probeLeaseRenews(systems, instance),
    ],
    exercise: {
      act: ({ systems }, { instance, marker }) => changeConfig(systems.vault, instance, marker),
      proof: async ({ systems }, { instance, marker }) => [
        await probeSecretReaches(systems.kubernetes, instance, marker),
      ],
    },
    heal: async (context, { instance }) => {
      const { systems } = context;
      await eventually('Vault answers', async () => answered(await systems.vault.sealStatus()), 'rollout');
      await vaultSealed.heal(context);
      await restoreConfig(systems.vault, instance);
      // It is on its way for some seconds: until the pods are replaced, whatever comes next would meet a rollout.
      const reaches = (): Promise<Finding> => probeSecretReaches(systems.kubernetes, instance);
      await eventually('the pod has its configuration as before', reaches, 'recovery');
    },
    hands: {},
    budgets: { detectionMs: 60_000, recoveryMs: 300_000 },
  });
}

/** Vault drills: the operator's shares unseal it, and the secrets operator logs in anew. */
export const vaultDrills: readonly DrillDefinition[] = [
  vaultDrill('vault-seal', 'Vault is sealed.', ({ systems }) => systems.vault.write('sys/seal', {})),
  vaultDrill('vault-restart', 'Vault is restarted and comes back sealed.', ({ systems }) =>
    systems.kubernetes.deletePod(pod.namespace, pod.name),
  ),
];

function answered({ initialized }: { initialized: boolean }): Finding {
  const actual = initialized ? 'initialised' : 'not initialised';
  const status = initialized ? 'met' : 'unmet';
  return { subject: 'Vault', status, expected: 'initialised', actual, source: 'GET sys/seal-status' };
}
