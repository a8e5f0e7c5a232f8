import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { oneLine, readRoot } from '../../support/pki/client';
import { caReinitialised } from '../../support/pki/faults';
import { probeCertificates, probeDistrusted, probePki } from '../../support/pki/probes';
import { worst } from '../../support/finding';
import { defineDrill, type DrillDefinition } from '../definition';

const memory = z.object({
  /** The root that was trusted before, PEM. */
  oldRoot: z.string(),
});
type Memory = z.infer<typeof memory>;

/** PKI drill: the private CA is made anew, and nothing it ever issued may be trusted any more. */
export const pkiDrills: readonly DrillDefinition[] = [
  defineDrill<Memory>({
    id: 'pki-reissue',
    title: 'The private CA is initialised again, with a new root.',
    changeClasses: ['pki'],
    capabilities: ['ssh'],
    sections: ['the-private-ca-has-a-new-root'],
    memory,
    prepare: async ({ target }) => ({ oldRoot: (await readRoot(target)).toString() }),
    inject: (context) => caReinitialised.plant(context),
    detect: async ({ target, systems }, { oldRoot }) => {
      const [root, found] = await Promise.all([readRoot(target), probeCertificates(target, systems.kubernetes)]);
      const another = root.fingerprint256 !== new X509Certificate(oldRoot).fingerprint256;
      const broken = found.filter(({ status }) => status === 'unmet');
      return {
        subject: 'Certificates',
        status: another && broken.length > 0 ? 'met' : 'unmet',
        expected: 'a root that they do not lead to',
        actual: broken[0]?.actual ?? `all of them lead to ${oneLine(root.subject)}`,
        source: 'secrets of the Certificates, and the root on the machine of the CA',
      };
    },
    recovered: async ({ target, systems }, { oldRoot }) => [
      ...(await probePki(target, systems.kubernetes)),
      ...(await probeDistrusted(target, new X509Certificate(oldRoot))),
    ],
    // Only what the fault left undone: a PKI that is whole is left alone.
    heal: async (context) => {
      const found = await probePki(context.target, context.systems.kubernetes);
      if (worst(found) !== 'met') await caReinitialised.heal(context);
    },
    hands: {},
    budgets: { detectionMs: 60_000, recoveryMs: 300_000 },
  }),
];
