import '../kubernetes/failure-context';
import { z } from 'zod';
import { appOfApps } from '../argocd/client';
import { eventually } from '../eventually';
import { worst, type Finding } from '../finding';
import { namesOf } from '../naming';
import { connectSystems, type Systems } from '../systems';
import { defineUndo } from '../undo';
import { decisive, runChain } from './chain';
import { probeGone } from './gone';
import type { CanaryContext, ChainResult } from './link';
import { chain } from './links';
import { assertThrowaway } from './strays';
import { plantTypo } from './typos';
import { undoCanary } from './undo';
import { Workspace } from './workspace';

/** Removes a throwaway app, also in a later process: it needs nothing but the app's name. */
export const canaryUndo = defineUndo({
  name: 'canary',
  args: z.object({ app: z.string() }),
  needs: ['apps'],
  run: async ({ app }) => {
    await removeCanary(connectSystems(), app);
  },
});

/** Prepares a run: clients, names, and the working copy with the app added. Nothing in the sandbox is changed yet. */
export async function prepareCanary(app: string): Promise<CanaryContext> {
  assertThrowaway(app);
  const systems = connectSystems();
  const names = namesOf(app, 'prod', systems.inventory.domain);
  return { systems, names, workspace: await Workspace.prepare(systems, names) };
}

/** Makes a typo in the working copy. @throws OperatorError when the artefact has no such typo. */
export async function mistype(context: CanaryContext, artefact: string): Promise<void> {
  await plantTypo(context.workspace, artefact);
}

/** Drives the whole chain. Never throws for a broken link. */
export async function driveChain(context: CanaryContext): Promise<ChainResult> {
  return runChain(chain, context);
}

/** Takes the app out of every system and waits until each says that nothing is left. Returns what each system said. */
export async function removeCanary(systems: Systems, app: string): Promise<Finding[]> {
  const names = namesOf(app, 'prod', systems.inventory.domain);
  let left = await probeGone(systems, names);
  if (worst(left) === 'met') return left;
  await undoCanary(systems, names);
  const look = async (): Promise<Finding> => {
    left = await probeGone(systems, names);
    // A comparison that failed is not made again for minutes unless somebody asks.
    if (left.some((finding) => finding.status !== 'met')) await systems.argocd.refresh(appOfApps);
    return decisive(left);
  };
  await eventually(`${app} is gone from every system`, look, 'deletion');
  return left;
}
