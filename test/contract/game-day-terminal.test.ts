import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, test } from 'node:test';
import { childEnvironment } from '../../support/command';
import { projectRoot } from '../../support/paths';

/** Asks the question on a terminal of its own, and types these bytes when it is there. @returns all that was shown. */
async function typed(bytes: string): Promise<string> {
  const asked = 'node -r ts-node/register test/contract/fixtures/question.ts';
  const child = spawn('script', ['--quiet', '--return', '--command', asked, '/dev/null'], {
    cwd: projectRoot,
    env: childEnvironment({ TERM: 'xterm' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const before = shown.includes('which?');
    shown += chunk.toString();
    if (!before && shown.includes('which?')) child.stdin.write(bytes);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return shown;
}

describe('a question of a game day, on a terminal', () => {
  test('is answered by a line', async () => assert.match(await typed('this one\r'), /ended: this one; open/));
  test('is interrupted by Ctrl-C, which is no end of input', async () =>
    assert.match(await typed('\x03'), /ended: interrupted by the operator; not open/));
  test('is left when the input ends', async () =>
    assert.match(await typed('\x04'), /ended: .*the terminal was closed.*; not open/));
});
