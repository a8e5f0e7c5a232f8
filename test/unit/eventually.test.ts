import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwaitTimeout, eventually } from '../../support/eventually';
import { OperatorError } from '../../support/failure';
import type { Finding } from '../../support/finding';

function finding(status: Finding['status'], more: Partial<Finding> = {}): Finding {
  return { subject: 'pod canary', status, expected: 'Running', actual: 'Pending', source: 'GET /pods/canary', ...more };
}

async function timeoutOf(wait: Promise<unknown>): Promise<AwaitTimeout> {
  const thrown = await wait.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof AwaitTimeout, `expected an AwaitTimeout, got ${String(thrown)}`);
  return thrown;
}

test('returns the first finding that is met', async () => {
  let looks = 0;
  const met = await eventually('the pod runs', async () => finding(++looks < 3 ? 'unmet' : 'met'), 'api');
  assert.equal(met.status, 'met');
  assert.equal(looks, 3);
});

test('a timeout says what was awaited, how long, what was last seen and the last error', async () => {
  const thrown = await timeoutOf(
    eventually(
      'the pod runs',
      async () => {
        throw new Error('connect ECONNREFUSED 127.0.0.1:1');
      },
      { ms: 120 },
    ),
  );
  assert.ok(thrown instanceof OperatorError);
  assert.equal(thrown.finding.status, 'unknown');
  assert.match(thrown.message, /the pod runs \(its time was up after 0\.\d s\).*last error: connect ECONNREFUSED/);
});

test('a later finding replaces an earlier error', async () => {
  let looks = 0;
  const thrown = await timeoutOf(
    eventually(
      'the pod runs',
      async () => {
        if (++looks === 1) throw new Error('first');
        return finding('unmet');
      },
      { ms: 120 },
    ),
  );
  assert.match(thrown.message, /pod canary: unmet; expected Running, saw Pending/);
  assert.doesNotMatch(thrown.message, /first/);
});

test('a definite failure ends the wait at once and gives its hint as the next step', async () => {
  const began = performance.now();
  const thrown = await timeoutOf(
    eventually('it runs', async () => finding('unmet', { final: true, hint: 'mend the image name.' }), 'rollout'),
  );
  assert.ok(performance.now() - began < 2_000);
  assert.ok(thrown.definite);
  assert.match(thrown.message, /failed for good.*Next: mend the image name\./);
});

test('final has no meaning on findings that are met or unknown', async () => {
  let looks = 0;
  await eventually('it runs', async () => finding(++looks < 2 ? 'unknown' : 'met', { final: true }), 'api');
  assert.equal(looks, 2);
});

test('a probe that hangs does not outlast the budget', async () => {
  const began = performance.now();
  await timeoutOf(eventually('it runs', () => new Promise<Finding>(() => undefined), { ms: 100 }));
  assert.ok(performance.now() - began < 3_000);
});

test('a budget of 0 ms looks once', async () => {
  let looks = 0;
  await timeoutOf(eventually('it runs', async () => finding(++looks > 1 ? 'met' : 'unmet'), { ms: 0 }));
  assert.equal(looks, 1);
});

test('an abort ends the wait with its reason', async () => {
  const stop = new AbortController();
  const wait = eventually('it runs', async () => finding('unmet'), 'boot', {
    signal: stop.signal,
    onFinding: () => stop.abort(new Error('Ctrl-C')),
  });
  await assert.rejects(wait, /Ctrl-C/);
});

test('an abort also ends a probe that hangs', async () => {
  const stop = new AbortController();
  const wait = eventually('it runs', () => new Promise<Finding>(() => undefined), 'boot', { signal: stop.signal });
  stop.abort(new Error('Ctrl-C'));
  await assert.rejects(wait, /Ctrl-C/);
});
