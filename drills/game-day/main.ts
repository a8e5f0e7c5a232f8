import { Command } from 'commander';
import { recordDrills } from '../../support/evidence/drill-evidence';
import { repeatable } from '../../support/evidence/ledger';
import { readCommandLine, runMainAndExit } from '../../support/command-line';
import { OperatorError, reason } from '../../support/failure';
import { assertMayAct } from '../../support/target/start';
import { interrupt, isInterrupted } from '../../support/interruption';
import { runbookFile } from '../../support/paths';
import { selectTarget, type Target } from '../../support/target';
import { Leftovers } from '../../support/undo';
import type { DrillDefinition } from '../definition';
import { journalFolder, readJournals, type Journal } from '../journal';
import { asText } from '../recorder';
import { drillNamed, drills } from '../registry';
import { end, isKilledOn, kept } from '../resume';
import { LeftHalfWay, runDrill } from '../run';
import { adoptUndo, undoLeft } from '../undo';
import { gameDayOperator } from './operator';
import { writePatch } from './patch';
import { openTerminal, type Terminal } from './terminal';

async function main(): Promise<number> {
  const ids = parse(process.argv.slice(2));
  if (ids === undefined) return 0;
  if (!process.stdin.isTTY) {
    const next =
      'run it in a terminal, over SSH with `ssh -t`; or drill without an operator: `npm run drill -- run ID`.';
    throw new OperatorError({
      attempted: 'hold a game day',
      expected: 'an operator at a terminal',
      seen: 'none',
      next,
      exitCode: 2,
    });
  }
  await assertMayAct();
  const target = selectTarget();
  const leave = target.occupy();
  const terminal = openTerminal();
  process.on('SIGINT', () => {
    if (isInterrupted()) process.exit(130);
    const next = 'the drill was undone; the same command begins it anew.';
    interrupt(new OperatorError({ attempted: 'finish the game day', seen: 'Ctrl-C', next, exitCode: 130 }));
    terminal.say('\nundoing the drill');
  });
  try {
    const leftovers = new Leftovers();
    const killed = readJournals().filter((one) => one.mode === 'game day' && isKilledOn(target, one));
    const left = killed.flatMap((journal) => goOn(journal, target, leftovers));
    for (const journal of killed.filter((one) => !left.some((day) => day.journal === one)))
      await endDay(journal, terminal);
    for (const { drill, journal } of left) terminal.say(`Going on with ${drill.id}, begun ${journal.started}.`);
    // Of a day that was killed before its fault was there, and of other runs.
    const undone = await undoLeft(target, leftovers);
    for (const description of undone) terminal.say(`undone: ${description}`);
    if (ids.length === 0 && left.length === 0 && killed.length > 0) {
      terminal.say('Begin it anew with `npm run game-day -- ID`.');
      return 1;
    }
    const chosen = ids.length > 0 ? ids.map(drillNamed) : left.length > 0 ? [] : drills;
    const rest = chosen.filter(({ id }) => !left.some(({ drill }) => drill.id === id));
    const verdicts: string[] = [];
    for (const day of [...left, ...rest.map((drill): Day => ({ drill }))]) {
      terminal.assertOpen();
      verdicts.push(await hold(day, terminal, target));
    }
    return verdicts.every((verdict) => verdict === 'survived') ? 0 : 1;
  } finally {
    terminal.close();
    leave();
  }
}

/** A drill to be held, or one that was left and is gone on with. */
interface Day {
  drill: DrillDefinition;
  journal?: Journal;
  /** Drops the undo of the process that left it: this one has its own. */
  release?: () => void;
}

/** The day that was left, when its fault still is in this sandbox: nobody has undone it since. */
function goOn(journal: Journal, target: Target, leftovers: Leftovers): Required<Day>[] {
  if (journal.injectedAt === null || journal.target.identity !== (target.identity() ?? null)) return [];
  const release = adoptUndo(leftovers, target.identity(), journal.drill);
  return release === undefined ? [] : [{ drill: drillNamed(journal.drill), journal, release }];
}

async function endDay(journal: Journal, terminal: Terminal): Promise<void> {
  end(journal, undefined, 'It was left, and what it had broken was undone before anybody went on.');
  terminal.say(`${journal.id} cannot be gone on with: its fault is not there any more. It ended as inconclusive.`);
  terminal.say(await kept(journal));
}

/** One drill of the day. @returns its verdict. */
async function hold({ drill, journal: resumed, release }: Day, terminal: Terminal, target: Target): Promise<string> {
  const variables = Object.entries(drill.variables ?? {}).map(([name, value]) => `${name}=${value}`);
  const operator = gameDayOperator(terminal, variables.join('\n'));
  const say = (line: string): void => terminal.say(line);
  const began = new Date();
  const journal = await runDrill(target, drill, {
    operator,
    say,
    ...(resumed === undefined ? {} : { resumed }),
    ...(release === undefined ? {} : { release }),
  }).catch(async (thrown: unknown) => {
    // Interrupted, it was undone and has ended; left half-way, it has not, and is gone on with.
    if (!(thrown instanceof LeftHalfWay)) await keep(terminal, resumed ?? began);
    throw thrown;
  });
  terminal.say(`\n${asText(journal)}`);
  await keep(terminal, journal);
  const patch = writePatch(runbookFile(), journal);
  if (patch !== undefined) terminal.say(`The runbook lacks what you did: ${patch} puts it in (git apply).`);
  return journal.verdict ?? 'not ended';
}

/** Appends a drill of the day to the ledger, by its journal or by when it began. */
async function keep(terminal: Terminal, which: Journal | Date): Promise<void> {
  const about = which instanceof Date ? { since: which } : { since: new Date(which.started), journal: which.id };
  await recordDrills(journalFolder, { kind: 'game-day', command: repeatable('game-day'), ...about }).then(
    (recorded) => terminal.say(`ledger: ${recorded?.id ?? 'no journal to keep'}`),
    (thrown: unknown) => terminal.say(`The verdict stands, but is not in the ledger. ${reason(thrown)}`),
  );
}

function parse(argv: readonly string[]): string[] | undefined {
  const command = new Command('npm run game-day --')
    .description(
      'An operator recovers the sandbox by the runbook, step by step. Goes on with a day that was left half-way.',
    )
    .argument('[ids...]', 'drills (default: all)')
    .configureOutput({ writeErr: () => undefined })
    .exitOverride()
    .addHelpText(
      'after',
      '\nExamples:\n  npm run game-day\n  npm run game-day -- vault-seal\n\nExit code: 0 every drill survived, 1 not, 2 no terminal, 130 Ctrl-C.',
    );
  const given = readCommandLine('game-day', () => void command.parse([...argv], { from: 'user' }));
  return given ? command.args : undefined;
}

runMainAndExit(main);
