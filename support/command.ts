import { join } from 'node:path';
import { execa } from 'execa';
import { OperatorError } from './failure';
import { confinedEnvironment } from './isolation/children';
import { cacheHome } from './paths';

/** What a finished command left. Output is UTF-8, trimmed of its last newline. */
export interface CommandResult {
  command: string;
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Wall time in milliseconds. */
  durationMs: number;
}

export interface CommandOptions {
  cwd?: string;
  /** Added to the allow-listed environment; secrets go here or to `input`, never into arguments. */
  env?: Record<string, string>;
  input?: string;
  /** Milliseconds after which the command is ended (default 120 000). */
  timeoutMs?: number;
  /** Resolve with the result also when the exit code is not 0 (default false: throw). */
  allowFailure?: boolean;
  signal?: AbortSignal;
  /** Called for every line as it is printed, for progress. */
  onLine?: (line: string) => void;
}

/** What a child process may know of the caller's environment (issue 4: children get an allow-list). */
const passedOn = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TERM',
  'TMPDIR',
  'USER',
  'LOGNAME',
  'XDG_CACHE_HOME',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GOPROXY',
  'GOSUMDB',
  'GOFLAGS',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  // Which sandbox is meant: children of the suite must not fall back to the lab, or to the first of two.
  'TARGET',
  'SANDBOX_CONFIG',
  'LAB_HOME',
  'LAB_NAME',
  'LAB_INVENTORY',
  'PIP_CERT',
  'PIP_INDEX_URL',
  'PIP_FIND_LINKS',
];

/** The allow-listed environment for children, with `extra` on top. */
export function childEnvironment(extra: Record<string, string> = {}): Record<string, string> {
  // Ansible's plugins lie in the operator's factory: what Python leaves beside them would make the checkout another than the
  // commit, and what was run there evidence of nothing. Without its bytecode, Ansible takes three times as long to start.
  const environment: Record<string, string> = { PYTHONPYCACHEPREFIX: join(cacheHome, 'python') };
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...extra };
}

/** Settings of a shell for the project's own commands. */
const settings = [
  ...['FACTORY', 'RUNBOOK', 'REPORTS_OUT', 'npm_lifecycle_event'],
  ...['EVIDENCE_LEDGER', 'EVIDENCE_SIGN_KEY', 'SSH_AUTH_SOCK'],
  ...['LAB_BASE', 'FORGE_HOME', 'FORGE_GOCACHE', 'FORGE_GOMODCACHE', 'FORGE_KEEP_CACHE'],
  ...['PLANTED_LEDGER', 'PLANTED_REHEARSAL'],
];

/** What a command of this project hands to another one that it runs, beside what every child gets. */
export function projectSettings(): Record<string, string> {
  return Object.fromEntries(settings.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

const observers = new Set<(result: CommandResult) => void>();

/** Shows every finished command to `observer`, for transcripts. @returns a function that ends it. */
export function observeCommands(observer: (result: CommandResult) => void): () => void {
  observers.add(observer);
  return () => void observers.delete(observer);
}

/**
 * Runs a program to its end.
 * @throws OperatorError when the isolation boundary refuses its arguments or environment, when it cannot be started, fails, or exceeds its time, unless `allowFailure`.
 */
export async function run(
  file: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = execa(file, [...args], {
    env: await confinedEnvironment({
      file,
      args,
      env: childEnvironment(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    }),
    extendEnv: false,
    reject: false,
    timeout: options.timeoutMs ?? 120_000,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.onLine === undefined ? {} : { stdout: lineSink(options.onLine), stderr: lineSink(options.onLine) }),
  });
  const ended = await child;
  const result: CommandResult = {
    command: [file, ...args].join(' '),
    exitCode: ended.exitCode ?? -1,
    stdout: String(ended.stdout ?? ''),
    stderr: String(ended.stderr ?? ''),
    durationMs: Math.round(ended.durationMs),
  };
  for (const observe of observers) observe(result);
  if (ended.failed && !options.allowFailure) {
    throw new OperatorError({
      attempted: `run \`${result.command}\``,
      expected: 'exit code 0',
      seen: ended.timedOut
        ? `no end within ${options.timeoutMs ?? 120_000} ms`
        : lastLines(result.stderr || result.stdout || ended.shortMessage || ''),
      next: 'read the output above, mend the cause and run the same command again.',
      cause: ended,
    });
  }
  return result;
}

/** An execa sink that shows every line to `onLine` and passes it on. */
function lineSink(onLine: (line: string) => void): (line: unknown) => Generator<unknown> {
  return function* (line: unknown) {
    onLine(String(line));
    yield line;
  };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-6).join(' | ').slice(0, 1200);
}
