import type { Inventory } from '../inventory';
import { readInventory } from '../inventory';
import { connectSystems } from '../systems';
import type { ParityInput } from './compare';
import { liveObserver } from './live';
import { readDeviations, readManifest, type ParityItem } from './manifest';
import { observeAll } from './observe';

/** The factory's manifest and the target's declared deviations, nothing observed yet. @throws OperatorError */
export function prepareParity(target: string, now: Date): ParityInput {
  return { target, expectations: readManifest(), deviations: readDeviations(target), observations: {}, now };
}

/** Asks the live sandbox for every item. @throws OperatorError when a credential of the sandbox is missing. */
export async function observeParity(gate: ParityInput, inventory: Inventory = readInventory()): Promise<ParityInput> {
  return { ...gate, observations: await observeAll(liveObserver(connectSystems(inventory))) };
}

/** The same gate for a production that runs `value`: a scenario plants drift this way, on the manifest's side. */
export function expecting(gate: ParityInput, item: ParityItem, value: string): ParityInput {
  const others = gate.expectations.filter((expectation) => expectation.item !== item);
  return { ...gate, expectations: [...others, { item, expected: value, basis: 'planted by the scenario' }] };
}

/** The same gate for a target that declares `value` as its deviation until the day `expires`. */
export function declaring(gate: ParityInput, item: ParityItem, value: string, expires: string): ParityInput {
  const others = gate.deviations.filter((deviation) => deviation.item !== item);
  const planted = { item, observed: value, reason: 'planted by the scenario', expires };
  return { ...gate, deviations: [...others, planted] };
}
