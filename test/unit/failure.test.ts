import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../../support/command';
import { projectRoot } from '../../support/paths';

/** A command whose main function throws this expression. */
async function ended(thrown: string): Promise<{ exitCode: number; said: string }> {
  const script = `const { OperatorError, runMain } = require('./support/failure');
    const { ProductError } = require('./support/product-error');
    runMain(() => Promise.reject(${thrown}));`;
  const { exitCode, stderr } = await run('node', ['-r', 'ts-node/register', '-e', script], {
    cwd: projectRoot,
    allowFailure: true,
  });
  return { exitCode, said: stderr };
}

describe('what a command throws', () => {
  test('is a sentence and a next step where a part of the sandbox does not answer, or refuses', async () => {
    const silent =
      "new Error('asking Vault', { cause: Object.assign(new Error('connect'), { code: 'EHOSTUNREACH' }) })";
    for (const thrown of [silent, "new ProductError('Vault', '503', 'GET sys/health', 'sealed')"]) {
      const { exitCode, said } = await ended(thrown);
      assert.equal(exitCode, 1, said);
      assert.match(
        said,
        /^Could not ask a part of the sandbox\. Seen: .*(asking Vault|sealed).*Next: look what answers/,
      );
      assert.doesNotMatch(said, /\n {4}at /);
    }
  });
  test('keeps its stack when it is a defect of this project', async () => {
    const { exitCode, said } = await ended("new TypeError('x is undefined')");
    assert.equal(exitCode, 70);
    assert.match(said, /A defect in this project: TypeError: x is undefined\n {4}at /);
  });
});
