import { reason } from '../failure';
import type { Observation } from './compare';
import { itemNames, type ParityItem, type ParityValue } from './manifest';

/** A value of the live target and where it was read. */
export interface Observed {
  value: ParityValue;
  source: string;
}

/** Reads one item from the live target; throws when it cannot. */
export type ParityObserver = Record<ParityItem, () => Promise<Observed>>;

/** Observes every item at once. One that cannot be observed does not hinder the others. */
export async function observeAll(observer: ParityObserver): Promise<Record<ParityItem, Observation>> {
  const observations = await Promise.all(
    itemNames.map(async (item): Promise<[ParityItem, Observation]> => {
      try {
        return [item, await observer[item]()];
      } catch (thrown) {
        return [item, { error: reason(thrown), source: item }];
      }
    }),
  );
  return Object.fromEntries(observations) as Record<ParityItem, Observation>;
}

/**
 * One version that several witnesses must agree on: the image that was deployed and the program that answers. When
 * they differ, all are said, so that the comparison shows the disagreement as drift.
 */
export function agreed(witnesses: Record<string, string>): string {
  const versions = new Set(Object.values(witnesses));
  if (versions.size === 0) throw new Error('nothing of it is running');
  const [only] = versions;
  if (versions.size === 1 && only !== undefined) return only;
  return Object.entries(witnesses)
    .map(([witness, version]) => `${witness} ${version}`)
    .join(', ');
}

/** The tag of an image reference; `untagged` when it has none. A digest and a registry's port are not tags. */
export function imageTag(image: string): string {
  const name = image.split('@')[0] ?? '';
  return /:([^/:]+)$/.exec(name)?.[1] ?? 'untagged';
}
