import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { run, type CommandResult } from '../../support/command';
import { projectRoot } from '../../support/paths';

describe('the check of features against step definitions', () => {
  let result: CommandResult;
  before(async () => {
    const config = 'test/contract/fixtures/steps-check.js';
    const check = ['-r', 'ts-node/register', 'test/steps.ts', config];
    result = await run('node', check, { cwd: projectRoot, allowFailure: true });
  });

  const problems = [
    ['undefined', /undefined: "a step that nobody defined" \(.*red\.feature\)/],
    ['ambiguous', /ambiguous: "a step with two definitions" .* matches 2 definitions/],
    ['unused', /unused: "a step that no feature uses" \(.*fixtures\.steps\.ts:\d+\)/],
    ['without a Then', /without a Then: "A scenario without steps"/],
    ['the same name twice', /same name twice: "It waits for second"/],
    ['an unknown stage', /unknown stage: @needs:second/],
  ] as const;
  for (const [what, words] of problems) test(`${what} fails`, () => assert.match(result.stderr, words));

  test('it exits with 1 and a next step', () => {
    assert.equal(result.exitCode, 1);
    assert.match(result.stderr, /Next: /);
  });
});
