import { Command, InvalidArgumentError } from 'commander';
import { textTable } from '../support/evidence/findings-table';
import { registerSandboxSecrets } from '../support/evidence/known-secrets';
import { redactor } from '../support/evidence/redaction';
import { readCommandLine, runMainAndExit } from '../support/command-line';
import { OperatorError, reason } from '../support/failure';
import { assertMayAct } from '../support/target/start';
import { isInterrupted } from '../support/interruption';
import type { Benchmark } from './benchmark';
import { endInOrder } from './ending';
import { benchmarks } from './registry';
import { readResults, writeResult, type Result } from './results';
import { defaultRuns, measure } from './runner';
import { markdownTables, terminalTable } from './tables';

const examples = `
Examples:
  npm run bench -- --list
  npm run bench -- guard gate-dns
  npm run bench -- nodes-ready --runs 5
  npm run bench -- evidence              all of evidence-verify, evidence-append and so on
  npm run --silent bench -- --table

Results lie under reports/out/bench/. No figure makes this fail.

Exit code: 0 all were measured, 1 one could not be, 2 wrong arguments, 130 interrupted.`;

async function main(): Promise<number> {
  const command = new Command('npm run bench --')
    .description('Measures the lab and the suite; one JSON a benchmark with all raw runs, and a table.')
    .argument('[names...]', 'benchmarks to run (default: all, also those that take the lab down and up again)')
    .option('--list', 'list the benchmarks and what each does to the lab', false)
    .option('--runs <number>', 'runs of each benchmark', wholeNumber, defaultRuns)
    .option('--table', 'measure nothing; print the results there are as Markdown for docs/performance.md', false)
    .addHelpText('after', examples)
    .configureOutput({ writeErr: () => undefined })
    .exitOverride();
  if (!readCommandLine('bench', () => void command.parse())) return 0;
  const options = command.opts<{ list: boolean; runs: number; table: boolean }>();
  const chosen = choose(command.args);
  if (options.list) console.log(listOf(chosen));
  else if (options.table) console.log(tableOf(chosen));
  else return measureAll(chosen, options.runs);
  return 0;
}

/** Measures one after another: two at once would measure each other. */
async function measureAll(chosen: readonly Benchmark[], runs: number): Promise<number> {
  await assertMayAct();
  registerSandboxSecrets(redactor);
  endInOrder();
  const results: Result[] = [];
  const failures: string[] = [];
  for (const benchmark of chosen) {
    if (isInterrupted()) break;
    const say = (line: string): void => {
      console.log(`${new Date().toISOString().slice(11, 19)} ${benchmark.name}: ${redactor.text(line)}`);
    };
    try {
      const result = await measure(benchmark, benchmark.once ? 1 : runs, say);
      say(`written to ${writeResult(result)}`);
      results.push(result);
    } catch (thrown) {
      if (!isInterrupted() && !(thrown instanceof OperatorError)) throw thrown;
      failures.push(benchmark.name);
      say(isInterrupted() ? `no result: ${reason(thrown)}` : reason(thrown));
    }
  }
  if (results.length > 0) console.log(`\n${terminalTable(results)}`);
  console.log(`${results.length} measured, ${chosen.length - results.length} not`);
  if (isInterrupted()) return 130;
  return failures.length === 0 ? 0 : 1;
}

function choose(names: readonly string[]): Benchmark[] {
  // `evidence` is all of `evidence-verify`, `evidence-append` and so on.
  const means = (asked: string, name: string): boolean => name === asked || name.startsWith(`${asked}-`);
  const unknown = names.find((asked) => !benchmarks.some(({ name }) => means(asked, name)));
  if (unknown === undefined) {
    return benchmarks.filter(({ name }) => names.length === 0 || names.some((asked) => means(asked, name)));
  }
  throw wrong('find the benchmark', unknown, `use one of ${benchmarks.map(({ name }) => name).join(', ')}.`);
}

function listOf(chosen: readonly Benchmark[]): string {
  const rows = chosen.map(({ name, what, unit, touches }) => [name, unit, what, touches ?? 'nothing']);
  return textTable(['benchmark', 'unit', 'what', 'does to the lab'], rows);
}

/** @throws OperatorError when nothing was measured yet. */
function tableOf(chosen: readonly Benchmark[]): string {
  const results = readResults(chosen.map(({ name }) => name));
  if (results.length > 0) return redactor.text(markdownTables(results));
  throw wrong('print the table', 'no results', 'measure first: `npm run bench -- guard`.');
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number from 1.');
}

function wrong(attempted: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted, seen, next, exitCode: 2 });
}

runMainAndExit(main);
