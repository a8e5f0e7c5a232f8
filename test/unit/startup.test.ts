import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../../support/command';
import { projectRoot } from '../../support/paths';

const home = mkdtempSync(join(tmpdir(), 'startup-test-'));
after(() => rmSync(home, { recursive: true, force: true }));

// A project of its own, with the loader and swc in it: what it keeps must not be the operator's.
mkdirSync(join(home, 'support', 'startup'), { recursive: true });
mkdirSync(join(home, 'node_modules'));
symlinkSync(join(projectRoot, 'node_modules', '@swc'), join(home, 'node_modules', '@swc'));
cpSync(join(projectRoot, 'support', 'startup', 'loader.js'), join(home, 'support', 'startup', 'loader.js'));
const cache = join(home, 'node_modules', '.cache', 'sandbox-acceptance');
const program = join(home, 'main.ts');

const loadedSwc = `process.on('exit', () => console.log(Object.keys(require.cache).some((file) => file.includes('@swc/core/index')) ? 'made' : 'kept'));`;

async function start(text: string): Promise<string[]> {
  writeFileSync(program, text);
  const { stdout, stderr } = await run(
    'node',
    ['-r', './support/startup/loader.js', '-e', `${loadedSwc} require('./main.ts')`],
    {
      cwd: home,
      allowFailure: true,
    },
  );
  return `${stdout}\n${stderr}`.trim().split('\n');
}

test('a file is transpiled once, anew when it changed, and anew when what was kept of it is not as it was', async () => {
  const one = 'const said: string = "one"; console.log(said satisfies string);';
  assert.deepEqual(await start(one), ['one', 'made']);
  assert.deepEqual(await start(one), ['one', 'kept']);
  assert.deepEqual(await start(one.replace('"one"', '"two"')), ['two', 'made']);
  const [kept = ''] = readdirSync(cache);
  const text = readFileSync(join(cache, kept), 'utf8');
  for (const damaged of [text.replace('"two"', '"bad"'), text.slice(0, 150), '']) {
    writeFileSync(join(cache, kept), damaged);
    assert.deepEqual(await start(one.replace('"one"', '"two"')), ['two', 'made']);
  }
  assert.deepEqual(readdirSync(cache), [kept]);
});

test('a defect is shown at its line of the TypeScript file', async () => {
  const lines = await start(
    'interface A {\n  b: string;\n}\n\nconst a: A | undefined = undefined;\nthrow new Error(a ?? "broken");\n',
  );
  assert.match(lines.join('\n'), /main\.ts:6:7/);
});
