import { OperatorError, reason } from '../support/failure';
import { interruption, shielded } from '../support/interruption';
import type { BenchContext, Benchmark, Unit } from './benchmark';
import { thisCommit, thisMachine } from './machine';
import type { Result } from './results';
import { ratioOf, summarize } from './statistics';
import { figure } from './tables';

/** How many runs a benchmark gets when nobody says otherwise: the least that has a median. */
export const defaultRuns = 3;

/**
 * Measures one benchmark: all its runs, each after one of its peer. What it leaves of the lab is usable, whatever happened.
 * @throws OperatorError when a run failed or was interrupted: a benchmark with a run missing has no result.
 */
export async function measure(benchmark: Benchmark, runs: number, say: (line: string) => void): Promise<Result> {
  const { name, what, unit, goal, peer } = benchmark;
  const about = { name, what, unit, ...(goal === undefined ? {} : { goal }) };
  const from = { when: new Date().toISOString(), commit: await thisCommit(), machine: thisMachine() };
  const figures: number[] = [];
  const peers: number[] = [];
  const parts = new Parts(unit);
  const context: BenchContext = { say, part: (part, value, other) => parts.add(part, value, other) };
  // A peer's own parts are nobody's question.
  const besides: BenchContext = { say, part: () => undefined };
  let failure: unknown;
  try {
    for (let index = 1; index <= runs; index++) {
      if (peer !== undefined) {
        await benchmark.before?.(context);
        interruption()?.throwIfAborted();
        peers.push(await peer.run(besides));
        say(`peer ${index} of ${runs}: ${figure(peers.at(-1) ?? 0)} ${unit}`);
      }
      await benchmark.before?.(context);
      interruption()?.throwIfAborted();
      figures.push(await benchmark.run(context));
      interruption()?.throwIfAborted();
      say(`run ${index} of ${runs}: ${figure(figures.at(-1) ?? 0)} ${unit}`);
    }
  } catch (thrown) {
    failure = thrown;
  }
  await shielded(async () => benchmark.after?.(context)).catch((thrown: unknown) => {
    failure = failure === undefined ? thrown : bothFailed(name, failure, thrown);
  });
  if (failure !== undefined) throw failure;
  const own = summarize(figures);
  return { ...about, ...from, ...own, parts: parts.summaries(), ...(peer ? { peer: compared(peer.what) } : {}) };

  function compared(peerIs: string): Result['peer'] {
    const summary = summarize(peers);
    const ratio = ratioOf(own, summary);
    return { what: peerIs, ...summary, ...(ratio === undefined ? {} : { ratio }) };
  }
}

function bothFailed(name: string, first: unknown, second: unknown): OperatorError {
  return new OperatorError({
    attempted: `finish benchmark ${name}`,
    seen: `${reason(first)} And then: ${reason(second)}`,
    next: 'run `npm run lab -- up`, which makes the lab whole, and measure again.',
    cause: new AggregateError([first, second]),
  });
}

/** The parts of all runs, by name. */
class Parts {
  private readonly figures = new Map<string, { unit: Unit; runs: number[] }>();

  constructor(private readonly unit: Unit) {}

  add(name: string, value: number, unit: Unit = this.unit): void {
    const known = this.figures.get(name) ?? { unit, runs: [] };
    this.figures.set(name, { unit, runs: [...known.runs, value] });
  }

  summaries(): Result['parts'] {
    return Object.fromEntries([...this.figures].map(([name, { unit, runs }]) => [name, { unit, ...summarize(runs) }]));
  }
}
