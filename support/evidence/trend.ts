import { OperatorError } from '../failure';
import { entries } from './ledger/find';

/** One drill, once. */
export interface DrillRun {
  id: string;
  /** ISO 8601. */
  at: string;
  verdict: string;
  /** Time to recover; undefined when it did not. */
  seconds?: number;
}

/** Every run of every drill, by drill, in the order of the ledger. */
export function drillRuns(folder: string, drill?: string): Map<string, DrillRun[]> {
  const runs = new Map<string, DrillRun[]>();
  const words = drill === undefined ? '"drills":[' : `"name":${JSON.stringify(drill)},"verdict"`;
  for (const { id, entry } of entries(folder, (bytes) => bytes.includes(words))) {
    for (const { name, verdict, recoverySeconds } of entry?.drills ?? []) {
      if (drill !== undefined && name !== drill) continue;
      const seconds = recoverySeconds === undefined ? {} : { seconds: recoverySeconds };
      runs.set(name, [...(runs.get(name) ?? []), { id, at: entry?.ended ?? '', verdict, ...seconds }]);
    }
  }
  return runs;
}

const barWidth = 40;
/** How many runs of a drill the terminal shows. */
const shown = 20;

/** Time to recover over time, a bar a run; `!` where it took more than half as long again as the median of those before. */
export function trendText(folder: string, drill?: string): string {
  const all = drillRuns(folder, drill);
  if (all.size === 0) {
    throw new OperatorError({
      attempted: 'draw the trend',
      where: folder,
      seen: drill === undefined ? 'no drill in this ledger' : `no run of drill ${drill}`,
      next: 'run a drill: `npm run drill -- run vault-seal`.',
      exitCode: 2,
    });
  }
  return [...all]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, runs]) => section(name, runs))
    .join('\n\n');
}

function section(name: string, runs: readonly DrillRun[]): string {
  const longest = Math.max(1, ...runs.map(({ seconds }) => seconds ?? 0));
  const rows = runs.slice(-shown).map((run, index, list) => {
    const before = runs.slice(0, runs.length - list.length + index);
    const bar = '█'.repeat(Math.round(((run.seconds ?? 0) / longest) * barWidth)).padEnd(barWidth);
    const time = run.seconds === undefined ? 'not recovered' : `${run.seconds.toFixed(1)} s`;
    const mark = regressed(run, before) ? ' !' : '';
    return `  ${run.at.slice(0, 16).replace('T', ' ')}  ${bar}  ${time.padStart(9)}  ${run.verdict}${mark}  ${run.id}`;
  });
  const passed = runs.filter(({ verdict }) => verdict === 'survived').length;
  const median = medianOf(runs);
  const middle = median === undefined ? '' : `, median ${median.toFixed(1)} s`;
  return [`${name}: ${runs.length} runs, ${passed} survived${middle}`, ...rows].join('\n');
}

/** Whether a run took more than half as long again as the median of the survived runs before it. */
export function regressed(run: DrillRun, before: readonly DrillRun[]): boolean {
  const median = medianOf(before.filter(({ verdict }) => verdict === 'survived'));
  return run.seconds !== undefined && median !== undefined && run.seconds > 1.5 * median;
}

function medianOf(runs: readonly DrillRun[]): number | undefined {
  const all = runs.flatMap(({ seconds }) => (seconds === undefined ? [] : [seconds])).sort((a, b) => a - b);
  const middle = all.length >> 1;
  return all.length % 2 === 1
    ? all[middle]
    : all.length === 0
      ? undefined
      : ((all[middle - 1] ?? 0) + (all[middle] ?? 0)) / 2;
}
