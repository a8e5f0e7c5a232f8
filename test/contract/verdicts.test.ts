import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { z } from 'zod';
import { reconcile } from '../../reports/strict';
import { reportFiles } from '../../reports/writers';
import { feature, suite, type SuiteRun } from './run';

const resultShape = z.object({
  name: z.string(),
  status: z.string(),
  statusDetails: z.object({ message: z.string() }).partial(),
});

function allureResults(out: string): Map<string, z.infer<typeof resultShape>> {
  const folder = reportFiles(out).allureResults;
  const results = readdirSync(folder).filter((name) => name.endsWith('-result.json'));
  return new Map(
    results.map((name) => {
      const result = resultShape.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return [result.name, result];
    }),
  );
}

describe('a run in which nothing passes', () => {
  let red: SuiteRun;
  before(async () => {
    red = await suite(feature('red'));
  });

  const failing = [
    ['A step is undefined', 'a step that nobody defined', /No step definition matches/],
    ['A step is ambiguous', 'a step with two definitions', /More than one step definition/],
    ['A step is pending', 'a step that is pending', /not finished yet/],
    ['A step fails', 'a step that fails', /Could not do it\. Expected one\. Seen: two\. Next: mend it\./],
    ['A hook fails before', 'fail before', /the hook before failed/],
    ['A hook fails after', 'fail after', /the hook after failed/],
    ['An undo fails', 'undo what the scenario did', /it cannot be undone/],
  ] as const;

  for (const [name, step, words] of failing) {
    test(`${name}: red, with words, in every report`, () => {
      const scenario = red.run().scenarios.find((one) => one.name === name);
      assert.equal(scenario?.verdict, 'failed');
      assert.equal(scenario.failure?.step, step);
      const allure = allureResults(red.out).get(name);
      assert.match(allure?.status ?? '', /^(failed|broken)$/);
      assert.match(allure?.statusDetails.message ?? '', words);
      const junit = readFileSync(reportFiles(red.out).junit, 'utf8');
      const [, testcase = ''] =
        new RegExp(`<testcase[^>]*name="${name}"[^>]*>([\\s\\S]*?)</testcase>`).exec(junit) ?? [];
      assert.match(testcase, /<failure/);
      assert.match(testcase, words);
    });
  }

  test('it exits 1, says where each failed, and the reports agree', () => {
    assert.equal(red.exitCode, 1);
    for (const [, step] of failing) assert.ok(red.output.includes(`at: ${step}`), step);
    assert.doesNotMatch(red.output, /the messages (say|lack)|lacks "/);
    assert.match(red.output, /^0 passed, 7 failed, 1 skipped$/m);
  });

  test('the summary for a pull request names each failure and its step, and the entry of the ledger', () => {
    const summary = readFileSync(reportFiles(red.out).summary, 'utf8');
    assert.match(summary, /^### Suite: RED on embedded\n\n0 passed, 7 failed, 1 skipped in \d+ s\./);
    for (const [name, step] of failing)
      assert.ok(summary.includes(`${name}, at: ${step}\n`), `${name} is not in\n${summary}`);
    assert.match(summary, /The reports do not prove this run:\n\n- .*skipped without saying why/);
    const [, id = 'none'] = /Ledger: entry `(\S+)`, hash `[0-9a-f]{64}`/.exec(summary) ?? [];
    assert.ok(red.output.includes(`ledger    ${id} in `), id);
  });

  test('a skip without a word is named as a hole', () => {
    assert.match(red.output, /A step skips without a word was skipped without saying why/);
  });

  test('the reconciler alone comes to the same', () => {
    const { green, disagreements } = reconcile(red.out, false);
    assert.equal(green, false);
    assert.equal(disagreements.length, 1);
  });
});

test('green scenarios are green in every report', async () => {
  const green = await suite(feature('green'));
  assert.equal(green.exitCode, 0, green.output);
  assert.match(green.output, /^3 passed, 0 failed, 0 skipped$/m);
  assert.deepEqual(reconcile(green.out, true).disagreements, []);
  assert.ok([...allureResults(green.out).values()].every(({ status }) => status === 'passed'));
  assert.match(readFileSync(reportFiles(green.out).summary, 'utf8'), /^### Suite: GREEN[^]*3 passed, 0 failed/);
});

test('a declared skip says why and of which kind, and does not turn a run red in which something passed', async () => {
  const skipped = await suite(feature('skipped'));
  assert.equal(skipped.exitCode, 0, skipped.output);
  assert.match(
    skipped.output,
    /Skipped, not green for promotion:\n.*\n\s+environment: there is no browser on this machine/,
  );
  assert.equal(allureResults(skipped.out).get('The environment lacks something')?.status, 'skipped');
  assert.match(readFileSync(reportFiles(skipped.out).junit, 'utf8'), /<skipped>[\s\S]*there is no browser/);
  assert.match(
    readFileSync(reportFiles(skipped.out).summary, 'utf8'),
    /- 1 scenario, environment: there is no browser/,
  );
});

test('a run in which every scenario was skipped is red', async () => {
  const skipped = await suite(feature('skipped'), '--name', 'lacks something');
  assert.equal(skipped.exitCode, 1);
  assert.match(skipped.output, /every scenario was skipped/);
});

test('a scenario without steps is red', async () => {
  const empty = await suite(feature('empty'));
  assert.equal(empty.exitCode, 1);
  assert.match(empty.output, /A scenario without steps has no steps/);
});
