import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestStepResultStatus } from '@cucumber/messages';
import type { FailurePoint, Run, Scenario } from '../../reports/scenarios';
import type { PlantedFault } from '../faults/fault';
import { judge } from '../faults/judge';
import { plantedFaults } from '../faults/registry';
import { turned } from '../../support/rotation';

const planted: PlantedFault = {
  fault: {
    name: 'gitea-stopped',
    breaks: 'Gitea is stopped.',
    plant: async () => undefined,
    heal: async () => undefined,
  },
  feature: 'features/canary.feature',
  scenario: 'The chain holds',
  redAt: { step: 'these links hold:', says: /link repository/ },
};

function run(scenario: Partial<Scenario>): Run {
  const passed: Scenario = {
    uri: planted.feature,
    feature: 'Canary',
    name: planted.scenario,
    longName: planted.scenario,
    line: 3,
    verdict: 'passed',
    seconds: 1,
    steps: 3,
  };
  return { scenarios: [{ ...passed, ...scenario }], unfinished: [], runFailures: [], success: false };
}

function failure(step: string, message: string): Partial<Scenario> {
  const point: FailurePoint = { step, kind: 'step', status: TestStepResultStatus.FAILED, message };
  return { verdict: 'failed', failure: point };
}

const verdictOf = (scenario: Partial<Scenario>): string => judge(planted, run(scenario)).verdict;

test('red at the step with the words is caught', () => {
  assert.equal(verdictOf(failure('these links hold:', 'link repository is broken')), 'caught');
});

test('green although the fault was there is missed', () => assert.equal(verdictOf({}), 'missed'));

test('red at another step, or without the words, is blamed elsewhere', () => {
  assert.equal(verdictOf(failure('the app is prepared', 'link repository is broken')), 'blamed elsewhere');
  assert.equal(verdictOf(failure('these links hold:', 'link database is broken')), 'blamed elsewhere');
});

test('skipped, or not there at all, is not run', () => {
  assert.equal(verdictOf({ verdict: 'skipped', skip: { kind: 'capability', why: 'no power' } }), 'not run');
  assert.equal(verdictOf({ name: 'Another scenario' }), 'not run');
});

test('every planted fault has a name of its own', () => {
  const names = plantedFaults.map(({ fault }) => fault.name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 0);
});

test('a run that is short of time begins elsewhere every day, and leaves none out for good', () => {
  const all = plantedFaults.map(({ fault }) => fault.name);
  const begins = new Set(all.flatMap((_, day) => turned(all, day).slice(0, 10)));
  assert.deepEqual([...begins].sort(), [...all].sort());
  assert.deepEqual(turned(all, 20_000).sort(), [...all].sort());
  assert.notEqual(turned(all, 20_000)[0], turned(all, 20_001)[0]);
});
