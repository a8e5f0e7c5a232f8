import { Command } from 'commander';
import { readCommandLine, runMainAndExit } from '../../support/command-line';
import { OperatorError } from '../../support/failure';
import type { Inventory } from '../../support/inventory';
import { isInterrupted } from '../../support/interruption';
import { assertMayAct } from '../../support/target/start';
import { endOnSignals } from '../../support/suite/signals';
import { selectTarget } from '../../support/target';
import { Checks, WrongCheck } from './checks';
import { planted, type Planted } from './planted';
import { Trial, wirings } from './trial';

/**
 * Tries the workflows of docs/pull-requests against the lab's own Gitea: a pull request on a protected branch is blocked, then
 * green. Gitea schedules the jobs and sets the status its branch protection asks for; the engine that runs them is that of Gitea's
 * own runner (gitea.com/gitea/act), behind a stand-in that fetches the jobs (sandbox/runner). What the drills would leave in the
 * ledger is written by the trial, into a ledger of its own.
 */
const examples = `
Examples:
  npm run promotion-trial
  npm run promotion-trial -- --faults
  npm run promotion-trial -- --planted other-status

Exit code: 0 all is as it must be (with --faults: each planted fault was seen where it must be), 1 it is not, 2 wrong arguments,
130 interrupted.`;

interface Options {
  faults?: true;
  planted?: string;
}

async function main(): Promise<number> {
  const program = new Command('npm run promotion-trial --')
    .description("Tries the workflows of docs/pull-requests with a runner of the lab's own Gitea.")
    .option('--faults', 'plant each fault in turn: the trial must see it')
    .option('--planted <name>', `plant one of ${planted.map(({ name }) => name).join(', ')}, and run as always`)
    .addHelpText('after', examples)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  if (!readCommandLine('promotion-trial', () => void program.parse())) return 0;
  const options = program.opts<Options>();
  const fault = chosen(options.planted);
  await assertMayAct();
  const target = selectTarget();
  const leave = target.occupy();
  endOnSignals(() => undefined);
  try {
    const { inventory } = target;
    const code = options.faults === true ? await seen(inventory) : await whole(inventory, fault);
    return isInterrupted() ? 130 : code;
  } finally {
    leave();
  }
}

function chosen(name: string | undefined): Planted | undefined {
  if (name === undefined) return undefined;
  const found = planted.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new OperatorError({
    attempted: `plant ${name}`,
    expected: `one of ${planted.map((one) => one.name).join(', ')}`,
    next: 'see `npm run promotion-trial -- --help`.',
    exitCode: 2,
  });
}

/** Everything, and all of it. @returns the exit code. */
async function whole(inventory: Inventory, fault: Planted | undefined): Promise<number> {
  const checks = new Checks(false);
  const began = performance.now();
  const story = async (trial: Trial): Promise<void> => {
    await trial.rewritten();
    await trial.blockedThenGreen();
    await trial.broken();
    await trial.fenced(inventory);
  };
  await Trial.with(inventory, wirings.gitea, checks, story, fault);
  if (fault === undefined) {
    console.log('\nThe workflow for GitHub, its own steps, with a stand-in for actions/checkout:');
    await Trial.with(inventory, wirings.github, checks, (trial) => trial.blockedThenGreen());
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${checks.passed} passed, ${checks.failed} failed, in ${seconds} s`);
  return checks.failed === 0 && checks.passed > 0 ? 0 : 1;
}

/** Plants each fault: the first check that is wrong must be the one that is about it. @returns the exit code. */
async function seen(inventory: Inventory): Promise<number> {
  let missed = 0;
  for (const fault of planted) {
    if (isInterrupted()) break;
    console.log(`\n${fault.name}: ${fault.breaks}`);
    const wrong = await Trial.with(
      inventory,
      wirings.gitea,
      new Checks(true),
      (trial) => trial[fault.part](),
      fault,
    ).then(
      () => 'none',
      (thrown: unknown) => {
        if (thrown instanceof WrongCheck) return thrown.what;
        throw thrown;
      },
    );
    const caught = wrong === fault.redAt;
    if (!caught) missed += 1;
    console.log(`${caught ? 'caught' : 'MISSED'}: red at "${wrong}"${caught ? '' : `, expected "${fault.redAt}"`}`);
  }
  console.log(`\n${planted.length - missed} passed, ${missed} failed`);
  return missed === 0 ? 0 : 1;
}

runMainAndExit(main);
