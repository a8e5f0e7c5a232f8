import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readMessages, runOf } from '../reports/scenarios';
import { reportFiles } from '../reports/writers';
import { projectRoot } from '../support/paths';
import type { Benchmark } from './benchmark';
import { projectCommand } from './commands';
import { ensureLab } from './lab';

export const suiteMain = join(projectRoot, 'support', 'suite', 'main.ts');
const cucumber = join(projectRoot, 'node_modules', '@cucumber', 'cucumber', 'bin', 'cucumber.js');

/** How long an operator waits for a verdict on a lab that is up. */
export const suiteWarm: Benchmark = {
  name: 'suite-warm',
  what: 'the command `npm run suite`, all features and their reports, on a lab that is up, from its start to its end; a run that is not green is no figure',
  unit: 's',
  goal: 'at most 300 s',
  touches: 'what its scenarios do, and undo',
  before: ({ say }) => ensureLab(say),
  run: ({ say, part }) =>
    withReports(async (out) => {
      const seconds = await projectCommand([suiteMain], say, { REPORTS_OUT: out });
      const { scenarios } = runOf(readMessages(reportFiles(out).messages));
      const features = new Map<string, number>();
      for (const { uri, seconds: took } of scenarios) features.set(uri, (features.get(uri) ?? 0) + took);
      for (const [uri, took] of features) part(uri, took);
      const scenarioSeconds = [...features.values()].reduce((sum, took) => sum + took, 0);
      part('beside the scenarios: start, planning, reports', Math.max(0, seconds - scenarioSeconds));
      return seconds;
    }),
  peer: {
    what: 'Cucumber with --dry-run over the same features: loads steps, matches them and writes reports, but runs nothing',
    run: ({ say }) => withReports((out) => projectCommand([cucumber, '--dry-run'], say, { REPORTS_OUT: out })),
  },
};

/** The reports of the operator's last run stay as they are. */
export async function withReports(work: (out: string) => Promise<number>): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), 'bench-suite-'));
  try {
    return await work(out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
