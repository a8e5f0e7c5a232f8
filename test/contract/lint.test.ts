import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { projectRoot } from '../../support/paths';

// Rules that need types need files of the project; the rules tried here do not.
const eslint = new ESLint({
  cwd: projectRoot,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } },
  ],
});

async function complaints(file: string, code: string): Promise<string[]> {
  const results = await eslint.lintText(code, { filePath: join(projectRoot, file) });
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => `${ruleId ?? 'parser'}: ${message}`));
}

const planted = [
  [
    'a step without a body',
    'steps/x.steps.ts',
    "import { Then } from '@cucumber/cucumber';\nThen('it holds', () => {});",
    /A step without a body/,
  ],
  [
    'a hook without a body',
    'support/hooks/x.ts',
    "import { After } from '@cucumber/cucumber';\nAfter(function () {});",
    /A step without a body/,
  ],
  [
    'a test left out',
    'test/unit/x.test.ts',
    "import { test } from 'node:test';\ntest.skip('it', () => { throw new Error(); });",
    /green for nothing/,
  ],
  [
    'a test that leaves the others out',
    'test/unit/x.test.ts',
    "import { it } from 'node:test';\nit.only('it', () => { throw new Error(); });",
    /green for nothing/,
  ],
  [
    'a test without a body',
    'test/unit/x.test.ts',
    "import { test } from 'node:test';\ntest('it', () => {});",
    /A test without a body/,
  ],
  ['a timer', 'sandbox/x.ts', 'setTimeout(() => process.exit(), 5);', /support\/eventually\.ts/],
  [
    'a sleep',
    'support/vault/x.ts',
    "import { setTimeout as sleep } from 'node:timers/promises';\nawait sleep(5);",
    /support\/eventually\.ts/,
  ],
  ['support that imports steps', 'support/vault/x.ts', "import '../../steps/canary.steps';", /Layers point one way/],
  ['support that imports the lab', 'support/vault/x.ts', "import '../../sandbox/lab';", /Layers point one way/],
  ['steps that import the lab', 'steps/x.steps.ts', "import '../sandbox/lab';", /Layers point one way/],
  ['the lab that imports the World', 'sandbox/x.ts', "import '../support/world';", /Layers point one way/],
  ['reports that import the World', 'reports/x.ts', "import '../support/world';", /Layers point one way/],
  ['any', 'support/x.ts', 'export const x: any = 1;', /no-explicit-any/],
] as const;

for (const [what, file, code, says] of planted) {
  test(`${what} is refused`, async () => assert.match((await complaints(file, code)).join('\n'), says));
}

const fine = [
  ['the target that uses the lab', 'support/target/x.ts', "import '../../sandbox/lock';"],
  [
    'the only wait that waits',
    'support/eventually.ts',
    "import { setTimeout as pause } from 'node:timers/promises';\nawait pause(1);",
  ],
  [
    'a step that delegates',
    'steps/x.steps.ts',
    "import { Then } from '@cucumber/cucumber';\nThen('it holds', () => process.exit());",
  ],
] as const;

for (const [what, file, code] of fine) {
  test(`${what} is not`, async () => assert.deepEqual(await complaints(file, code), []));
}
