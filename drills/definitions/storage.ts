import { z } from 'zod';
import { runPlaybook } from '../../support/ansible/client';
import { makeBackup } from '../../support/backups/backups';
import { eventually } from '../../support/eventually';
import { compare, type Finding } from '../../support/finding';
import { contentOf, documentsVolume, fileHash, imageOf, putFile, readReplicas } from '../../support/storage/client';
import { hashOf, readVolume, sizeOf } from '../../support/storage/client';
import { createVolume, deleteVolume, flipBytes, removeReplicaFolders } from '../../support/storage/faults';
import { scaleDocuments } from '../../support/storage/faults';
import { probeFile, probeVolumeHealthy } from '../../support/storage/probes';
import { defineDrill, noLonger, type DrillContext, type DrillDefinition } from '../definition';

const memory = z.object({
  volume: z.string(),
  /** Bytes, as the Volume says it. */
  size: z.string(),
  numberOfReplicas: z.number(),
});

const corruptMemory = memory.extend({
  /** Name of the file that must survive; its content follows from it. */
  file: z.string(),
  /** From before: a file that was never written is not lost. */
  engine: z.string(),
});

/** Two files of the drill's own: one from before the backup, which must survive, and one from after it. */
const lostMemory = memory.extend({ kept: z.string(), later: z.string() });

/** The engine that a volume's replicas belong to. */
async function engineOf({ kubernetes }: DrillContext['systems'], volume: string): Promise<string> {
  return (await readReplicas(kubernetes, volume))[0]?.spec.engineName ?? 'none';
}

async function probeKept(
  { systems, observe, notes }: DrillContext,
  { kept, later }: z.infer<typeof lostMemory>,
): Promise<Finding> {
  const found = await probeFile(systems.kubernetes, kept, hashOf(contentOf(kept)));
  const seen = (await fileHash(systems.kubernetes, later)) === undefined ? 'not there' : 'there';
  if (!notes.has('lost')) observe('lost', `files written after the backup: ${later}, which is ${seen}; kept: ${kept}`);
  notes.set('lost', true);
  return found;
}

/**
 * Storage drills: bytes of two replicas are flipped and the volume is made again, so that no replica folder belongs to it; and
 * a volume is deleted with everything that the machines have of it.
 */
export const storageDrills: readonly DrillDefinition[] = [
  defineDrill<z.infer<typeof corruptMemory>>({
    id: 'volume-corruption',
    title: 'A volume is made again with a new engine, and two of its old replicas are corrupt.',
    changeClasses: ['storage'],
    capabilities: ['ssh'],
    sections: ['a-volume-has-lost-its-replicas'],
    memory: corruptMemory,
    prepare: async ({ systems }) => {
      const volume = await documentsVolume(systems.kubernetes);
      const engine = await engineOf(systems, volume);
      return { volume, ...(await sizeOf(systems.kubernetes, volume)), file: `drill-${Date.now()}.txt`, engine };
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
      observe('engine before', known.engine);
    },
    detect: async ({ systems }, { volume, engine, file }) => {
      const source = `GET /files/${file} of the app documents`;
      if ((await engineOf(systems, volume)) === engine)
        return compare(`file ${file}`, 'lost', 'its engine is the same', source);
      return compare(`file ${file}`, 'lost', (await fileHash(systems.kubernetes, file)) ?? 'lost', source);
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
  defineDrill<z.infer<typeof lostMemory>>({
    id: 'volume-lost',
    title: 'A volume is deleted, and with it every replica on the machines.',
    changeClasses: ['storage'],
    capabilities: ['ssh'],
    sections: ['a-volume-is-lost'],
    memory: lostMemory,
    prepare: async ({ systems }) => {
      const volume = await documentsVolume(systems.kubernetes);
      const [kept, later] = ['kept', 'later'].map((when) => `drill-${when}-${Date.now()}.txt`) as [string, string];
      return { volume, ...(await sizeOf(systems.kubernetes, volume)), kept, later };
    },
    inject: async ({ target, systems }, { volume, kept, later }) => {
      const { kubernetes } = systems;
      await putFile(kubernetes, kept, contentOf(kept));
      await makeBackup(target, 'volumes');
      await putFile(kubernetes, later, contentOf(later));
      await scaleDocuments(kubernetes, 0);
      await deleteVolume(kubernetes, volume);
      await removeReplicaFolders(target, volume);
      await scaleDocuments(kubernetes, 1);
    },
    detect: async ({ systems }, { volume }) => noLonger(await probeVolumeHealthy(systems.kubernetes, volume)),
    recovered: async (context, known) => [
      await probeVolumeHealthy(context.systems.kubernetes, known.volume),
      await probeKept(context, known),
    ],
    heal: async ({ target, systems }, { volume, kept }) => {
      const { kubernetes } = systems;
      const served = await fileHash(kubernetes, kept).catch(() => 'nothing');
      if (served === hashOf(contentOf(kept))) return;
      await scaleDocuments(kubernetes, 0);
      // A drill that ended between the two leaves folders behind, which the next one would find.
      if ((await readVolume(kubernetes, volume)) === undefined) await removeReplicaFolders(target, volume);
      await runPlaybook('recover/longhorn-restore.yml', { extraVars: { volume } });
      await scaleDocuments(kubernetes, 1);
      await eventually('the volume is healthy', () => probeVolumeHealthy(kubernetes, volume), 'rollout');
    },
    hands: {},
    budgets: { detectionMs: 90_000, recoveryMs: 300_000 },
  }),
];
