import { join } from 'node:path';
import { run, type CommandResult } from '../command';
import { OperatorError } from '../failure';
import { factoryHome } from '../paths';
import { ansibleEnvironment, ensureAnsible } from './environment';

export interface PlaybookOptions {
  tags?: string[];
  /** Variables for the playbook; no secrets, they are arguments. */
  extraVars?: Record<string, string>;
  /** Only say what would change. */
  check?: boolean;
  diff?: boolean;
  /** Added to the environment of ansible-playbook. */
  env?: Record<string, string>;
  onLine?: (line: string) => void;
  signal?: AbortSignal;
  /** Leaves the processor to whoever else wants it: for a play that nobody waits for. */
  aside?: boolean;
  /** Milliseconds (default 15 minutes). */
  timeoutMs?: number;
}

/** One failed task as ansible-playbook printed it. */
export interface TaskFailure {
  host: string;
  task: string;
  message: string;
}

/**
 * Runs a playbook of the factory on the sandbox.
 * @param playbook path relative to `<factory>/ansible`.
 * @throws OperatorError naming the machine and the task that failed, with Ansible's own message.
 */
export async function runPlaybook(playbook: string, options: PlaybookOptions = {}): Promise<CommandResult> {
  const folder = await ensureAnsible();
  const path = join(factoryHome, 'ansible', playbook);
  const args = [path];
  if (options.tags?.length) args.push('--tags', options.tags.join(','));
  for (const [name, value] of Object.entries(options.extraVars ?? {})) args.push('--extra-vars', `${name}=${value}`);
  if (options.check) args.push('--check');
  if (options.diff) args.push('--diff');
  const program = join(folder, 'bin', 'ansible-playbook');
  const [file, ...words] = options.aside ? ['nice', '-n', '10', program, ...args] : [program, ...args];
  const result = await run(file ?? program, words, {
    cwd: join(factoryHome, 'ansible'),
    env: await ansibleEnvironment(folder, options.env),
    timeoutMs: options.timeoutMs ?? 900_000,
    allowFailure: true,
    ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (result.exitCode === 0) return result;
  const failure = firstFailure(result.stdout);
  throw new OperatorError({
    attempted: `converge the sandbox with ${playbook}${options.tags?.length ? ` (${options.tags.join(', ')})` : ''}`,
    ...(failure ? { where: failure.host } : {}),
    expected: 'every task to succeed',
    seen: failure
      ? `task "${failure.task}": ${failure.message}`
      : (result.stderr || result.stdout).trim().split('\n').slice(-5).join(' | '),
    next: `look at that machine (npm run lab -- logs ${failure?.host ?? 'MACHINE'} SERVICE), mend the cause and run the same command again: it goes on where it stopped.`,
  });
}

/** The first failed task in ansible-playbook's output, if there is one. */
export function firstFailure(output: string): TaskFailure | undefined {
  let task = '';
  for (const line of output.split('\n')) {
    const heading = /^(?:TASK|RUNNING HANDLER) \[(.*?)\]/.exec(line);
    if (heading) task = heading[1] ?? '';
    const failed = /^(?:fatal|failed): \[([^\]\s]+)(?: -> [^\]]+)?\].*?(?:=> (.*))?$/.exec(line);
    if (failed) return { host: failed[1] ?? '', task, message: messageOf(failed[2] ?? line) };
  }
  return undefined;
}

function messageOf(text: string): string {
  const match = /"msg": "((?:[^"\\]|\\.)*)"/.exec(text);
  return (match?.[1] ?? text).slice(0, 800);
}
