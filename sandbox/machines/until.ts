import { AwaitTimeout, eventually } from '../../support/eventually';

/**
 * Waits until a condition of this host holds, which the kernel brings about by itself (processes that end, mounts that
 * are released).
 * @param what the awaited state as a clause.
 * @param left what still stands in the way; nothing left ends the wait.
 * @throws AwaitTimeout when it does not come about in `ms` (default 10 s).
 */
export async function until(what: string, left: () => Promise<string[]> | string[], ms = 10_000): Promise<void> {
  await eventually(
    what,
    async () => {
      const inTheWay = await left();
      const actual = inTheWay.length === 0 ? 'nothing is left' : inTheWay.join(', ');
      return {
        subject: what,
        status: inTheWay.length === 0 ? 'met' : 'unmet',
        expected: 'nothing left',
        actual,
        source: 'the kernel of this host',
        hint: 'run `npm run lab -- down`, which clears what is left, then `npm run lab -- up`.',
      };
    },
    { ms },
  );
}

/** Waits likewise, but goes on when the time is up. @returns whether the condition came about. */
export async function untilOrGoOn(what: string, left: () => string[], ms: number): Promise<boolean> {
  try {
    await until(what, left, ms);
    return true;
  } catch (thrown) {
    if (thrown instanceof AwaitTimeout) return false;
    throw thrown;
  }
}
