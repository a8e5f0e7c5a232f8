import { join } from 'node:path';
import { stateOfDisk } from '../sandbox/lab';
import { readLabState, writeLabState, type LabState } from '../sandbox/lab-state';
import { lockHolder } from '../sandbox/lock';
import { componentStates } from '../sandbox/forge/states';
import { suiteLockFile } from '../sandbox/machines/layout';
import { isOn } from '../sandbox/machines/power';
import { listSnapshots, convergedSnapshot } from '../sandbox/machines/snapshots';
import { ArgoCdClient, appOfApps } from '../support/argocd/client';
import { judgeHealthy, judgeSynced } from '../support/argocd/probes';
import { decisive } from '../support/canary/chain';
import { eventually } from '../support/eventually';
import { readFactoryApps } from '../support/factory/repositories';
import { OperatorError } from '../support/failure';
import { readInventory } from '../support/inventory';
import { connectKubernetes } from '../support/kubernetes/client';
import { namesOf } from '../support/naming';
import { projectRoot } from '../support/paths';
import { projectCommand } from './commands';

/** Looks of a measurement come at most this far apart, in milliseconds: a second would be a sixth of the figure. */
export const fineMs = 100;

const labMain = join(projectRoot, 'sandbox', 'main.ts');

/** Runs a command of the lab as the operator does. @returns its wall time in seconds. */
export function lab(args: readonly string[], say: (line: string) => void): Promise<number> {
  return projectCommand([labMain, ...args], say);
}

/** Brings the lab up, or makes it whole, unless it is. Does nothing to one that is whole. */
export async function ensureLab(say: (line: string) => void): Promise<void> {
  const on = readInventory().machines.every(({ name }) => isOn(name));
  if (readLabState()?.status === 'up' && on) return;
  say('not measured: `lab up`');
  await lab(['up'], say);
}

/**
 * Notes on disk that the lab's machines are about to lose power: whatever ends this process, the next `lab up` makes them
 * whole, and scenarios wait for that.
 * @returns the lab's state.
 * @throws OperatorError when no lab is up.
 */
export function expectRecovery(): LabState {
  const state = stateOfDisk();
  if (state?.status !== 'up') {
    throw new OperatorError({
      attempted: 'cut the machines of the lab',
      expected: 'a lab that is up',
      seen: state === undefined ? 'none' : state.status,
      next: 'run `npm run lab -- up` first.',
    });
  }
  const recovering: LabState = { ...state, status: 'recovering' };
  writeLabState(recovering);
  return recovering;
}

/**
 * Looks before the lab is taken from under somebody. Does not hold the suite's lock: `lab up` takes no snapshot of a lab
 * that is being tested.
 * @throws OperatorError naming who tests the lab.
 */
export function assertNobodyTests(): void {
  const user = lockHolder(suiteLockFile);
  if (user === undefined) return;
  throw new OperatorError({
    attempted: 'measure the lab',
    seen: `process ${user.pid} (${user.command}) is testing it since ${user.since}`,
    next: `wait until process ${user.pid} is done and run the same command again.`,
  });
}

/**
 * @param attempted what needs every component, as a clause.
 * @throws OperatorError naming the components that are not built.
 */
export async function assertBuilt(attempted: string): Promise<void> {
  const missing = (await componentStates()).filter(({ state }) => state !== 'built').map(({ name }) => name);
  if (missing.length === 0) return;
  throw new OperatorError({
    attempted,
    seen: `not built: ${missing.join(', ')}`,
    next: 'run `npm run lab -- forge` first.',
  });
}

/** @throws OperatorError when there is no snapshot to go back to. The lab's disk must be mounted: a lab that is up has it. */
export function assertSnapshot(): void {
  if (listSnapshots().some(({ name }) => name === convergedSnapshot)) return;
  throw new OperatorError({
    attempted: 'measure `lab restore`',
    expected: `the snapshot ${convergedSnapshot}`,
    seen: 'none of that name',
    next: 'run `npm run lab -- snapshot`, or `npm run lab -- up --fresh`, which takes it.',
  });
}

/** Waits until every Application of the factory is Synced and Healthy. */
export async function untilHealthy(): Promise<void> {
  const inventory = readInventory();
  const instances = readFactoryApps().flatMap(({ name, envs }) =>
    envs.map((env) => namesOf(name, env, inventory.domain).instance),
  );
  // A lab that was made anew has a kubeconfig of its own.
  const argocd = new ArgoCdClient(connectKubernetes());
  const look = async (): ReturnType<Parameters<typeof eventually>[1]> => {
    const applications = new Map((await argocd.applications()).map((one) => [one.metadata.name, one]));
    const findings = [appOfApps, ...instances].flatMap((name) => [
      judgeSynced(name, applications.get(name)),
      judgeHealthy(name, applications.get(name)),
    ]);
    return decisive(findings);
  };
  await eventually('every Application is Synced and Healthy', look, 'recovery', { longestPauseMs: fineMs });
}
