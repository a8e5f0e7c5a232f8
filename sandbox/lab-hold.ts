import { endOrphans } from './lab';
import { acquireLock } from './lock';
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
