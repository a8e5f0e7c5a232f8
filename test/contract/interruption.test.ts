import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readMessages, runOf } from '../../reports/scenarios';
import { reportFiles } from '../../reports/writers';
import { childEnvironment } from '../../support/command';
import { eventually } from '../../support/eventually';
import { projectRoot } from '../../support/paths';
import { feature, newFolder, suiteWith } from './run';

interface Running {
  child: ChildProcess;
  folder: string;
  output(): string;
  exit: Promise<number | null>;
}

/** Starts the suite on the waiting feature and returns when its step waits. */
async function waiting(folder: string): Promise<Running> {
  const progress = join(folder, 'progress');
  const config = join(projectRoot, 'test/contract/fixtures/cucumber.js');
  const child = spawn(
    'node',
    ['-r', 'ts-node/register', 'support/suite/main.ts', '--config', config, feature('waiting')],
    {
      cwd: projectRoot,
      env: childEnvironment({
        REPORTS_OUT: join(folder, 'out'),
        LAB_HOME: join(folder, 'lab'),
        FIXTURE_PROGRESS: progress,
      }),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  await eventually(
    'the scenario waits',
    async () => {
      const met = existsSync(progress) && readFileSync(progress, 'utf8').includes('waiting');
      return {
        subject: 'progress',
        status: met ? 'met' : 'unmet',
        expected: 'waiting',
        actual: output,
        source: progress,
      };
    },
    { ms: 120_000 },
  );
  return { child, folder, output: () => output, exit };
}

test('Ctrl-C ends the wait, undoes, skips the rest, writes the reports, exits with 130', async () => {
  const { child, folder, output, exit } = await waiting(newFolder());
  child.kill('SIGINT');
  assert.equal(await exit, 130, output());
  assert.match(readFileSync(join(folder, 'progress'), 'utf8'), /undone/);
  assert.deepEqual(readdirSync(join(folder, 'lab', 'undo')), []);
  const [first, second] = runOf(readMessages(reportFiles(join(folder, 'out')).messages)).scenarios;
  assert.equal(first?.verdict, 'failed');
  assert.match(first.failure?.message ?? '', /Seen: SIGINT/);
  assert.equal(second?.verdict, 'skipped');
  assert.match(second.skip?.why ?? '', /interrupted/);
  assert.ok(existsSync(reportFiles(join(folder, 'out')).allure));
});

test('a killed suite leaves its undo on disk and the scenarios before it in the messages', async () => {
  const { child, folder, exit } = await waiting(newFolder());
  child.kill('SIGKILL');
  await exit;
  assert.equal(readdirSync(join(folder, 'lab', 'undo')).length, 1);
  assert.ok(readMessages(reportFiles(join(folder, 'out')).messages).length > 0);
});

test('a failing hook of the run is red, said without its secret, and leaves reports that can be read', async () => {
  const run = await suiteWith('before-all', [feature('green')]);
  assert.equal(run.exitCode, 1);
  assert.match(run.output, /nothing can begin with \[redacted\]/);
  assert.match(run.output, /no scenario ran/);
  assert.match(readFileSync(reportFiles(run.out).junit, 'utf8'), /tests="0"/);
  const said = readdirSync(run.out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of said)
    assert.doesNotMatch(readFileSync(join(entry.parentPath, entry.name), 'utf8'), /Canary-BeforeAll/);
});
