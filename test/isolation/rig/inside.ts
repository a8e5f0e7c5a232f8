import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breakVariable, insideRig } from '../../../support/isolation/rig';
import { projectRoot } from '../../../support/paths';
import { run } from '../../../support/command';
import { OperatorError, runMain } from '../../../support/failure';
import { guardedPlays } from './plays';
import { openListeners } from './listeners';
import { hasNoWayOut, makeRig, rebindingName } from './namespace';

/** Runs every attempt in a process of its own, with the second line installed, the boundary whole or broken. */
async function round(broken: boolean): Promise<unknown> {
  const journal = join(mkdtempSync(join(tmpdir(), 'rig-')), 'arrived');
  writeFileSync(journal, '');
  const listeners = await openListeners(rebindingName, journal);
  const args = [
    '-r',
    'ts-node/register',
    '-r',
    './support/isolation/preload.ts',
    'test/isolation/rig/attempt-all.ts',
    String(listeners.web.port),
    journal,
  ];
  try {
    const ended = await run('node', args, {
      cwd: projectRoot,
      timeoutMs: 150_000,
      env: broken ? { [breakVariable]: '1' } : {},
    });
    return JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '');
  } finally {
    listeners.close();
  }
}

runMain(async () => {
  const made = await makeRig();
  if (!insideRig() || !hasNoWayOut()) {
    throw new OperatorError({
      attempted: 'prove the isolation boundary',
      expected: 'a network namespace without a route out',
      seen: 'a way out',
      next: 'start it with `npm run isolation`, which makes the namespace.',
    });
  }
  const proof = { interface: made, whole: await round(false), broken: await round(true), plays: await guardedPlays() };
  process.stdout.write(`${JSON.stringify(proof)}\n`);
});
