import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { feature, suite, type SuiteRun } from './run';

/** Every canary of the fixture begins with this; none may be found again. */
const canary = /Canary-(Parameter|Table|Json|DocString|Attachment|Shape|Known|Error)-[\w]+|CanaryVaultToken/;

/** A file's own text and whatever text lies in it in base64: Allure's single page holds its data so. */
function layers(content: string): string[] {
  const inside = content.match(/[A-Za-z0-9+/]{40,}={0,2}/g) ?? [];
  return [content, ...inside.map((base64) => Buffer.from(base64, 'base64').toString('utf8'))];
}

describe('secrets in everything a scenario can say', () => {
  let run: SuiteRun;
  before(async () => {
    run = await suite(feature('secrets'));
  });

  test('the scenario said all it had to say', () => {
    assert.equal(run.exitCode, 1);
    const [scenario] = run.run().scenarios;
    assert.equal(scenario?.failure?.step, 'an error with canary secrets');
  });

  test('none is left in any report', () => {
    const files = readdirSync(run.out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 10);
    for (const entry of files) {
      const file = join(entry.parentPath, entry.name);
      for (const text of layers(readFileSync(file, 'utf8'))) {
        const found = canary.exec(text);
        assert.equal(found, null, `${file}: ${found?.[0] ?? ''}`);
      }
    }
  });

  test('none is printed', () => {
    assert.equal(canary.exec(run.output), null);
  });

  test('what is no secret is still there', () => {
    const messages = readFileSync(join(run.out, 'messages.ndjson'), 'utf8');
    for (const said of [
      'was refused',
      'logged [redacted]',
      'bytes',
      'postgres://erp:[redacted]@pi2/erp',
      'PGPASSWORD=[redacted]',
    ]) {
      const base64 = Buffer.from(said).toString('base64').slice(0, -4);
      assert.ok(messages.includes(said) || messages.includes(base64), said);
    }
  });
});
