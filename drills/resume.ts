import type { Finding } from '../support/finding';
import { findingsTable } from '../support/evidence/findings-table';
import { recordDrills } from '../support/evidence/drill-evidence';
import { OperatorError, reason } from '../support/failure';
import { assertMayAct } from '../support/target/start';
import { processIdentity } from '../support/process';
import { selectTarget, type Target } from '../support/target';
import { drillContext, type DrillContext } from './definition';
import { journalFolder, readJournals, writeJournal, type Journal } from './journal';
import { prove } from './proof';
import { probeSteadyState } from './steady-state';
import { undoLeft } from './undo';

/** How long the sandbox may need to be whole again, in milliseconds. */
const healingMs = 300_000;

/** Undoes what killed drills left, proves the steady state, and ends their journals. @returns the exit code. */
export async function resume(): Promise<number> {
  await assertMayAct();
  const target = selectTarget();
  const leave = target.occupy();
  try {
    const done = await undoLeft(target);
    for (const description of done) console.log(`undone: ${description}`);
    const killed = readJournals().filter((journal) => isKilledOn(target, journal));
    for (const journal of killed) {
      end(journal);
      console.log(`ended as inconclusive: ${journal.id}`);
      console.log(await kept(journal));
    }
    if (done.length === 0 && killed.length === 0) console.log('No drill was left half-way.');
    await proveWhole(drillContext(target));
    console.log('The sandbox is in its steady state.');
    return 0;
  } finally {
    leave();
  }
}

/** Appends a killed drill to the ledger, which its own process could not. @returns what to say of it. */
export async function kept({ id, drill, mode, started }: Journal, folder = journalFolder): Promise<string> {
  const [kind, command] =
    mode === 'game day'
      ? (['game-day', `npm run game-day -- ${drill}`] as const)
      : (['drill', `npm run drill -- run ${drill}`] as const);
  return recordDrills(folder, { kind, command, since: new Date(started), journal: id }).then(
    (recorded) => `ledger: ${recorded?.id ?? 'no journal to keep'}`,
    (thrown: unknown) => `It is not in the ledger. ${reason(thrown)}`,
  );
}

/** A journal without an end whose process is gone. */
export function isKilled({ ended, process: { pid, identity } }: Journal): boolean {
  return ended === null && processIdentity(pid) !== identity;
}

/** The same of a drill on this target: what another one has is left to it. */
export function isKilledOn(target: Pick<Target, 'name'>, journal: Journal): boolean {
  return journal.target.name === target.name && isKilled(journal);
}

/** Ends the journal of a drill that was killed. @param why default: in which phase. */
export function end(journal: Journal, folder?: string, why?: string): void {
  const phase = journal.phases.at(-1)?.phase ?? 'gate';
  const reason = why ?? `The process that ran it was gone in the phase ${phase}.`;
  writeJournal({ ...journal, ended: new Date().toISOString(), verdict: 'inconclusive', reason }, folder);
}

async function proveWhole(context: DrillContext): Promise<void> {
  let last: readonly Finding[] = [];
  const look = (): Promise<Finding[]> => probeSteadyState(context);
  const onEnd = (findings: readonly Finding[]): void => void (last = findings);
  await prove({ passes: 1, ms: healingMs, look, onEnd }).catch((thrown: unknown) => {
    console.log(findingsTable(last.filter(({ status }) => status !== 'met')));
    throw new OperatorError({
      attempted: 'bring the sandbox back to its steady state',
      seen: 'the table above',
      next: 'mend what it names, or begin with a clean lab: `npm run lab -- down && npm run lab -- up`.',
      cause: thrown,
    });
  });
}
