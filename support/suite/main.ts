import { reconcile } from '../../reports/strict';
import { generateAllure } from '../../reports/allure';
import { runPages } from '../../reports/pages';
import { readEnvironment, writeEnvironment } from '../../reports/environment';
import { writeMarkdown } from '../../reports/markdown';
import { summary } from '../../reports/summary';
import { sweep } from '../../reports/sweep';
import { reportFiles } from '../../reports/writers';
import { runMainAndExit } from '../command-line';
import { reason } from '../failure';
import { assertStartAllowed } from '../isolation/startup';
import { isInterrupted } from '../interruption';
import { reportsOut } from '../paths';
import { selectTarget, type BringUp, type Target } from '../target';
import { parseArguments, runsWholeFeatures } from './arguments';
import { recordSuite } from './evidence';
import { endOnSignals } from './signals';
import { planRun, type Plan } from './plan';
import { runScenarios } from './scenarios';
import { sha256Of, writeShardRecord, type ShardRecord } from './shard';

/** Exit code of a process ended by Ctrl-C, as shells report it. */
const interruptedExit = 130;

async function main(): Promise<number> {
  const args = parseArguments(process.argv.slice(2));
  if (args === undefined) return 0;
  // Whether the target is its own is proven below, for scenarios that need it.
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
    const allureFailure = await generateAllure(
      reportsOut,
      environment,
      runPages(reportsOut, environment.target, began),
    ).then(() => undefined, reason);
    const result = reconcile(reportsOut, success);
    const problems = [bringUpFailure, allureFailure, ...sweep(reportsOut)].filter((problem) => problem !== undefined);
    const disagreements = [...result.disagreements, ...problems];
    const proved = result.green && problems.length === 0 && !isInterrupted();
    const reconciliation = { ...result, disagreements };
    if (plan.part !== undefined) {
      const seconds = (performance.now() - started) / 1000;
      const leaving = await leavingPackets(target);
      disagreements.push(...leaving);
      keepShard({ ...plan.part, entire: runsWholeFeatures(args), began, success, problems: [...problems, ...leaving] });
      const green = proved && leaving.length === 0;
      console.log(summary(reportsOut, { ...reconciliation, green }, seconds));
      return isInterrupted() ? interruptedExit : green ? 0 : 1;
    }
    // A run that is not in the ledger is evidence of nothing.
    const recorded = await recordSuite({
      out: reportsOut,
      reconciliation,
      green: proved,
      environment,
      began,
      whole: runsWholeFeatures(args),
    }).catch(reason);
    if (typeof recorded === 'string') disagreements.push(`ledger: ${recorded}`);
    else for (const note of recorded.notes) console.log(`ledger | ${note}`);
    const green = proved && typeof recorded !== 'string';
    const seconds = (performance.now() - started) / 1000;
    const kept = typeof recorded === 'string' ? undefined : recorded;
    const ended = { reconciliation: { ...reconciliation, green }, environment, seconds, recorded: kept };
    writeMarkdown(reportsOut, ended);
    console.log(summary(reportsOut, ended.reconciliation, seconds, kept));
    return isInterrupted() ? interruptedExit : green ? 0 : 1;
  } finally {
    leave();
  }
}

/** A shard's sandbox is judged by itself: only one of them runs the scenario that judges the edge. */
async function leavingPackets(target: Target): Promise<string[]> {
  const counted = Object.entries((await target.packetsLeaving().catch(() => undefined)) ?? {});
  return counted.filter(([, packets]) => packets > 0).map(([way, packets]) => `${packets} packets ${way}`);
}

/** Leaves what `npm run merge` needs; the ledger gets one entry for all shards together. */
function keepShard(part: Omit<ShardRecord, 'version' | 'began' | 'messages' | 'interrupted'> & { began: Date }): void {
  writeShardRecord(reportsOut, {
    version: 1,
    ...part,
    began: part.began.toISOString(),
    interrupted: isInterrupted(),
    messages: sha256Of(reportFiles(reportsOut).messages),
  });
  const { index, of } = part.shard;
  console.log(
    `shard ${index}/${of} | not in the ledger until \`npm run merge -- FOLDER...\` has put all ${of} together`,
  );
}

function announce(plan: Plan, target: string, bringUp: BringUp | undefined): void {
  const state =
    bringUp === undefined
      ? 'not needed'
      : bringUp.alreadyUp
        ? 'up'
        : 'being brought up; scenarios start as their stages are ready';
  const part = plan.part === undefined ? '' : `, part ${plan.part.shard.index} of ${plan.part.shard.of}`;
  const scenarios = plan.scenarios === 1 ? 'scenario' : 'scenarios';
  console.log(`${plan.scenarios} ${scenarios} on target ${target} (${state})${part}`);
}

/** Waits until the lab is whole: half a lab would be left behind otherwise. @returns why it is not, if it is not. */
async function settled(bringUp: BringUp | undefined): Promise<string | undefined> {
  if (isInterrupted()) bringUp?.stop();
  return bringUp?.done.then(() => undefined, reason);
}

runMainAndExit(main);
