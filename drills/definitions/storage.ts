import { z } from 'zod';
import { runPlaybook } from '../../support/ansible/client';
import { eventually } from '../../support/eventually';
import { compare } from '../../support/finding';
import { contentOf, documentsVolume, fileHash, imageOf, putFile, readReplicas } from '../../support/storage/client';
import { hashOf, sizeOf } from '../../support/storage/client';
import { createVolume, deleteVolume, flipBytes, scaleDocuments } from '../../support/storage/faults';
import { probeFile, probeVolumeHealthy } from '../../support/storage/probes';
import { defineDrill, type DrillDefinition } from '../definition';

const memory = z.object({
  volume: z.string(),
  /** Bytes, as the Volume says it. */
  size: z.string(),
  numberOfReplicas: z.number(),
  /** Name of the file that must survive; its content follows from it. */
  file: z.string(),
});
type Memory = z.infer<typeof memory>;

/** Storage drill: bytes of two replicas are flipped and the volume is made again, so that no replica folder belongs to it. */
export const storageDrills: readonly DrillDefinition[] = [
  defineDrill<Memory>({
    id: 'volume-corruption',
    title: 'A volume is made again with a new engine, and two of its old replicas are corrupt.',
    changeClasses: ['storage'],
    capabilities: ['ssh'],
    sections: ['a-volume-has-lost-its-replicas'],
    memory,
    prepare: async ({ systems }) => {
      const volume = await documentsVolume(systems.kubernetes);
      return { volume, ...(await sizeOf(systems.kubernetes, volume)), file: `drill-${Date.now()}.txt` };
    },
    inject: async ({ target, systems, observe }, known) => {
      const { kubernetes } = systems;
      await putFile(kubernetes, known.file, contentOf(known.file));
      const replicas = await readReplicas(kubernetes, known.volume);
      await scaleDocuments(kubernetes, 0);
      for (const one of replicas.slice(0, 2)) await flipBytes(target, one.spec.nodeID, imageOf(one), known.file);
      await deleteVolume(kubernetes, known.volume);
      await createVolume(kubernetes, known.volume, known);
      await scaleDocuments(kubernetes, 1);
      observe('engine before', replicas[0]?.spec.engineName ?? 'none');
    },
    detect: async ({ systems }, { file }) => {
      const seen = (await fileHash(systems.kubernetes, file)) ?? 'lost';
      return compare(`file ${file}`, 'lost', seen, `GET /files/${file} of the app documents`);
    },
    recovered: async ({ systems }, { volume, file }) => [
      await probeVolumeHealthy(systems.kubernetes, volume),
      await probeFile(systems.kubernetes, file, hashOf(contentOf(file))),
    ],
    heal: async ({ systems }, known) => {
      const { kubernetes } = systems;
      const served = await fileHash(kubernetes, known.file).catch(() => 'nothing');
      if (served === hashOf(contentOf(known.file))) return;
      await createVolume(kubernetes, known.volume, known);
      await scaleDocuments(kubernetes, 0);
      await runPlaybook('recover/longhorn-reassociate.yml', { extraVars: { volume: known.volume } });
      await scaleDocuments(kubernetes, 1);
      await eventually('the volume is healthy', () => probeVolumeHealthy(kubernetes, known.volume), 'rollout');
    },
    hands: {},
    budgets: { detectionMs: 90_000, recoveryMs: 300_000 },
  }),
];
