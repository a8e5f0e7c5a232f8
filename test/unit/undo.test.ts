import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import { interruption } from '../../support/interruption';
import { defineUndo, Leftovers, UndoJournal } from '../../support/undo';

let folder: string;
let done: string[];
const always = (): Promise<boolean> => Promise.resolve(true);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'undo-'));
  done = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const removal = defineUndo({
  name: 'test removal',
  args: z.object({ app: z.string() }),
  needs: ['apps'],
  run: async ({ app }) => {
    if (app === 'stuck') throw new Error('it is stuck');
    done.push(app);
  },
});

describe('the journal of a scenario', () => {
  test('is on disk before the act, readable by its owner only', () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('canary is gone', removal({ app: 'canary' }));
    const [name = ''] = readdirSync(folder);
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    assert.match(readFileSync(join(folder, name), 'utf8'), /"description": "canary is gone"/);
  });

  test('is undone in reverse and leaves nothing on disk', async () => {
    const journal = new UndoJournal('a scenario', 'lab-1', folder);
    for (const app of ['one', 'two', 'three']) journal.register(`${app} is gone`, removal({ app }));
    await journal.undoAll();
    assert.deepEqual(done, ['three', 'two', 'one']);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('a failing undo is named, stays on disk, and does not keep the others from running', async () => {
    const journal = new UndoJournal('a scenario', 'lab-1', folder);
    journal.register('one is gone', removal({ app: 'one' }));
    journal.register('stuck is gone', removal({ app: 'stuck' }));
    journal.register('three is gone', () => Promise.reject(new Error('no')));
    await assert.rejects(journal.undoAll(), /three is gone: no; stuck is gone: it is stuck.*Next:/);
    assert.deepEqual(done, ['one']);
    assert.equal(readdirSync(folder).length, 2);
  });

  test('runs shielded from the interruption of the run', async () => {
    const journal = new UndoJournal('a scenario', 'lab-1', folder);
    let signal: AbortSignal | undefined = new AbortController().signal;
    journal.register('seen', async () => {
      signal = interruption();
    });
    await journal.undoAll();
    assert.equal(signal, undefined);
    assert.notEqual(interruption(), undefined);
  });
});

/** The records in the folder as if the process that wrote them had died. */
function leftovers(): Leftovers {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"process": ".*"/, '"process": "gone"'));
  }
  return new Leftovers(folder);
}

describe('what a run that died left behind', () => {
  test('is not what a living process registered', async () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('one is gone', removal({ app: 'one' }));
    assert.deepEqual(await new Leftovers(folder).replay('lab-1', always), []);
    assert.equal(readdirSync(folder).length, 1);
  });

  test('is replayed by the next run, the youngest first', async () => {
    const journal = new UndoJournal('a scenario', 'lab-1', folder);
    for (const app of ['one', 'two']) journal.register(`${app} is gone`, removal({ app }));
    assert.deepEqual(await leftovers().replay('lab-1', always), ['two is gone', 'one is gone']);
    assert.deepEqual(done, ['two', 'one']);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('waits for the stages it needs', async () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('one is gone', removal({ app: 'one' }));
    const left = leftovers();
    assert.deepEqual(await left.replay('lab-1', async (stage) => stage !== 'apps'), []);
    assert.deepEqual(await left.replay('lab-1', always), ['one is gone']);
  });

  test('of a sandbox that is gone is dropped', async () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('one is gone', removal({ app: 'one' }));
    assert.deepEqual(await leftovers().replay('lab-2', always), []);
    assert.deepEqual([done, readdirSync(folder)], [[], []]);
  });

  test('that only its own process could undo is said once', async () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('x is back', () => Promise.resolve());
    await assert.rejects(leftovers().replay('lab-1', always), /x is back \(only the run that began it/);
    assert.deepEqual(await leftovers().replay('lab-1', always), []);
  });

  test('that somebody goes on with is not replayed, and dropped when that one has its own', async () => {
    const left = ['drilled', 'other'].map((app) =>
      new UndoJournal('a drill', 'lab-1', folder).register(app, removal({ app })),
    );
    assert.equal(left.length, 2);
    const found = leftovers();
    assert.equal(
      found.adopt('lab-2', 'test removal', () => true),
      undefined,
    );
    assert.equal(
      found.adopt('lab-1', 'test removal', (args) => args === 'nothing'),
      undefined,
    );
    const release = found.adopt('lab-1', 'test removal', (args) => JSON.stringify(args).includes('drilled'));
    assert.deepEqual(await found.replay('lab-1', always), ['other']);
    assert.deepEqual([done, readdirSync(folder).length], [['other'], 1]);
    release?.();
    assert.deepEqual(readdirSync(folder), []);
  });

  test('that another command knows is left to it', async () => {
    new UndoJournal('a fault', 'lab-1', folder).register('x is healed', {
      kind: 'unknown here',
      args: {},
      run: always as never,
    });
    await assert.rejects(leftovers().replay('lab-1', always), /x is healed \(left by `npm run/);
    assert.equal(readdirSync(folder).length, 1);
  });

  test('half-written by a kill is dropped: its act was not begun', async () => {
    writeFileSync(join(folder, 'half.json'), '{"id": "ha');
    assert.deepEqual(await leftovers().replay('lab-1', always), []);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('that fails is said and kept', async () => {
    new UndoJournal('a scenario', 'lab-1', folder).register('stuck is gone', removal({ app: 'stuck' }));
    await assert.rejects(leftovers().replay('lab-1', always), /stuck is gone: it is stuck/);
    assert.equal(readdirSync(folder).length, 1);
  });
});
