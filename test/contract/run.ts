import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../support/command';
import { projectRoot } from '../../support/paths';
import { readMessages, runOf, type Run } from '../../reports/scenarios';
import { reportFiles } from '../../reports/writers';

/** A finished run of the real suite command over fixture features. */
export interface SuiteRun {
  exitCode: number;
  output: string;
  /** Its reports' folder. */
  out: string;
  run(): Run;
}

const home = mkdtempSync(join(tmpdir(), 'suite-contract-'));
process.once('exit', () => rmSync(home, { recursive: true, force: true }));

let runs = 0;

/** Runs `npm run suite` on fixture features, with reports and lab folder of its own; needs no lab and no root. */
export function suite(...args: readonly string[]): Promise<SuiteRun> {
  return suiteWith('cucumber', args);
}

/** The same with another of the fixtures' configurations. */
export async function suiteWith(configuration: string, args: readonly string[]): Promise<SuiteRun> {
  const folder = newFolder();
  const out = join(folder, 'out');
  const config = join(projectRoot, `test/contract/fixtures/${configuration}.js`);
  const { exitCode, stdout, stderr } = await run(
    'node',
    ['-r', 'ts-node/register', 'support/suite/main.ts', '--config', config, ...args],
    { cwd: projectRoot, env: { REPORTS_OUT: out, LAB_HOME: join(folder, 'lab') }, allowFailure: true },
  );
  return { exitCode, output: `${stdout}\n${stderr}`, out, run: () => runOf(readMessages(reportFiles(out).messages)) };
}

/** Puts the reports of shards together with the real command. */
export async function merge(...folders: readonly string[]): Promise<SuiteRun> {
  const out = join(newFolder(), 'out');
  const { exitCode, stdout, stderr } = await run(
    'node',
    ['-r', 'ts-node/register', 'support/suite/merge-main.ts', ...folders],
    { cwd: projectRoot, env: { REPORTS_OUT: out }, allowFailure: true },
  );
  return { exitCode, output: `${stdout}\n${stderr}`, out, run: () => runOf(readMessages(reportFiles(out).messages)) };
}

/** A folder for one run, gone when the tests are over. */
export function newFolder(): string {
  const folder = join(home, String(++runs));
  mkdirSync(folder);
  return folder;
}

/** Path of a fixture feature. */
export function feature(name: string): string {
  return `test/contract/fixtures/features/${name}.feature`;
}
