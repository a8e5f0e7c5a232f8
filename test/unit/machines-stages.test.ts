import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runStages, type StageHooks } from '../../sandbox/lab-stages';
import type { Stage, StageContext } from '../../sandbox/stages';
import { OperatorError } from '../../support/failure';
import { readInventory } from '../../support/inventory';

interface Journal {
  lines: string[];
  hooks: StageHooks;
}

function journal(componentsReady: StageHooks['componentsReady'] = async () => undefined): Journal {
  const lines: string[] = [];
  return {
    lines,
    hooks: {
      componentsReady,
      started: (name) => lines.push(`+${name}`),
      ended: (name) => lines.push(`-${name}`),
      failed: (name, error) => lines.push(`!${name}: ${error}`),
    },
  };
}

function context(signal = new AbortController().signal): StageContext {
  return { inventory: readInventory(), onProgress: () => undefined, signal };
}

function stage(name: string, needs: string[] = [], run: () => Promise<void> = async () => undefined): Stage {
  return { name, needs, components: [name], run };
}

/** A promise that a test resolves by hand. */
function latch(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('stages', () => {
  it('begin when those they need have ended, side by side where they may', async () => {
    const { lines, hooks } = journal();
    const slow = latch();
    const running = runStages(
      [
        stage('d', ['b', 'c']),
        stage('a'),
        stage('b', ['a'], () => slow.opened),
        stage('c', ['a'], async () => slow.open()),
      ],
      new Set(),
      context(),
      hooks,
    );
    await running;
    deepEqual(lines.slice(0, 4), ['+a', '-a', '+b', '+c']);
    deepEqual(lines.slice(-2), ['+d', '-d']);
  });

  it('that ended in an earlier run are not run again', async () => {
    const { lines, hooks } = journal();
    await runStages([stage('a'), stage('b', ['a'])], new Set(['a']), context(), hooks);
    deepEqual(lines, ['+b', '-b']);
  });

  it('wait for their components', async () => {
    const built = latch();
    const { lines, hooks } = journal((names) => (names.includes('b') ? built.opened : Promise.resolve()));
    const running = runStages([stage('a', [], async () => built.open()), stage('b')], new Set(), context(), hooks);
    await running;
    ok(lines.indexOf('+b') > lines.indexOf('+a'), lines.join(' '));
  });

  it('that fail are named with what to do; those that need them do not begin, others end', async () => {
    const { lines, hooks } = journal();
    const other = latch();
    const failing = stage('a', [], async () => {
      other.open();
      throw new Error('port 8200 is closed');
    });
    await rejects(
      runStages([failing, stage('b', ['a']), stage('c', [], () => other.opened)], new Set(), context(), hooks),
      (thrown: unknown) => {
        ok(thrown instanceof OperatorError);
        match(thrown.message, /stage a.*port 8200 is closed.*lab -- up/);
        return true;
      },
    );
    deepEqual(lines.toSorted(), ['!a: port 8200 is closed', '+a', '+c', '-c'].toSorted());
  });

  it('whose component cannot be built fail with the reason', async () => {
    const { lines, hooks } = journal(() => Promise.reject(new Error('no Go')));
    await rejects(runStages([stage('a')], new Set(), context(), hooks), /no Go/);
    deepEqual(lines, ['!a: no Go']);
  });

  it('stop when interrupted, without being called failed', async () => {
    const { lines, hooks } = journal();
    const controller = new AbortController();
    const interrupted = stage('a', [], async () => controller.abort(new Error('interrupted')));
    await rejects(
      runStages([interrupted, stage('b', ['a'])], new Set(), context(controller.signal), hooks),
      /interrupted/,
    );
    deepEqual(lines, ['+a']);
  });

  it('that need each other, or one that does not exist, are refused before anything runs', async () => {
    const { lines, hooks } = journal();
    await rejects(runStages([stage('a', ['b']), stage('b', ['a'])], new Set(), context(), hooks), /circle: a, b/);
    await rejects(runStages([stage('a', ['x'])], new Set(), context(), hooks), /needs x/);
    equal(lines.length, 0);
  });
});
