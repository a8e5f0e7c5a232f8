import type { Inventory } from '../inventory';
import { readInventory } from '../inventory';
import { connectSystems } from '../systems';
import type { ParityInput } from './compare';
import { liveObserver } from './live';
import { readDeviations, readManifest } from './manifest';
import { observeAll } from './observe';

/** The factory's manifest and the target's declared deviations, nothing observed yet. @throws OperatorError */
export function prepareParity(target: string, now: Date): ParityInput {
  return { target, expectations: readManifest(), deviations: readDeviations(target), observations: {}, now };
}

/** Asks the live sandbox for every item. @throws OperatorError when a credential of the sandbox is missing. */
export async function observeParity(gate: ParityInput, inventory: Inventory = readInventory()): Promise<ParityInput> {
  return { ...gate, observations: await observeAll(liveObserver(connectSystems(inventory))) };
}
