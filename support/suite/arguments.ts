import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { OperatorError } from '../failure';
import { projectRoot } from '../paths';
import { parseShard, type Shard } from './shard';

/** What `npm run suite` was asked for. */
export interface SuiteArguments {
  paths: string[];
  tags: string[];
  names: string[];
  failFast: boolean;
  /** A sandbox that is up is used although its sources have changed since. */
  asIs: boolean;
  /** Only this part of the features; the parts are put together by `npm run merge`. */
  shard?: Shard;
  /** Cucumber's configuration file. */
  config: string;
}

/** Cucumber's arguments that this suite does not take, and why. */
const refused: Readonly<Record<string, string>> = {
  '--retry': 'a verdict is never retried; mend the scenario or the sandbox.',
  '--parallel': 'scenarios share one sandbox; deal them out over several with --shard.',
  '--no-strict': 'a pending step is never green; finish the step.',
  '--format':
    'the reports are always written, behind the redaction of secrets; leave it away and read them under reports/out/.',
  '-f': 'the reports are always written, behind the redaction of secrets; leave it away and read them under reports/out/.',
  '--publish': 'reports do not leave this machine; leave it away.',
  '--dry-run': 'a run in which nothing runs is never green; `npm test` checks features and steps without running them.',
  '-d': 'a run in which nothing runs is never green; `npm test` checks features and steps without running them.',
};

const collect = (value: string, before: string[]): string[] => [...before, value];

/**
 * Reads the command line.
 * @returns the arguments, or undefined when only help was asked for and has been printed.
 * @throws OperatorError (exit code 2) for an argument that is unknown or refused.
 */
export function parseArguments(argv: readonly string[]): SuiteArguments | undefined {
  for (const argument of argv) {
    const option = argument.split('=')[0] ?? '';
    const why = refused[option];
    if (why !== undefined) throw usage(`use ${option}`, 'this suite does not take it', why);
  }
  const command = new Command('npm run suite --')
    .description(
      'Brings the sandbox up if it is not, runs the features and writes the reports. Drills are left out unless asked for.',
    )
    .argument('[paths...]', 'feature files, folders, or file:line')
    .option('-t, --tags <expression>', 'only scenarios with these tags (repeatable: all must hold)', collect, [])
    .option('--name <expression>', 'only scenarios whose name matches (repeatable: any may match)', collect, [])
    .option('--fail-fast', 'skip what is left after the first failure', false)
    .option('--as-is', 'use a sandbox that is up although the sources it was converged from have changed since', false)
    .option('--shard <i/n>', 'only part i of n, on a sandbox of its own; `npm run merge` puts the parts together')
    .option('-c, --config <file>', "Cucumber's configuration", join(projectRoot, 'cucumber.js'))
    .addHelpText(
      'after',
      '\nExamples:\n  npm run suite\n  npm run suite -- features/canary.feature\n  npm run suite -- --tags "@canary and not @typo"\n  npm run suite -- --tags @drill\n  REPORTS_OUT=shard-1 npm run suite -- --shard 1/2\n\nExit code: 0 all green, 1 red, 2 wrong arguments, 130 interrupted.',
    )
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  try {
    command.parse([...argv], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    throw usage('read the command line', thrown.message, 'see `npm run suite -- --help`.');
  }
  const options = command.opts<{
    tags: string[];
    name: string[];
    failFast: boolean;
    asIs: boolean;
    config: string;
    shard?: string;
  }>();
  return {
    paths: command.args,
    tags: options.tags,
    names: options.name,
    failFast: options.failFast,
    asIs: options.asIs,
    ...(options.shard === undefined ? {} : { shard: parseShard(options.shard) }),
    config: options.config,
  };
}

/** Whether every feature that is run is run with all its scenarios: only then it is evidence of the feature. */
export function runsWholeFeatures({ paths, tags, names, failFast }: SuiteArguments): boolean {
  return tags.length === 0 && names.length === 0 && !failFast && !paths.some((path) => /:\d+$/.test(path));
}

function usage(attempted: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, seen, next, exitCode: 2 });
}
