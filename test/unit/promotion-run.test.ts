import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../../support/eventually';
import { projectRoot } from '../../support/paths';
import { Rehearsal } from '../../support/promotion/rehearsal';
import { runMissing } from '../../support/promotion/run-missing';
import { quoted, wordsOf } from '../../support/shell-words';

const home = mkdtempSync(join(tmpdir(), 'promotion run-'));
after(() => rmSync(home, { recursive: true, force: true }));
const log = join(home, 'log');

describe('words of a shell', () => {
  for (const word of ['plain', 'FACTORY=/a/b', 'a b', "it's", 'back\\slash', '$HOME', ''])
    test(`${word || 'the empty one'} is one word, whatever is in it`, () =>
      assert.deepEqual(wordsOf(`npm run ${quoted(word)} x`), ['npm', 'run', ...(word === '' ? [''] : [word]), 'x']));
});

describe('running what is missing', () => {
  // A path with a space, as an operator may have one.
  const rehearsal = new Rehearsal(home);
  const row = (requirement: string, command: string, targets?: string[]) => ({
    requirement,
    classes: ['argocd'],
    status: 'missing' as const,
    missing: ['nothing'],
    command,
    ...(targets === undefined ? {} : { targets }),
  });
  let tree = '';

  // Stand-ins of the suite's commands: they say how they were started, and one waits to be interrupted.
  before(async () => {
    await rehearsal.begin();
    tree = await rehearsal.git('rev-parse', 'HEAD^{tree}');
    writeFileSync(
      join(home, 'command.js'),
      `const { appendFileSync } = require('node:fs');
       const [name, ...args] = process.argv.slice(2);
       const say = (text) => appendFileSync(${JSON.stringify(log)}, text + '\\n');
       say([name, process.env.FACTORY, process.env.EVIDENCE_LEDGER, ...args].join('|'));
       if (name === 'red') process.exit(1);
       if (name === 'slow') {
         let times = 0;
         process.on('SIGINT', () => { times += 1; say('interrupted ' + times); setTimeout(() => { say('undone'); process.exit(130); }, 300); });
         setTimeout(() => undefined, 60000);
       }`,
    );
    const scripts = Object.fromEntries(['gate', 'red', 'slow'].map((name) => [name, `MODE=x node command.js ${name}`]));
    writeFileSync(join(home, 'package.json'), JSON.stringify({ scripts }));
  });

  const judgement = (...rows: ReturnType<typeof row>[]) => ({ rows, repo: rehearsal.repo, tree });
  const factory = (): string => `FACTORY=${quoted(rehearsal.repo)}`;
  const said = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  const clear = (): void => rmSync(log, { force: true });

  test('each command is run once with its settings, a red one ends nothing and is said', async () => {
    clear();
    const render = `${factory()} npm run gate -- render ${quoted(rehearsal.repo)}/argocd --before abc`;
    const { commands, notes } = await runMissing(
      judgement(row('gate x', `${factory()} npm run red`), row('gate render', render), row('gate render', render)),
      home,
    );
    assert.equal(commands, 2);
    assert.deepEqual(
      said().map((line) => line.split('|').filter((_, at) => at !== 2)),
      [
        ['red', rehearsal.repo],
        ['gate', rehearsal.repo, 'render', `${rehearsal.repo}/argocd`, '--before', 'abc'],
      ],
    );
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /npm run red` was run and ended with 1/);
  });

  test('what could only be evidence over stand-ins is not run, and said', async () => {
    clear();
    const { commands, notes } = await runMissing(judgement(row('drill x', `${factory()} npm run gate -- x`, [])), home);
    assert.equal(commands, 0);
    assert.deepEqual(said(), []);
    assert.match(notes.join(), /drill x was not run: no target/);
  });

  test('a command that package.json does not have is refused in a sentence', async () => {
    await assert.rejects(
      runMissing(judgement(row('gate x', `${factory()} npm run gaet`)), home),
      /one of gate, red, slow/,
    );
  });

  test('nothing is run over another content or uncommitted changes', async () => {
    clear();
    const other = { ...judgement(row('gate x', `${factory()} npm run gate`)), tree: 'f'.repeat(40) };
    await assert.rejects(runMissing(other, home), /another content/);
    const beside = join(rehearsal.repo, 'beside');
    writeFileSync(beside, 'x');
    await assert.rejects(
      runMissing(judgement(row('gate x', `${factory()} npm run gate`)), home),
      /uncommitted changes/,
    );
    rmSync(beside);
    assert.deepEqual(said(), []);
  });

  test('Ctrl-C reaches the command once, its undo is waited for, and the next command is not begun', async () => {
    clear();
    const rows = [row('gate x', `${factory()} npm run slow`), row('gate y', `${factory()} npm run gate`)];
    const script = `require('./support/failure').runMain(() => require('./support/promotion/run-missing').runMissing(${JSON.stringify(judgement(...rows))}, ${JSON.stringify(home)}))`;
    const child = spawn(process.execPath, ['-r', 'ts-node/register', '-e', script], { cwd: projectRoot });
    let errors = '';
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    await eventually(
      'the command runs',
      () =>
        Promise.resolve({
          subject: 'log',
          status: said().length > 0 ? 'met' : 'unmet',
          expected: 'a line',
          actual: said().join(),
          source: log,
        }),
      'api',
    );
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 130, errors);
    assert.deepEqual(said().slice(1), ['interrupted 1', 'undone']);
    assert.match(errors, /an interruption during .* npm run slow`, which ended with 130/);
  });
});
