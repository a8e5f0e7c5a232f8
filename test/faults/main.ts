import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { textTable } from '../../support/evidence/findings-table';
import { redactor } from '../../support/evidence/redaction';
import { runMainAndExit } from '../../support/command-line';
import { OperatorError } from '../../support/failure';
import { assertStartAllowed } from '../../support/isolation/startup';
import { isInterrupted } from '../../support/interruption';
import { reportsOut } from '../../support/paths';
import { daysSinceEpoch, turned } from '../../support/rotation';
import { parseShard, type Shard } from '../../support/suite/shard';
import { endOnSignals } from '../../support/suite/signals';
import { selectTarget, type Target } from '../../support/target';
import { assertMayAct } from '../../support/target/start';
import { mutateRunbook } from './runbook/main';
import type { FaultResult, PlantedFault } from './fault';
import { plantedFaults } from './registry';
import { FaultRunner } from './runner';

async function main(): Promise<number> {
  const [what, ...words] = process.argv.slice(2);
  if (what === 'runbook') return mutate(words);
  const command = new Command('npm run faults --')
    .description('Plants faults one by one; each must turn its scenario red at the place named. Heals every one.')
    .argument('[names...]', 'faults to plant (default: all)')
    .option('--list', 'list the faults and where each must turn red', false)
    .option('--within <minutes>', 'begin no other fault after that; begins with another one every day', minutes)
    .option('--heal', 'only heal what an earlier run left planted', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run faults -- --list\n  npm run faults -- gitea-stopped vault-sealed\n  npm run faults -- --heal\n  npm run faults -- runbook vault-seal   (mutates the runbook: no drill may survive it)\n\nExit code: 0 each was caught where it must be and healed, 1 not, 2 wrong arguments, 130 interrupted.',
    )
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!read(command, process.argv.slice(2))) return 0;
  const options = command.opts<{ list: boolean; heal: boolean; within?: number }>();
  const chosen = options.within === undefined ? choose(command.args) : turned(choose(command.args), daysSinceEpoch());
  if (options.list) {
    console.log(listOf(chosen));
    return 0;
  }
  const offline = !options.heal && chosen.every((planted) => planted.offline);
  await (offline ? assertStartAllowed() : assertMayAct());
  const target = selectTarget();
  const leave = offline ? () => undefined : target.occupy();
  try {
    return await plantAll(target, chosen, options);
  } finally {
    leave();
  }
}

/** `faults -- runbook`: see `mutateRunbook`. */
async function mutate(words: readonly string[]): Promise<number> {
  const command = new Command('npm run faults -- runbook')
    .description(
      'Mutates the runbook: drops each step, swaps neighbours, corrupts each command. No drill may survive that.',
    )
    .argument('[drills...]', 'drills to mutate the sections of (default: all)')
    .option('--once', 'try each mutant until one drill catches it, the shortest first; not in every drill', false)
    .option('--continue', 'leave out what an earlier run has tried on the same steps', false)
    .option('--within <minutes>', 'begin no other mutant after that; begins with another one every day', minutes)
    .option(
      '--shard <i/n>',
      'try every n-th only, on a sandbox of its own and with a REPORTS_OUT of its own',
      parseShard,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  npm run faults -- runbook vault-seal\n  npm run faults -- runbook --once --continue\n  npm run faults -- runbook --once --within 20\n\nExit code: 0 none survived without a reason on record (test/faults/runbook/survivors.ts), 1 one did, 2 wrong arguments, 130 interrupted.',
    )
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!read(command, words)) return 0;
  const { continue: goOn, ...options } = command.opts<{
    once: boolean;
    continue: boolean;
    within?: number;
    shard?: Shard;
  }>();
  return mutateRunbook(command.args, { ...options, goOn });
}

/** @returns false when the command line only asked for help. @throws OperatorError when it is wrong. */
function read(command: Command, words: readonly string[]): boolean {
  try {
    command.parse(words, { from: 'user' });
    return true;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return false;
    throw wrong('read the command line', thrown.message, `see \`${command.name()} --help\`.`);
  }
}

interface Limits {
  /** Plant nothing. */
  heal: boolean;
  /** Minutes. */
  within?: number;
}

async function plantAll(target: Target, chosen: readonly PlantedFault[], limits: Limits): Promise<number> {
  const runner = new FaultRunner(target, plantedFaults);
  const offline = !limits.heal && chosen.every((planted) => planted.offline);
  const bringUp = offline ? undefined : target.bringUp((line) => console.log(`lab | ${line}`), { asIs: false });
  endOnSignals(() => bringUp?.stop());
  await bringUp?.done;
  const healed = offline ? [] : await runner.healLeftovers();
  if (healed.length > 0) console.log(`Done for an earlier run that could not: ${healed.join('; ')}`);
  if (limits.heal) return 0;
  const results: FaultResult[] = [];
  const until = performance.now() + (limits.within ?? Infinity) * 60_000;
  let left: readonly PlantedFault[] = [];
  for (const [index, planted] of chosen.entries()) {
    // With one fault still planted, no other could be told from it.
    if (isInterrupted() || results.at(-1)?.verdict === 'not healed') break;
    if (performance.now() > until) {
      left = chosen.slice(index);
      break;
    }
    const result = await runner.try(planted);
    results.push(result);
    const { verdict, seconds, fault, detail } = result;
    console.log(redactor.text(`${verdict.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s  ${fault}: ${detail}`));
  }
  // What is left out is said, never passed over in silence.
  if (left.length > 0) console.log(`Left out for today: ${left.map(({ fault }) => fault.name).join(' ')}`);
  return conclude(chosen.length - left.length, results);
}

function minutes(value: string): number {
  const read = Number(value);
  if (read > 0) return read;
  throw wrong('read --within', value, 'give a number of minutes, such as 20.');
}

/** Prints the table and the closing line, and keeps the results as JSON. */
function conclude(meant: number, results: readonly FaultResult[]): number {
  const rows = results.map(({ fault, breaks, verdict, detail }) => [fault, breaks, verdict, detail.slice(0, 90)]);
  console.log(`\n${redactor.text(textTable(['fault', 'breaks', 'verdict', 'red'], rows))}`);
  mkdirSync(join(reportsOut, 'faults'), { recursive: true });
  writeFileSync(join(reportsOut, 'faults', 'faults.json'), `${JSON.stringify(redactor.value(results), null, 2)}\n`);
  const caught = results.filter(({ verdict }) => verdict === 'caught').length;
  console.log(`${caught} passed, ${meant - caught} failed`);
  if (isInterrupted()) return 130;
  return caught === meant && caught > 0 ? 0 : 1;
}

function choose(names: readonly string[]): PlantedFault[] {
  const known = new Map(plantedFaults.map((planted) => [planted.fault.name, planted]));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw wrong('find the fault', unknown, `use one of ${[...known.keys()].join(', ')}.`);
  return plantedFaults.filter(({ fault }) => names.length === 0 || names.includes(fault.name));
}

function listOf(faults: readonly PlantedFault[]): string {
  const rows = faults.map(({ fault, feature, redAt }) => [
    fault.name,
    fault.breaks,
    feature,
    redAt.step,
    redAt.says.source,
  ]);
  return textTable(['fault', 'breaks', 'feature', 'red at step', 'saying'], rows);
}

function wrong(attempted: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, seen, next, exitCode: 2 });
}

runMainAndExit(main);
