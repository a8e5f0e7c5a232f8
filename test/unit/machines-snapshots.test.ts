import './drill-home';
import { deepEqual, doesNotMatch, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { rewindLab } from '../../sandbox/lab';
import { newLabState, readLabState, writeLabState } from '../../sandbox/lab-state';
import { labStateFile, snapshotsHome } from '../../sandbox/machines/layout';
import { assertBaseThere, convergedIsDue, snapshotNamed, type Snapshot } from '../../sandbox/machines/snapshots';
import { OperatorError } from '../../support/failure';
import { readInventory } from '../../support/inventory';

const snapshot = (name: string, key = 'key'): Snapshot => ({ name, key, created: '2026-11-28T12:00:00.000Z' });

function refusal(name: string, among: readonly Snapshot[]): OperatorError {
  let seen: unknown;
  throws(
    () => snapshotNamed(name, among),
    (thrown) => {
      seen = thrown;
      return true;
    },
  );
  ok(seen instanceof OperatorError);
  equal(seen.parts.exitCode, 2);
  return seen;
}

describe('a snapshot', () => {
  it('without its base system is refused before a machine is cut', () => {
    const folder = join(snapshotsHome, 'old-base');
    mkdirSync(folder, { recursive: true });
    const put = (base: string): void => writeLabState(newLabState('key', base), join(folder, 'state.json'));
    put('/nowhere/base-0123456789ab');
    throws(() => assertBaseThere(snapshot('old-base')), /base-0123456789ab.*nothing was changed/);
    put(folder);
    assertBaseThere(snapshot('old-base'));
    throws(() => assertBaseThere(snapshot('no-state')), /no state of a lab/);
  });

  it('has no name that is the draft, the old one or the description of another', () => {
    for (const name of ['pg.new', 'pg.old', 'pg.json']) throws(() => assertBaseThere(snapshot(name)), /no ending/);
  });

  it('is found by its name', () =>
    deepEqual(snapshotNamed('one', [snapshot('two'), snapshot('one')]), snapshot('one')));

  it('that does not exist is refused with the names of those that do', () => {
    const { message } = refusal('convergd', [snapshot('converged'), snapshot('before-upgrade')]);
    match(message, /one of converged, before-upgrade/);
    doesNotMatch(message, /lab -- snapshot/);
  });

  it('where there is none is refused with how one comes to be', () => {
    const { message } = refusal('converged', []);
    match(message, /npm run lab -- snapshot/);
    match(message, /npm run lab -- up/);
  });

  it('that does not exist costs nobody the lab: it is looked for before anything is touched', async () => {
    writeLabState(newLabState('key', '/base'));
    // Without machines, so that a look that comes too late would cut none of this host's own lab.
    await rejects(rewindLab({ ...readInventory(), machines: [] }, 'none'), OperatorError);
    equal(readLabState(labStateFile)?.key, 'key');
  });
});

describe('the snapshot `converged`', () => {
  const state = newLabState('key', '/base');

  it('is due of a lab made from nothing, once', () => {
    equal(convergedIsDue(state, []), true);
    equal(convergedIsDue(state, [snapshot('converged', 'other sources'), snapshot('mine')]), true);
    equal(convergedIsDue(state, [snapshot('converged')]), false);
  });

  it('is not due of a lab from elsewhere, or one that a suite has used', () => {
    equal(convergedIsDue({ ...state, from: 'mine' }, []), false);
    equal(convergedIsDue({ ...state, used: true }, []), false);
    writeLabState({ ...state, used: true });
    equal(readLabState(labStateFile)?.used, true);
  });
});
