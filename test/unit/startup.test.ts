import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run, type CommandResult } from '../../support/command';
import { projectRoot } from '../../support/paths';

const home = mkdtempSync(join(tmpdir(), 'startup-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

// A project of its own, with the starter and esbuild in it: what it keeps must not be the operator's.
for (const folder of ['support/startup', 'support/isolation', 'node_modules'])
  mkdirSync(join(home, folder), { recursive: true });
for (const name of ['esbuild', '@esbuild'])
  symlinkSync(join(projectRoot, 'node_modules', name), join(home, 'node_modules', name));
for (const name of ['support/startup/start.js', 'tsconfig.json', 'package.json'])
  cpSync(join(projectRoot, name), join(home, name));
writeFileSync(join(home, 'support', 'isolation', 'preload.ts'), "console.log('second line');\n");
const cache = join(home, 'node_modules', '.cache', 'sandbox-acceptance');
const program = join(home, 'main.ts');

function start(...args: string[]): Promise<CommandResult> {
  return run('node', ['support/startup/start.js', ...args], { cwd: home, allowFailure: true });
}

/** What the program says, and whether it was put together anew. */
async function said(): Promise<string[]> {
  const before = keptAt();
  const { stdout } = await start('main.ts');
  const [line, ...lines] = stdout.split('\n');
  assert.equal(line, 'second line');
  return [...lines, keptAt() === before ? 'kept' : 'made'];
}

function keptAt(): string {
  try {
    return readdirSync(cache)
      .map((name) => `${name} ${statSync(join(cache, name)).mtimeMs}`)
      .join();
  } catch {
    return 'nothing';
  }
}

test('a program is put together once, and anew when one of its files is not as it was', async () => {
  writeFileSync(join(home, 'other.ts'), 'export const said: string = "one";');
  writeFileSync(program, "import { said } from './other'; console.log(said satisfies string);");
  assert.deepEqual(await said(), ['one', 'made']);
  assert.deepEqual(await said(), ['one', 'kept']);
  const times = statSync(join(home, 'other.ts'));
  writeFileSync(join(home, 'other.ts'), 'export const said: string = "two";');
  // Of the same size, and as old as before for who only looks at that.
  utimesSync(join(home, 'other.ts'), times.atime, times.mtime);
  assert.deepEqual(await said(), ['two', 'made']);
});

test('a program is put together anew when what was kept of it is not as it was', async () => {
  const [js = ''] = readdirSync(cache).filter((name) => name.endsWith('.js'));
  const text = readFileSync(join(cache, js), 'utf8');
  for (const damaged of [text.replace('"two"', '"bad"'), text.slice(0, 60), '']) {
    writeFileSync(join(cache, js), damaged);
    assert.deepEqual(await said(), ['two', 'made'], damaged);
  }
  assert.equal(readFileSync(join(cache, js), 'utf8'), text);
  const [json = ''] = readdirSync(cache).filter((name) => name.endsWith('.json'));
  writeFileSync(join(cache, json), '{"stamps":{}');
  assert.deepEqual(await said(), ['two', 'made']);
  assert.equal(readdirSync(cache).length, 3);
});

test('a file finds what lies beside it, and the program its arguments', async () => {
  mkdirSync(join(home, 'deep'));
  writeFileSync(join(home, 'deep', 'place.ts'), 'export const place = [__dirname, __filename];');
  writeFileSync(
    program,
    "import { place } from './deep/place'; console.log(JSON.stringify([...place, ...process.argv.slice(1)]));",
  );
  const { stdout } = await start('main.ts', '--one', 'two');
  assert.deepEqual(JSON.parse(stdout.split('\n')[1] ?? ''), [
    join(home, 'deep'),
    join(home, 'deep', 'place.ts'),
    program,
    '--one',
    'two',
  ]);
});

test('a defect is shown at its line of the TypeScript file, whether the program was kept or not', async () => {
  writeFileSync(
    program,
    'interface A {\n  b: string;\n}\n\nconst a: A | undefined = undefined;\nthrow new Error(a ?? "broken");\n',
  );
  for (let starts = 0; starts < 2; starts++) {
    const { stderr, exitCode } = await start('main.ts');
    assert.match(stderr, /Error: broken\n +at .*main\.ts:6:7/);
    assert.equal(exitCode, 1);
  }
});

test('a file that is no TypeScript is named with its line', async () => {
  writeFileSync(program, 'const a = ;\n');
  const { stderr, exitCode } = await start('main.ts');
  assert.match(stderr, /main\.ts:1:10: .*Unexpected ";"/);
  assert.equal(exitCode, 70);
});
