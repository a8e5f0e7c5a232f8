import { z } from 'zod';

/** Figures of several runs: all of them, and what a table shows. */
export const summaryShape = z.object({
  /** In the order in which they were measured. */
  runs: z.array(z.number().nonnegative()).min(1),
  min: z.number(),
  median: z.number(),
  max: z.number(),
});
export type Summary = z.infer<typeof summaryShape>;

/** @throws RangeError when there is no run, or a figure that is none. */
export function summarize(runs: readonly number[]): Summary {
  const wrong = runs.find((value) => !Number.isFinite(value) || value < 0);
  if (runs.length === 0 || wrong !== undefined) throw new RangeError(`no figures to summarize: ${wrong ?? 'no run'}`);
  const sorted = [...runs].sort((one, other) => one - other);
  const at = (index: number): number => sorted[index] ?? 0;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { runs: [...runs], min: at(0), median, max: at(sorted.length - 1) };
}

/** How many times the peer's median this one is; undefined when the peer's is 0. */
export function ratioOf(own: Summary, peer: Summary): number | undefined {
  return peer.median === 0 ? undefined : own.median / peer.median;
}
