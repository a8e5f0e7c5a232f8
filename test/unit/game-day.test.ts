import './drill-home';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gameDayOperator } from '../../drills/game-day/operator';
import type { Terminal } from '../../drills/game-day/terminal';
import type { Follower } from '../../drills/follow';
import type { Journal, StepRecord } from '../../drills/journal';
import type { Recorder } from '../../drills/recorder';
import { LeftHalfWay } from '../../drills/run';
import { parseRunbook } from '../../drills/runbook/read';

const text = `## The lamp is off

Look at the lamp.

\`\`\`sh check #off
test ! -f lamp
\`\`\`

Switch it on.

\`\`\`sh run #on
touch lamp
\`\`\`

\`\`\`sh check #shown
test -f lamp
\`\`\`
`;
const { sections } = parseRunbook(text, 'R.md').runbook;

/** An operator who gives these answers, one after another. */
async function day(
  answers: string[],
  done: Partial<StepRecord>[] = [],
  exitCodes: number[] = [],
): Promise<{
  passed: boolean;
  said: string;
  journal: Journal;
}> {
  const said: string[] = [];
  const journal = { steps: [...done], improvised: [], decisionsMs: 0 } as unknown as Journal;
  const terminal: Terminal = {
    say: (line) => void said.push(line),
    ask: (question) => {
      said.push(question);
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new LeftHalfWay('closed')) : Promise.resolve(answer);
    },
    assertOpen: () => undefined,
    close: () => undefined,
  };
  const follower: Follower = {
    shell: { run: () => Promise.resolve({ exitCode: exitCodes.shift() ?? 0, output: 'said so', timedOut: false }) },
    person: () => Promise.resolve(),
    onBegin: () => undefined,
    onStep: (record) => void journal.steps.push(record),
  };
  const recorder = {
    journal,
    decided: (ms: number) => (journal.decisionsMs += ms),
    improvised: (step: Journal['improvised'][number]) => void journal.improvised.push(step),
  } as unknown as Recorder;
  const passed = await gameDayOperator(terminal, 'NODE=pi3')(sections, follower, recorder);
  return { passed, said: said.join('\n'), journal };
}

describe('the operator of a game day', () => {
  test('sees the runbook’s own words before each step, and the variables they speak of', async () => {
    const { said } = await day(['r', 'r', 'r']);
    assert.match(said, /NODE=pi3[^]*Look at the lamp\.[^]*check off[^]*Switch it on\.[^]*run on[^]*check shown/);
  });
  test('has the steps run, or did them by hand', async () => {
    const { passed, journal } = await day(['r', 'h', 'r']);
    assert.ok(passed);
    assert.deepEqual(
      journal.steps.map(({ block, result }) => [block, result]),
      [
        ['off', 'passed'],
        ['on', 'by hand'],
        ['shown', 'passed'],
      ],
    );
  });
  test('may try a step again, and ends the day with one that does not work', async () => {
    const { passed, journal } = await day(['r', 'r', 'r', 'f', 'the bulb is broken'], [], [0, 1, 0]);
    assert.equal(passed, false);
    assert.deepEqual(journal.steps.at(-1)?.why, 'the bulb is broken');
  });
  test('records a step of their own, after the one before it', async () => {
    const { journal } = await day(['r', 'i', 'fuse-in', 'no current', 'r', 'r']);
    assert.deepEqual(
      journal.improvised.map(({ after, command, why }) => [after, command, why]),
      [['off', 'fuse-in', 'no current']],
    );
  });
  test('may pause, and gets help for what is no answer', async () => {
    const { said, passed } = await day(['?', 'p', '', 'r', 'r', 'r']);
    assert.ok(passed);
    assert.match(said, /I did it by hand[^]*I did it by hand/);
  });
  test('goes on where the day was left', async () => {
    const { journal } = await day(
      ['r'],
      [
        { block: 'off', result: 'passed' },
        { block: 'on', result: 'by hand' },
      ],
    );
    assert.equal(journal.steps.at(-1)?.block, 'shown');
    assert.equal(journal.steps.length, 3);
  });
  test('leaves it half-way with q, and with the terminal', async () => {
    await assert.rejects(day(['r', 'q']), LeftHalfWay);
    await assert.rejects(day(['r']), LeftHalfWay);
  });
});
