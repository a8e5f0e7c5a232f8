import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { projectRoot } from '../../support/paths';

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function guard(args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}): Ended {
  const ended = spawnSync(
    'node',
    ['-r', 'ts-node/register', '-r', './support/isolation/preload.ts', 'sandbox/guard.ts', ...args],
    {
      cwd: projectRoot,
      encoding: 'utf8',
      input: more.input ?? '',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...more.env },
    },
  );
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
}

test('prints a verdict and reason each, exit 3 when one is refused, 0 when none is', () => {
  const mixed = guard(['check', '10.77.0.201', '0xc0a801c9', 'www.arcodange.fr', 'example.org']);
  assert.equal(mixed.code, 3);
  for (const part of ['allowed', 'refused', 'production-address', 'production-name', 'outside', '0xc0a801c9'])
    assert.ok(mixed.out.includes(part), part);
  assert.equal(guard(['check', '10.77.0.201', 'http://10.43.0.20:8200']).code, 0);
});

test('--json and --stdin', () => {
  const ended = guard(['check', '--stdin', '--json'], { input: 'http://192.168.1.202:3000\n\n10.77.0.202\n' });
  assert.equal(ended.code, 3);
  const verdicts = JSON.parse(ended.out) as { allowed: boolean; kind?: string }[];
  assert.deepEqual(
    verdicts.map((verdict) => verdict.kind ?? 'allowed'),
    ['production-address', 'allowed'],
  );
});

test('a question that is not understood ends with 2 and a sentence', () => {
  for (const args of [['check'], ['check', '--scope', 'x', 'y'], ['check', '--nonsense'], ['nonsense']]) {
    const ended = guard(args);
    assert.equal(ended.code, 2, args.join(' '));
    assert.ok(ended.err.length > 0 && !/\n\s+at /.test(ended.err), ended.err);
  }
  assert.match(guard(['--help']).out, /Examples:/);
});

test('`guard shell` names the variable, never its value', () => {
  const ended = guard(['shell'], { env: { CLOUDFLARE_API_TOKEN: 'verysecretvalue' } });
  assert.equal(ended.code, 3);
  assert.match(ended.err, /CLOUDFLARE_API_TOKEN/);
  assert.doesNotMatch(ended.out + ended.err, /verysecretvalue/);
});
