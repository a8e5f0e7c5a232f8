import { reconcile } from '../../reports/strict';
import { generateAllure } from '../../reports/allure';
import { readEnvironment, writeEnvironment } from '../../reports/environment';
import { summary } from '../../reports/summary';
import { sweep } from '../../reports/sweep';
import { reason, runMain } from '../failure';
import { assertStartAllowed } from '../isolation/startup';
import { isInterrupted } from '../interruption';
import { reportsOut } from '../paths';
import { selectTarget, type BringUp } from '../target';
import { parseArguments } from './arguments';
import { recordSuite } from './evidence';
import { endOnSignals } from './signals';
import { planRun, type Plan } from './plan';
import { runScenarios } from './scenarios';

/** Exit code of a process ended by Ctrl-C, as shells report it. */
const interruptedExit = 130;

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  if (args === undefined) return 0;
  await assertStartAllowed();
  const began = new Date();
  const started = performance.now();
  const target = selectTarget();
  const plan = await planRun(args, target.stages());
  const leave = plan.needs.size > 0 ? target.occupy() : () => undefined;
  const say = (line: string): void => console.log(`lab | ${line}`);
  try {
    if (plan.needs.size > 0) await target.prepare(say, args);
    const bringUp = plan.needs.size > 0 ? target.bringUp(say, args) : undefined;
    endOnSignals(() => bringUp?.stop());
    announce(plan, target.name, bringUp);
    const success = await runScenarios(plan.configuration);
    const bringUpFailure = await settled(bringUp);
    const environment = writeEnvironment(reportsOut, await readEnvironment(target));
    const allureFailure = await generateAllure(reportsOut, environment).then(() => undefined, reason);
    const result = reconcile(reportsOut, success);
    const problems = [bringUpFailure, allureFailure, ...sweep(reportsOut)].filter((problem) => problem !== undefined);
    const disagreements = [...result.disagreements, ...problems];
    const proved = result.green && problems.length === 0 && !isInterrupted();
    const reconciliation = { ...result, disagreements };
    // A run that is not in the ledger is evidence of nothing.
    const recorded = await recordSuite({ out: reportsOut, reconciliation, green: proved, environment, began }).catch(
      reason,
    );
    if (typeof recorded === 'string') disagreements.push(`ledger: ${recorded}`);
    else for (const note of recorded.notes) console.log(`ledger | ${note}`);
    const green = proved && typeof recorded !== 'string';
    const seconds = (performance.now() - started) / 1000;
    const kept = typeof recorded === 'string' ? undefined : recorded;
    console.log(summary(reportsOut, { ...reconciliation, green }, seconds, kept));
    return isInterrupted() ? interruptedExit : green ? 0 : 1;
  } finally {
    leave();
  }
}

function announce(plan: Plan, target: string, bringUp: BringUp | undefined): void {
  const state =
    bringUp === undefined
      ? 'not needed'
      : bringUp.alreadyUp
        ? 'up'
        : 'being brought up; scenarios start as their stages are ready';
  console.log(`${plan.scenarios} ${plan.scenarios === 1 ? 'scenario' : 'scenarios'} on target ${target} (${state})`);
}

/** Waits until the lab is whole: half a lab would be left behind otherwise. @returns why it is not, if it is not. */
async function settled(bringUp: BringUp | undefined): Promise<string | undefined> {
  if (isInterrupted()) bringUp?.stop();
  return bringUp?.done.then(() => undefined, reason);
}

runMain(async () => {
  const code = await main();
  // Clients keep connections open for reuse; nothing is left to do with them.
  setImmediate(() => process.exit(code));
  return code;
});
