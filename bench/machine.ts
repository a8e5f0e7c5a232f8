import { arch, availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { z } from 'zod';
import { run } from '../support/command';
import { reason } from '../support/failure';
import { projectRoot } from '../support/paths';

/** The machine a figure comes from: without it the figure says nothing. */
export const machineShape = z.object({
  cores: z.number().int().positive(),
  processor: z.string(),
  memoryMiB: z.number().positive(),
  kernel: z.string(),
  arch: z.string(),
  node: z.string(),
  /** Processes that wanted a core in the minute before the benchmark began (getloadavg(3)). */
  load: z.number().nonnegative(),
});
export type Machine = z.infer<typeof machineShape>;

/** Describes this machine as it is now. */
export function thisMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    kernel: release(),
    arch: arch(),
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** The checkout's commit; says when what was measured is not quite that. */
export async function thisCommit(): Promise<string> {
  try {
    const { stdout: commit } = await run('git', ['-C', projectRoot, 'rev-parse', 'HEAD']);
    const { stdout: changes } = await run('git', ['-C', projectRoot, 'status', '--porcelain']);
    return `${commit}${changes === '' ? '' : ' with uncommitted changes'}`;
  } catch (thrown) {
    return `unknown: ${reason(thrown)}`;
  }
}
