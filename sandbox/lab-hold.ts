import { eventually } from '../support/eventually';
import { compare } from '../support/finding';
import { endOrphans } from './lab';
import { acquireLock, LockHeld, lockHolder, type LockHolder } from './lock';
import { enterOperatorCgroup, leaveOperatorCgroup } from './machines/cgroups';
import { labLockFile } from './machines/layout';

/** The lab, held by this process so that no other command changes it. */
export interface Hold {
  /** Gives the lab back; the second time it does nothing. */
  release(): void;
}

/**
 * Takes the lab, and ends what an earlier command left running on it because it was killed.
 * @throws OperatorError naming the command that holds the lab.
 */
export async function holdLab(): Promise<Hold> {
  const lock = acquireLock('the lab', labLockFile);
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    leaveOperatorCgroup();
    lock.release();
  };
  try {
    await endOrphans();
    enterOperatorCgroup();
  } catch (thrown) {
    release();
    throw thrown;
  }
  return { release };
}

/** Does something to the lab that nobody else may do at the same time. @throws as `holdLab`. */
export async function withLab<T>(work: () => Promise<T>): Promise<T> {
  const hold = await holdLab();
  try {
    return await work();
  } finally {
    hold.release();
  }
}

/** How long one may wait until machines that others switch have been switched, in milliseconds. */
const turnMs = 120_000;

/**
 * The same for a command that switches machines: while others like it hold the lab it waits for its turn, because whoever
 * drives the lab from outside (TARGET=vms) switches several machines at once, with a command for each.
 * @throws as `holdLab`, at once when another kind of command holds the lab; AwaitTimeout when its turn does not come.
 */
export async function withLabInTurn<T>(work: () => Promise<T>): Promise<T> {
  const switching = (holder: LockHolder | undefined): boolean =>
    holder !== undefined && /\spower (?:on|off|cut)\s/.test(`${holder.command} `);
  for (;;) {
    await eventually(
      'the machines that others switch have been switched',
      () => {
        const holder = lockHolder(labLockFile);
        const seen = switching(holder) ? `process ${holder?.pid} (${holder?.command})` : 'nobody';
        return Promise.resolve(compare('who switches machines', 'nobody', seen, labLockFile));
      },
      { ms: turnMs },
    );
    try {
      return await withLab(work);
    } catch (thrown) {
      // Another came first.
      if (!(thrown instanceof LockHeld && switching(thrown.other))) throw thrown;
    }
  }
}
