import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { run, type CommandResult } from '../support/command';
import { projectRoot } from '../support/paths';

const ownCosts = join(projectRoot, 'bench', 'own-costs.js');
const costsShape = z.object({ peakKiB: z.number().positive(), cpuMicros: z.number().positive() });

/** A finished child and what it took of the machine. */
export interface Measured {
  result: CommandResult;
  /** Wall time, Node.js's start included. */
  seconds: number;
  /** The most it held resident. */
  peakMiB: number;
  /** Processor time of its own threads. */
  cpuSeconds: number;
}

/**
 * Runs Node.js in the project's folder and says what it took.
 * @param folder where what it took is written down meanwhile.
 * @param start what Node.js is to load first.
 */
export async function measuredChild(
  folder: string,
  start: readonly string[],
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Measured> {
  const costsFile = join(folder, 'costs.json');
  rmSync(costsFile, { force: true });
  const result = await run('node', [...start, '-r', ownCosts, ...args], {
    cwd: projectRoot,
    env: { ...env, BENCH_COSTS_FILE: costsFile },
  });
  const { peakKiB, cpuMicros } = costsShape.parse(JSON.parse(readFileSync(costsFile, 'utf8')));
  return { result, seconds: result.durationMs / 1000, peakMiB: peakKiB / 1024, cpuSeconds: cpuMicros / 1e6 };
}
