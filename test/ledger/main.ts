import { Command } from 'commander';
import { readCommandLine } from '../../support/command-line';
import { OperatorError, runMain } from '../../support/failure';
import { tryCorruptions, tryKills, tryWriters, type Trials } from './trials';

/** The ledger's trials in full; `npm test` makes some of each. */
async function main(): Promise<number> {
  const program = new Command('npm run tampering --')
    .description(
      'Damages copies of a ledger at random, and kills processes that append: all damage must be found, no other.',
    )
    .option('--corruptions <number>', 'copies to damage, and as many left untouched', '1000')
    .option('--kills <number>', 'kill -9 of a process that appends', '200')
    .option('--seed <number>', 'of the random choices', '7')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run tampering\n  npm run tampering -- --corruptions 50 --kills 10 --seed 3\n\nExit code: 0 all damage was found and no other, 1 not, 2 wrong arguments.',
    )
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!readCommandLine('tampering', () => void program.parse())) return 0;
  const options = program.opts<Record<'corruptions' | 'kills' | 'seed', string>>();
  const [corruptions, kills, seed] = [options.corruptions, options.kills, options.seed].map(wholeNumber);
  let failed = 0;
  const tell = (what: string, { done, failures, answers }: Trials, began: number): void => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${what}: ${done} done, ${failures.length} wrong, ${seconds} s, seed ${seed ?? 0}`);
    for (const [answer, times] of [...answers].sort()) console.log(`  ${String(times).padStart(5)}  ${answer}`);
    for (const failure of failures.slice(0, 20)) console.log(`  WRONG  ${failure}`);
    failed += failures.length;
  };
  let began = performance.now();
  tell('corruptions, each with an untouched copy', await tryCorruptions(corruptions ?? 0, seed ?? 0), began);
  began = performance.now();
  tell('kills', await tryKills(kills ?? 0, seed ?? 0), began);
  const { expected, entries, problem } = await tryWriters(4, 50);
  console.log(`writers: 4 at once, ${expected} entries expected, ${entries} there${problem ? `; ${problem}` : ''}`);
  if (entries !== expected || problem !== undefined) failed += 1;
  return failed === 0 ? 0 : 1;
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new OperatorError({
    attempted: 'read the command line',
    expected: 'a whole number',
    seen: text,
    next: 'see `npm run tampering -- --help`.',
    exitCode: 2,
  });
}

runMain(main);
