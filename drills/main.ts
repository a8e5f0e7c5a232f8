import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { childEnvironment, projectSettings } from '../support/command';
import { textTable } from '../support/evidence/findings-table';
import { explain, runCommandLine, runMainAndExit } from '../support/command-line';
import { OperatorError } from '../support/failure';
import { interrupt } from '../support/interruption';
import { assertMayAct } from '../support/target/start';
import { factoryHome, projectRoot } from '../support/paths';
import { daysSinceEpoch, turned } from '../support/rotation';
import { selectTarget } from '../support/target';
import { contractOf, type DrillDefinition } from './definition';
import { readJournals, type Journal } from './journal';
import { listOfDrills, showDrill, summaryOf } from './list';
import { drillNamed, drills } from './registry';
import { resume } from './resume';
import { problemLine } from './runbook/document';
import { readRunbook } from './runbook/read';
import { checkRunbook } from './runbook/rules';
import { operatorEnvironment } from './shell';

const examples = `
Examples:
  npm run drill -- list
  npm run drill -- show vault-seal
  npm run drill -- check
  RUNBOOK=../factory/CLUSTER_RECOVERY.md npm run drill -- check
  npm run drill -- run vault-seal argocd-drift
  npm run drill -- all
  npm run drill -- shell node-kill-agent
  npm run drill -- resume

Exit code: 0 every drill survived, 1 not, 2 wrong arguments or a runbook that is not in order, 130 interrupted.`;

async function main(): Promise<number> {
  let code = 0;
  const ending = (work: () => Promise<number>) => async (): Promise<void> => void (code = await work());
  const program = new Command('npm run drill --')
    .description('Breaks the sandbox on purpose and repairs it by the runbook (RUNBOOK=path for your own).')
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  program
    .command('list')
    .description('the drills, and when each was last passed')
    .action(ending(async () => (console.log(listOfDrills(drills, readJournals(), new Date())), 0)));
  program
    .command('show')
    .argument('<id>')
    .description('what a drill breaks, and the sections of the runbook that repair it')
    .action((id: string) => void console.log(showDrill(drillNamed(id), readRunbook().runbook)));
  program
    .command('check')
    .description('tell what is wrong with the runbook; touches nothing')
    .action(ending(() => check(drills)));
  program
    .command('run')
    .argument('<ids...>')
    .description('run drills, as scenarios of the suite')
    .action(async (ids: string[]) => void (code = await runThem(ids.map(drillNamed))));
  program
    .command('all')
    .description('run every drill')
    .option('--at-most <count>', 'only so many, beginning with another one every day; says which are left out', count)
    .action(async ({ atMost = drills.length }: { atMost?: number }) => void (code = await runThem(ofToday(atMost))));
  program
    .command('shell')
    .argument('[id]', 'with the variables that the sections of this drill speak of')
    .description('a shell of your own with what the runbook’s steps have, for a step done by hand')
    .action(async (id?: string) => void (code = await openShell(id === undefined ? undefined : drillNamed(id))));
  program
    .command('resume')
    .description('undo what a drill left that was killed, and end its journal')
    .action(ending(resume));
  explain(program, examples);
  await runCommandLine('drill', () => program.parseAsync());
  return code;
}

/** @param chosen the drills that must find their sections: an operator's own runbook need not have those of all. */
async function check(chosen: readonly DrillDefinition[]): Promise<number> {
  const { runbook, problems } = readRunbook();
  const all = [...problems, ...(await checkRunbook(runbook, chosen.map(contractOf)))];
  for (const problem of all) console.log(problemLine(runbook.path, problem));
  const steps = runbook.sections.flatMap(({ blocks }) => blocks).length;
  const ids = chosen.length;
  console.log(
    all.length === 0
      ? `${runbook.path}: ${steps} steps in ${runbook.sections.length} sections, in order for ${ids} ${ids === 1 ? 'drill' : 'drills'}`
      : `${runbook.path}: ${all.length} ${all.length === 1 ? 'problem' : 'problems'}`,
  );
  return all.length === 0 ? 0 : 2;
}

/** So many drills, others on other days; what is left out is said, never passed over in silence. */
function ofToday(atMost: number): readonly DrillDefinition[] {
  if (atMost >= drills.length) return drills;
  const inTurn = turned(drills, daysSinceEpoch());
  console.log(
    `Left out for today: ${inTurn
      .slice(atMost)
      .map(({ id }) => id)
      .join(' ')}`,
  );
  const chosen = inTurn.slice(0, atMost);
  return drills.filter((drill) => chosen.includes(drill));
}

function count(value: string): number {
  const read = Number(value);
  if (Number.isInteger(read) && read > 0) return read;
  const next = 'give a whole number of drills, such as 6.';
  throw new OperatorError({ attempted: 'read --at-most', seen: value, next, exitCode: 2 });
}

/** Runs drills as scenarios of the suite, so that they land in every report; then says what became of each. */
async function runThem(chosen: readonly DrillDefinition[]): Promise<number> {
  await assertMayAct();
  const checked = await check(chosen);
  if (checked !== 0) return checked;
  const since = new Date().toISOString();
  const tags = chosen.map(({ id }) => `@drill:${id}`).join(' or ');
  const suite = [
    '-r',
    'ts-node/register',
    '-r',
    './support/isolation/preload.ts',
    'support/suite/main.ts',
    '--tags',
    tags,
  ];
  const exitCode = await inForeground('node', suite);
  const journals = readJournals().filter(({ started }) => started >= since);
  const rows = chosen.map(({ id }) =>
    summaryOf(
      id,
      journals.findLast(({ drill }) => drill === id),
    ),
  );
  console.log(
    `\n${textTable(['drill', 'verdict', 'recovered', 'detection', 'person', 'commands', 'convergence', 'why'], rows)}`,
  );
  const survived = chosen.filter(({ id }) => lastVerdict(journals, id) === 'survived').length;
  console.log(`${survived} survived, ${chosen.length - survived} not`);
  // A blocked drill is skipped in the suite, which is not red; here it counts as what it is.
  return exitCode !== 0 ? exitCode : survived === chosen.length ? 0 : 1;
}

/** @returns the exit code of what was run last in it. */
async function openShell(drill: DrillDefinition | undefined): Promise<number> {
  await assertMayAct();
  const shown = Object.entries(drill?.variables ?? {}).map(([name, value]) => ` ${name}=${value}`);
  console.log(`A shell on the sandbox, in the factory's ansible folder.${shown.join('')} \`exit\` leaves it.`);
  const env = {
    ...(await operatorEnvironment(selectTarget().inventory)),
    ...drill?.variables,
    PS1: 'sandbox \\w \\$ ',
  };
  return inForeground('bash', ['--noprofile', '--norc', '-i'], join(factoryHome, 'ansible'), env);
}

function lastVerdict(journals: readonly Journal[], id: string): string | null | undefined {
  return journals.findLast(({ drill }) => drill === id)?.verdict;
}

/** Runs a program on this terminal; Ctrl-C reaches it by itself, and this process waits for its undo. */
function inForeground(
  file: string,
  args: readonly string[],
  cwd = projectRoot,
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  const env = childEnvironment({ ...projectSettings(), ...more });
  const child = spawn(file, args, { cwd, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupt(
        new OperatorError({ attempted: 'finish the drill', seen: signal, next: 'run the same command again.' }),
      );
      if (signal === 'SIGTERM') child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 130));
  });
}

runMainAndExit(main);
