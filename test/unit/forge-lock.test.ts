import { equal, match, ok, throws } from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { acquireLock, lockHolder, processStartTime } from '../../sandbox/lock';
import { OperatorError } from '../../support/failure';
import { projectRoot } from '../../support/paths';
import { localTime } from '../../support/terminal';

function lockFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'lock-')), 'a.lock');
}

/** A lock file as a process that is gone left it. */
function staleLock(file: string, change: Record<string, unknown>): void {
  const lock = acquireLock('the forge', file);
  writeFileSync(file, JSON.stringify({ ...lock.holder, ...change }));
}

describe('a lock', () => {
  it('names its holder to the second who wants it', () => {
    const file = lockFile();
    const lock = acquireLock('the forge', file);
    throws(
      () => acquireLock('the forge', file),
      (thrown: unknown) =>
        thrown instanceof OperatorError &&
        thrown.message.includes(`process ${process.pid} `) &&
        thrown.message.includes(localTime(lock.holder.since)) &&
        thrown.message.includes('the forge'),
    );
    equal(lockHolder(file)?.pid, process.pid);
    lock.release();
    equal(lockHolder(file), undefined);
    acquireLock('the forge', file).release();
    equal(readdirSync(dirname(file)).length, 0);
  });

  it('of a process that is gone is taken over', () => {
    const file = lockFile();
    const gone = spawnSync('true').pid;
    staleLock(file, { pid: gone });
    equal(lockHolder(file), undefined);
    equal(acquireLock('the forge', file).holder.pid, process.pid);
  });

  it('of a process whose pid is used again, or of an earlier boot, is taken over', () => {
    for (const change of [{ startTime: '1' }, { bootId: 'another' }]) {
      const file = lockFile();
      staleLock(file, change);
      acquireLock('the forge', file).release();
    }
  });

  it('that a power cut left unreadable is taken over', () => {
    const file = lockFile();
    writeFileSync(file, '');
    acquireLock('the forge', file).release();
    equal(existsSync(file), false);
  });

  it('is not given back by one who lost it', () => {
    const file = lockFile();
    const lost = acquireLock('the forge', file);
    staleLock(lockFile(), {});
    writeFileSync(file, JSON.stringify({ ...lost.holder, token: 'another' }));
    lost.release();
    match(readFileSync(file, 'utf8'), /another/);
  });

  it('goes to exactly one of many who find a stale one at once', async () => {
    const file = lockFile();
    staleLock(file, { pid: spawnSync('true').pid });
    // Each contender holds what it got until its input ends, so that no two can hold it one after another.
    const script = [
      `const { acquireLock } = require(${JSON.stringify(join(projectRoot, 'sandbox', 'lock.ts'))});`,
      `try { acquireLock('x', ${JSON.stringify(file)}); console.log('got it'); } catch { console.log('refused'); }`,
      'process.stdin.resume();',
    ].join('\n');
    const contenders = Array.from({ length: 5 }, () =>
      spawn(process.execPath, ['-r', 'ts-node/register', '-e', script], {
        cwd: projectRoot,
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const outputs = await Promise.all(
      contenders.map(async ({ stdout }) => String(((await once(stdout, 'data')) as unknown[])[0]).trim()),
    );
    for (const { stdin } of contenders) stdin.end();
    equal(outputs.filter((output) => output === 'got it').length, 1, outputs.join(', '));
  });
});

describe('the start time of a process', () => {
  it('is known while it lives', () => {
    ok(/^\d+$/.test(processStartTime(process.pid) ?? ''));
    equal(processStartTime(spawnSync('true').pid), undefined);
  });
});
