import { resolve } from 'node:path';
import { Command } from 'commander';
import { generateAllure } from '../../reports/allure';
import { writeEnvironment } from '../../reports/environment';
import { writeMarkdown } from '../../reports/markdown';
import { runPages } from '../../reports/pages';
import { reconcile } from '../../reports/strict';
import { summary } from '../../reports/summary';
import { sweep } from '../../reports/sweep';
import { OperatorError, reason, runMain } from '../failure';
import { reportsOut } from '../paths';
import { recordSuite } from './evidence';
import { makeReports, mergedEnvironment, readShards, shardFiles } from './merge';

/** Makes one run of several shards: one set of reports, one verdict, one entry in the ledger. */
async function merge(folders: readonly string[]): Promise<number> {
  const started = performance.now();
  const paths = folders.map((folder) => resolve(folder));
  if (paths.includes(reportsOut)) {
    throw new OperatorError({
      attempted: 'put the shards together',
      where: reportsOut,
      seen: 'the reports of a shard lie where those of the whole run belong',
      next: 'run the shards with REPORTS_OUT=shard-1 and so on, or set REPORTS_OUT to another folder here.',
      exitCode: 2,
    });
  }
  const shards = readShards(paths);
  await makeReports(reportsOut, shards);
  const { environment: tested, problems: differing } = mergedEnvironment(shards);
  const environment = writeEnvironment(reportsOut, tested);
  const allureFailure = await generateAllure(
    reportsOut,
    environment,
    runPages(reportsOut, environment.target, new Date(0)),
  ).then(() => undefined, reason);
  const result = reconcile(
    reportsOut,
    shards.every(({ record }) => record.success),
  );
  const { scenarios } = shards[0]?.record.whole ?? { scenarios: 0 };
  const ran = result.run.scenarios.length;
  const disagreements = [
    ...result.disagreements,
    ...(ran === scenarios ? [] : [`${scenarios} scenarios were dealt out, ${ran} are in the shards`]),
    ...shards.flatMap(({ record }) => record.problems.map((problem) => `shard ${record.shard.index}: ${problem}`)),
    ...shards
      .filter(({ record }) => record.interrupted)
      .map(({ record }) => `shard ${record.shard.index} was interrupted`),
    ...differing,
    ...(allureFailure === undefined ? [] : [allureFailure]),
    ...sweep(reportsOut),
  ];
  const proved = result.green && disagreements.length === 0;
  const reconciliation = { ...result, disagreements };
  const began = new Date(Math.min(...shards.map(({ record }) => Date.parse(record.began))));
  const facts = {
    shards: shards
      .map(({ record }) => `${record.shard.index}/${record.shard.of}: ${record.features.join(' ')}`)
      .join('\n'),
  };
  const whole = shards.every(({ record }) => record.entire);
  const run = {
    out: reportsOut,
    whole,
    reconciliation,
    green: proved,
    environment,
    began,
    facts,
    keep: shardFiles(shards),
  };
  const recorded = await recordSuite({ ...run, script: 'merge' }).catch(reason);
  if (typeof recorded === 'string') disagreements.push(`ledger: ${recorded}`);
  const green = proved && typeof recorded !== 'string';
  const seconds = (performance.now() - started) / 1000;
  const kept = typeof recorded === 'string' ? undefined : recorded;
  const ended = { reconciliation: { ...reconciliation, green }, environment, recorded: kept };
  writeMarkdown(reportsOut, ended);
  console.log(summary(reportsOut, ended.reconciliation, seconds, kept));
  return green ? 0 : 1;
}

const program = new Command('npm run merge --')
  .description(
    'Makes one run of its shards: one set of reports under reports/out (REPORTS_OUT), one entry in the ledger.',
  )
  .argument('<folder...>', 'reports of every shard, in any order')
  .addHelpText(
    'after',
    `
Examples:
  REPORTS_OUT=shard-1 npm run suite -- --shard 1/2
  REPORTS_OUT=shard-2 npm run suite -- --shard 2/2
  npm run merge -- shard-1 shard-2

Exit code: 0 all shards green and together the whole, 1 red, 2 they do not fit together.`,
  )
  .exitOverride((end) => {
    throw end;
  });

runMain(async () => {
  try {
    program.parse();
  } catch (thrown) {
    const ended = thrown as { code?: string; exitCode?: number };
    if (ended.code?.startsWith('commander.')) return ended.exitCode === 0 ? 0 : 2;
    throw thrown;
  }
  return merge(program.args);
});
