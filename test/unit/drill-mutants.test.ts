import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { applyPatch } from 'diff';
import { withImprovisedSteps, writePatch } from '../../drills/game-day/patch';
import { drills } from '../../drills/registry';
import type { Journal, Phase } from '../../drills/journal';
import { splitRecovery, suiteMs } from '../../drills/recovery-time';
import { parseRunbook, readRunbook } from '../../drills/runbook/read';
import { checkRunbook } from '../../drills/runbook/rules';
import { runbookFile } from '../../support/paths';
import { beside, besideOf } from '../faults/runbook/in-place';
import { mutantsOf, shortened } from '../faults/runbook/mutants';
import { passedBeside, stepsHash, type Result } from '../faults/runbook/results';

const text = [
  '## S',
  'Look.',
  '```sh check #look\ntest -f lamp\n```',
  'Act.',
  '```sh run #act\nswitch-on lamp\n```',
  '```sh wait-until #shown within=4m\ntest -f lamp\n```',
  '',
].join('\n\n');
const idsOf = (mutant: string): (string | undefined)[] =>
  parseRunbook(mutant, 'R.md').runbook.sections.flatMap(({ blocks }) => blocks.map(({ id }) => id));

describe('mutants of a runbook', () => {
  const mutants = mutantsOf(text, parseRunbook(text, 'R.md').runbook, ['s']);
  const named = (name: string): string => mutants.find((one) => one.name === name)?.text ?? '';

  test('every step is dropped, every two neighbours are swapped, every command is corrupted', () => {
    const names = ['drop look', 'drop act', 'drop shown', 'swap look act', 'swap act shown'];
    assert.deepEqual(
      mutants.map(({ name }) => name),
      [...names, 'corrupt look', 'corrupt act', 'corrupt shown'],
    );
  });
  test('what is dropped is gone, and nothing else', () =>
    assert.deepEqual(idsOf(named('drop act')), ['look', 'shown']));
  test('what is swapped stands the other way round', () =>
    assert.deepEqual(idsOf(named('swap act shown')), ['look', 'shown', 'act']));
  test('what is corrupted differs by one letter', () => {
    assert.equal(named('corrupt act').length, text.length - 1);
    assert.match(named('corrupt act'), /swit?c?h?-?on? lamp/);
  });
  test('waits are shortened, other steps are not', () =>
    assert.match(shortened(text), /#act\n[^]*wait-until #shown within=45s/));
  test('so are waits within commands, unless they are short', () =>
    assert.equal(
      shortened('kubectl wait --timeout=100s; kubectl wait --timeout=5s'),
      'kubectl wait --timeout=45s; kubectl wait --timeout=5s',
    ));
  test('a step tells of a mutant where it is wrong, or a look that comes too early', () =>
    assert.deepEqual(
      mutants.flatMap(({ name, differs }) =>
        differs === undefined ? [] : `${name}: ${differs.step} at ${differs.at}`,
      ),
      [
        ...['drop act: shown at act', 'swap act shown: shown at act'],
        ...['corrupt look: look at look', 'corrupt act: act at act', 'corrupt shown: shown at shown'],
      ],
    ));
  test('mutants are judged beside the steps: a wrong look after the right one, anything else before it', async () => {
    const { sections } = parseRunbook(text, 'R.md').runbook;
    const ran: string[] = [];
    const results: Result[] = [];
    const told = mutants.flatMap(({ name, text: wrong, differs }) => {
      const { runbook } = parseRunbook(wrong.replaceAll('within=4m', 'within=1s'), 'R.md');
      return besideOf({ drill: 'lamp', mutant: name, steps: name }, differs, runbook) ?? [];
    });
    const wrong = (mutant: string): string => told.find((one) => one.mutant === mutant)?.step.text ?? '';
    let isOn = false;
    const follower = {
      shell: {
        run: (command: string) => {
          if (ran.at(-1) !== command) ran.push(command);
          isOn ||= command === 'switch-on lamp';
          // One wrong look passes as the right one does: only a drill of its own can judge it.
          const passes = [text.includes(command) && (isOn || ran.length === 1), command === wrong('corrupt look')];
          return Promise.resolve({ exitCode: passes.includes(true) ? 0 : 127, output: '', timedOut: false });
        },
      },
      person: () => Promise.resolve(),
      onBegin: () => undefined,
      onStep: () => undefined,
    };
    const whole = await beside(told, (result) => results.push(result))(sections, follower, undefined as never);
    assert.equal(whole, true);
    const look = 'test -f lamp';
    const tried = [
      look,
      wrong('corrupt look'),
      look,
      wrong('corrupt act'),
      'switch-on lamp',
      look,
      wrong('corrupt shown'),
    ];
    assert.deepEqual(ran, tried);
    assert.deepEqual(
      results.filter(({ caught }) => caught).map(({ mutant, why }) => `${mutant}: ${why.split(':')[0]}`),
      ['drop act: shown too early', 'swap act shown: shown too early', 'corrupt act: Beside its step'],
    );
    const open = results.filter(({ verdict }) => verdict === passedBeside).map(({ mutant }) => mutant);
    assert.deepEqual(open, ['corrupt look', 'corrupt shown']);
  });
  test('a result is of the steps that were followed: another order or another command is another', () => {
    const hashes = [text, ...mutants.map((one) => one.text)].map((one) =>
      stepsHash(parseRunbook(one, 'R.md').runbook, ['s']),
    );
    assert.equal(new Set(hashes).size, hashes.length);
    assert.equal(stepsHash(parseRunbook(`${text}\n## Other\n`, 'R.md').runbook, ['s']), hashes[0]);
  });
  test('every mutant of the project’s runbook differs from it', () => {
    const own = readFileSync(runbookFile(), 'utf8');
    for (const { id, sections } of drills) {
      const all = mutantsOf(own, readRunbook().runbook, sections);
      assert.ok(all.length >= 5, id);
      for (const mutant of all) assert.notEqual(mutant.text, own, mutant.name);
    }
  });
});

describe('a step that was improvised', () => {
  const improvised = [
    { after: 'act', section: 's', command: 'fuse-in', why: 'The fuse was out', started: '', ended: '' },
    { after: 'act', section: 's', command: 'push', why: 'It hung.', started: '', ended: '' },
    { after: null, section: 's', command: 'torch', why: 'It was dark.', started: '', ended: '' },
  ];
  const journal = { id: 'lamp-1', improvised, runbook: { path: 'R.md' } } as unknown as Journal;

  test('stands in the runbook where it was made, in order', () => {
    const now = withImprovisedSteps(text, 'R.md', journal);
    assert.deepEqual(idsOf(now), ['look', 'improvised-3', 'act', 'improvised-1', 'improvised-2', 'shown']);
    assert.deepEqual(parseRunbook(now, 'R.md').problems, []);
  });
  test('comes as a patch that applies', () => {
    const folder = mkdtempSync(join(tmpdir(), 'patch-'));
    const file = join(folder, 'R.md');
    writeFileSync(file, text);
    const patch = readFileSync(writePatch(file, journal, folder) ?? '', 'utf8');
    assert.equal(applyPatch(text, patch), withImprovisedSteps(text, 'R.md', journal));
  });
  test('is redacted before it is written, for its owner only', () => {
    const folder = mkdtempSync(join(tmpdir(), 'patch-'));
    const file = join(folder, 'R.md');
    writeFileSync(file, text);
    const command = 'PGPASSWORD="hunter2 hunter2" psql';
    const one = { ...journal, improvised: improvised.slice(0, 1).map((step) => ({ ...step, command })) };
    const patch = writePatch(file, one, folder) ?? '';
    assert.match(readFileSync(patch, 'utf8'), /^\+PGPASSWORD=\[redacted\] psql$/m);
    assert.equal(statSync(patch).mode & 0o777, 0o600);
  });
  test('between two sections belongs to the one whose step was next, below its look', async () => {
    const two = `${text}\n${text.replace('## S', '## T').replaceAll('#', '#t-').replace('#t-#t- T', '## T')}`;
    const step = { after: 'shown', section: 't', command: 'fuse-in', why: 'No current.', started: '', ended: '' };
    const taken = two.replace('#t-look', '#improvised-1');
    const now = withImprovisedSteps(taken, 'R.md', { ...journal, improvised: [step, step] });
    const order = ['look', 'act', 'shown', 'improvised-1', 'improvised-2', 'improvised-3', 't-act', 't-shown'];
    assert.deepEqual(idsOf(now), order);
    const { runbook, problems } = parseRunbook(now, 'R.md');
    assert.deepEqual([problems, await checkRunbook(runbook, [])], [[], []]);
  });
});

test('the time to recover is split without remainder', () => {
  const step = (kind: 'run' | 'person' | 'wait-until', from: number, to: number) => ({
    ...{
      block: 'b',
      kind,
      section: 's',
      hash: '',
      command: '',
      attempts: 1,
      exitCode: 0,
      output: '',
      result: 'passed' as const,
    },
    started: new Date(from).toISOString(),
    ended: new Date(to).toISOString(),
  });
  const steps = [step('run', 2_000, 3_000), step('person', 3_000, 6_000), step('wait-until', 6_100, 8_000)];
  const split = splitRecovery({ injected: 0, detected: 1_500, followed: 8_000, recovered: 9_000 }, steps);
  assert.deepEqual(split, {
    totalMs: 9_000,
    detectionMs: 1_500,
    personMs: 3_000,
    commandMs: 1_000,
    convergenceMs: 2_900,
    overheadMs: 600,
  });
  const phase = (name: Phase, from: number, to: number): Journal['phases'][number] => ({
    phase: name,
    started: new Date(from).toISOString(),
    ended: new Date(to).toISOString(),
  });
  const phases = [
    phase('gate', -900, -200),
    phase('inject', -200, 0),
    phase('detect', 0, 1_500),
    phase('follow', 1_500, 8_000),
    phase('recover', 8_000, 9_400),
    phase('exercise', 9_400, 12_000),
    phase('undo', 12_000, 12_100),
    phase('check', 12_100, 12_300),
  ];
  const injectedAt = new Date(0).toISOString();
  assert.equal(suiteMs({ phases, recovery: split, injectedAt }), 700 + 600 + 400 + 100 + 200);
  assert.equal(suiteMs({ phases, recovery: null, injectedAt }), 0);
});
