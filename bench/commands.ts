import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childEnvironment, projectSettings } from '../support/command';
import { OperatorError } from '../support/failure';
import { interruption } from '../support/interruption';
import { projectRoot } from '../support/paths';

/** How every command of this project is started: as its script in package.json, behind the second line of the boundary. */
export const nodeArguments = [
  '-r',
  'ts-node/register',
  '-r',
  join(projectRoot, 'support', 'isolation', 'preload.ts'),
] as const;

/**
 * Runs a TypeScript command of this project to its end, as the operator's shell would, and shows its lines. Ctrl-C reaches
 * it once, through the run's interruption: it has a process group of its own, because the second one ends it at once.
 * @returns wall time in seconds, Node.js's start included.
 * @throws OperatorError with its last lines when it does not exit 0; the interruption's reason when interrupted.
 */
export async function projectCommand(
  args: readonly string[],
  say: (line: string) => void,
  env: Record<string, string> = {},
): Promise<number> {
  const signal = interruption();
  signal?.throwIfAborted();
  const began = performance.now();
  const child = spawn('node', [...nodeArguments, ...args], {
    cwd: projectRoot,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment({ ...projectSettings(), ...env }),
  });
  const stop = (): void => void child.kill('SIGINT');
  signal?.addEventListener('abort', stop);
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > 8) last.shift();
      say(line);
    });
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    if (code !== 0) {
      throw new OperatorError({
        attempted: `run \`${args.join(' ')}\``,
        expected: 'exit code 0',
        seen: `${code ?? 'a signal'}: ${last.join(' | ')}`,
        next: 'follow the last lines above, then measure again.',
      });
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return (performance.now() - began) / 1000;
}
