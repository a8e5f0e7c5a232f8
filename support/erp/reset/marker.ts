import { z } from 'zod';
import { skipReconcile } from '../../argocd/client';
import type { Systems } from '../../systems';
import { sandbox } from '../instances';

/** What a reset is doing, in order. From `wiping` on the sandbox's data is not what it was. */
export const resetStates = [
  'stopping',
  'wiping',
  'restoring',
  'verifying',
  'overlaying',
  'copying',
  'starting',
] as const;
export type ResetState = (typeof resetStates)[number];

/** States in which a reset that died has left the sandbox's data incomplete. */
export const halfReset: readonly ResetState[] = ['wiping', 'restoring', 'verifying', 'overlaying', 'copying'];

const markerShape = z.object({
  state: z.enum(resetStates),
  golden: z.string(),
  since: z.string(),
  /** Whether it was asked for production's `documents/`: whoever goes on copies them as well. */
  documents: z.boolean().default(false),
});
export type ResetMarker = z.infer<typeof markerShape>;

const markerAnnotation = 'sandbox-acceptance/reset';

/**
 * The mark of a reset under way, on the sandbox's Application: every machine sees it, it outlives whoever set it, and it is
 * the same write that makes Argo CD leave the instance alone, whose pods it must not start again while they are stopped.
 */
export async function readMarker({ argocd }: Systems): Promise<ResetMarker | undefined> {
  const text = (await argocd.application(sandbox.instance))?.metadata.annotations?.[markerAnnotation];
  return text === undefined ? undefined : markerShape.parse(JSON.parse(text));
}

export async function setMarker({ argocd }: Systems, marker: ResetMarker): Promise<void> {
  const annotations = { [markerAnnotation]: JSON.stringify(marker), [skipReconcile]: 'true' };
  await argocd.patch(sandbox.instance, { metadata: { annotations } });
}

/** The sandbox is whole: Argo CD takes over again. */
export async function clearMarker({ argocd }: Systems): Promise<void> {
  await argocd.patch(sandbox.instance, {
    metadata: { annotations: { [markerAnnotation]: null, [skipReconcile]: null } },
  });
}
