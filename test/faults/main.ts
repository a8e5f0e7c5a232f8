import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { textTable } from '../../support/evidence/findings-table';
import { redactor } from '../../support/evidence/redaction';
import { OperatorError, runMain } from '../../support/failure';
import { assertStartAllowed } from '../../support/isolation/startup';
import { isInterrupted } from '../../support/interruption';
import { reportsOut } from '../../support/paths';
import { endOnSignals } from '../../support/suite/signals';
import { selectTarget, type Target } from '../../support/target';
import type { FaultResult, PlantedFault } from './fault';
import { plantedFaults } from './registry';
import { FaultRunner } from './runner';

async function main(): Promise<number> {
  const command = new Command('npm run faults --')
    .description('Plants faults one by one; each must turn its scenario red at the place named. Heals every one.')
    .argument('[names...]', 'faults to plant (default: all)')
    .option('--list', 'list the faults and where each must turn red', false)
    .option('--heal', 'only heal what an earlier run left planted', false)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  try {
    command.parse();
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return 0;
    throw wrong('read the command line', thrown.message, 'see `npm run faults -- --help`.');
  }
  const options = command.opts<{ list: boolean; heal: boolean }>();
  const chosen = choose(command.args);
  if (options.list) {
    console.log(listOf(chosen));
    return 0;
  }
  await assertStartAllowed();
  const target = selectTarget();
  const leave = target.occupy();
  try {
    return await plantAll(target, chosen, options.heal);
  } finally {
    leave();
  }
}

async function plantAll(target: Target, chosen: readonly PlantedFault[], onlyHeal: boolean): Promise<number> {
  const runner = new FaultRunner(target, plantedFaults);
  const bringUp = target.bringUp((line) => console.log(`lab | ${line}`), { asIs: false });
  endOnSignals(() => bringUp.stop());
  await bringUp.done;
  const healed = await runner.healLeftovers();
  if (healed.length > 0) console.log(`Done for an earlier run that could not: ${healed.join('; ')}`);
  if (onlyHeal) return 0;
  const results: FaultResult[] = [];
  for (const planted of chosen) {
    // With one fault still planted, no other could be told from it.
    if (isInterrupted() || results.at(-1)?.verdict === 'not healed') break;
    const result = await runner.try(planted);
    results.push(result);
    const { verdict, seconds, fault, detail } = result;
    console.log(redactor.text(`${verdict.padEnd(16)} ${seconds.toFixed(1).padStart(6)} s  ${fault}: ${detail}`));
  }
  return conclude(chosen, results);
}

/** Prints the table and the closing line, and keeps the results as JSON. */
function conclude(chosen: readonly PlantedFault[], results: readonly FaultResult[]): number {
  const rows = results.map(({ fault, breaks, verdict, detail }) => [fault, breaks, verdict, detail.slice(0, 90)]);
  console.log(`\n${redactor.text(textTable(['fault', 'breaks', 'verdict', 'red'], rows))}`);
  mkdirSync(join(reportsOut, 'faults'), { recursive: true });
  writeFileSync(join(reportsOut, 'faults', 'faults.json'), redactor.text(`${JSON.stringify(results, null, 2)}\n`));
  const caught = results.filter(({ verdict }) => verdict === 'caught').length;
  console.log(`${caught} passed, ${chosen.length - caught} failed`);
  if (isInterrupted()) return 130;
  return caught === chosen.length && caught > 0 ? 0 : 1;
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

runMain(async () => {
  const code = await main();
  // Clients keep connections open for reuse; nothing is left to do with them.
  setImmediate(() => process.exit(code));
  return code;
});
