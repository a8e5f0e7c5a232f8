import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OperatorError } from '../../support/failure';
import { projectRoot } from '../../support/paths';
import { parseArguments } from '../../support/suite/arguments';
import { planRun, type Plan } from '../../support/suite/plan';
import { feature, suite } from './run';

async function plan(...args: readonly string[]): Promise<Plan> {
  const parsed = parseArguments([...args, '--config', join(projectRoot, 'test/contract/fixtures/cucumber.js')]);
  assert.ok(parsed);
  return planRun(parsed, ['first', 'second']);
}

const wrong = [
  ['an unknown tag', ['--tags', '@nosuch', feature('green')], /find the tag on @nosuch\..*Next: leave --tags away/],
  [
    'an unknown tag in an expression',
    ['--tags', 'not @nosuch', feature('red')],
    /@nosuch.*use one of @after, @ambiguous/,
  ],
  ['a broken tag expression', ['--tags', '@red and and', feature('red')], /Could not read the tag expression/],
  ['an unknown path', ['features/nosuch.feature'], /find features on features\/nosuch\.feature/],
  ['a name nobody has', ['--name', 'nosuch', feature('green')], /select a scenario.*no scenario matches/],
  ['a line without a scenario', [`${feature('green')}:999`], /select a scenario/],
  ['an unknown option', ['--nosuch'], /unknown option '--nosuch'/],
  ['a retry', ['--retry', '2'], /a verdict is never retried/],
  ['a formatter of one’s own', ['--format=json'], /behind the redaction/],
] as const;

for (const [what, args, words] of wrong) {
  test(`${what} is refused with a sentence and exit code 2`, async () => {
    await assert.rejects(plan(...args), (thrown: unknown) => {
      assert.ok(thrown instanceof OperatorError);
      assert.match(thrown.message, words);
      assert.equal(thrown.parts.exitCode, 2);
      return true;
    });
  });
}

test('the command prints only that sentence, exits with 2 and runs nothing', async () => {
  const run = await suite('--tags', '@nosuch', feature('red'));
  assert.equal(run.exitCode, 2, run.output);
  assert.match(run.output.trim(), /^Could not find the tag on @nosuch\..*$/);
  assert.equal(existsSync(run.out), false);
});

test('--help says how, with examples', async () => {
  const run = await suite('--help');
  assert.equal(run.exitCode, 0);
  assert.match(run.output, /Examples:/);
});

test('several tags must all hold', async () => {
  assert.equal((await plan('--tags', '@red', '--tags', '@before or @after', feature('red'))).scenarios, 2);
});

test('a line selects its scenario', async () => {
  const { scenarios, configuration } = await plan(`${feature('green')}:4`);
  assert.equal(scenarios, 1);
  assert.deepEqual(configuration.sources.paths, [`${feature('green')}:4`]);
});

test('the stages that scenarios wait for are known before anything starts', async () => {
  const { needs } = await plan(feature('needs-second'), feature('needs-first'), feature('green'));
  assert.deepEqual([...needs].sort(), ['first', 'second']);
});

test('what judges the whole run runs after all others', async () => {
  const { output } = await suite(feature('last'), feature('green'));
  const ran = [...output.matchAll(/^passed .* › (.*)$/gm)].map(([, name]) => name);
  assert.equal(ran.length, 5, output);
  assert.equal(ran.at(-1), 'The judge of the run');
});
