import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment, projectSettings } from '../command';
import { ledgerFolder } from '../evidence/ledger';
import { OperatorError } from '../failure';
import { projectRoot } from '../paths';
import { wordsOf } from '../shell-words';
import { Git } from './change';
import type { Judgement, Row } from './judge';

/** What became of the commands of what is missing. */
export interface Ran {
  /** How many were run to their end. */
  commands: number;
  /** Sentences for the verdict: commands that did not end well, and those that were not worth a start. */
  notes: string[];
}

/**
 * Runs the commands of what is missing, one after another, from the suite's checkout; what they print goes to the standard
 * error. A command that ends red ends nothing: its evidence is in the ledger, and the next verdict says so. Ctrl-C reaches
 * the command that runs, once, and this waits until it has undone what it did.
 * @param project the folder whose package.json has the commands.
 * @throws OperatorError when the checkout is not the change: what is run would be evidence of something else. With exit code
 * 130 when it was interrupted.
 */
export async function runMissing(
  { rows, repo, tree }: Pick<Judgement, 'rows' | 'repo' | 'tree'>,
  project = projectRoot,
): Promise<Ran> {
  const missing = rows.filter((row) => row.status === 'missing' && / npm run /.test(row.command ?? ''));
  const notes = missing.filter(isInVain).map(({ requirement }) => {
    return `${requirement} was not run: no target the rules know has its components for real.`;
  });
  const commands = new Set(missing.flatMap((row) => (isInVain(row) ? [] : [row.command ?? ''])));
  if (commands.size === 0) return { commands: 0, notes };
  await assertCheckedOut(repo, tree);
  for (const command of commands) {
    const ended = await runOne(command, project);
    if (ended !== 0)
      notes.push(`\`${command}\` was run and ended with ${ended}; what it printed is above the verdict.`);
  }
  return { commands: commands.size, notes };
}

/** Whether all that a command could leave is evidence that does not count. */
function isInVain({ targets }: Row): boolean {
  return targets?.length === 0;
}

async function assertCheckedOut(repo: string, tree: string): Promise<void> {
  const git = new Git(repo);
  const [there, changes] = await Promise.all([
    git.text('rev-parse', 'HEAD^{tree}'),
    git.text('status', '--porcelain', '--untracked-files=all'),
  ]);
  if (there === tree && changes === '') return;
  throw new OperatorError({
    attempted: 'run what is missing',
    where: repo,
    expected: 'the change itself to be checked out, with nothing beside it',
    seen: changes === '' ? `another content, ${there.slice(0, 12)}` : 'uncommitted changes',
    next: 'check the change out, commit or stash the rest, and run it again.',
    exitCode: 2,
  });
}

/** @returns its exit code, or the name of the signal that ended it. */
async function runOne(command: string, project: string): Promise<number | string> {
  const [[, , name = '', ...args], settings] = split(command);
  // Without npm, which would pass Ctrl-C on a second time; in a process group of its own, which gets it from here alone.
  const [[file = '', ...before], own] = split(scriptOf(name, project));
  process.stderr.write(`$ ${command}\n`);
  const child = spawn(file, [...before, ...(args[0] === '--' ? args.slice(1) : args)], {
    cwd: project,
    detached: true,
    stdio: ['ignore', process.stderr, process.stderr],
    env: childEnvironment({ ...projectSettings(), ...own, ...settings, EVIDENCE_LEDGER: ledgerFolder() }),
  });
  let interrupted = false;
  const stop = (): void => {
    interrupted = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, stop);
  try {
    const ended = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'));
    });
    process.stderr.write(`exit ${ended}\n`);
    if (!interrupted) return ended;
    throw new OperatorError({
      attempted: 'run what is missing',
      seen: `an interruption during \`${command}\`, which ended with ${ended}`,
      next: 'run the same command again: what is green in the ledger by now is not run a second time.',
      exitCode: 130,
    });
  } finally {
    for (const signal of signals) process.off(signal, stop);
  }
}

/** The words of a command line, and the settings before them. */
function split(line: string): [words: string[], settings: Record<string, string>] {
  const words = wordsOf(line);
  const setting = /^([A-Z]\w*)=(.*)$/s;
  const first = words.findIndex((word) => !setting.test(word));
  const settings = words.slice(0, first).map((word) => setting.exec(word)?.slice(1) ?? []);
  return [words.slice(first), Object.fromEntries(settings) as Record<string, string>];
}

/** What package.json runs under a name. */
function scriptOf(name: string, project: string): string {
  const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const script = scripts[name];
  if (script !== undefined) return script;
  throw new OperatorError({
    attempted: `run \`npm run ${name}\``,
    where: project,
    expected: `one of ${Object.keys(scripts).join(', ')}`,
    seen: name,
    next: 'correct the `run` of that requirement in the promotion rules of the base.',
    exitCode: 2,
  });
}
