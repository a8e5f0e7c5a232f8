/** The golden ratio: its multiples, taken modulo one, are spread evenly over any number of places. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * A list begun at another place every day, so that a run that is short of time tries all of it within some days.
 * @param day days since the epoch.
 */
export function turned<T>(all: readonly T[], day: number): T[] {
  const from = Math.floor(((day * goldenRatio) % 1) * all.length);
  return [...all.slice(from), ...all.slice(0, from)];
}

/** Whole days since the epoch, UTC: what `turned` turns by. */
export function daysSinceEpoch(now: number = Date.now()): number {
  return Math.floor(now / 86_400_000);
}
