import { endOrphans } from './lab';
import { acquireLock } from './lock';
import { labLockFile } from './machines/layout';

/**
 * Does something to the lab that nobody else may do at the same time.
 * @throws OperatorError naming the command that holds the lab.
 */
export async function withLab<T>(work: () => Promise<T>): Promise<T> {
  const lock = acquireLock('the lab', labLockFile);
  try {
    await endOrphans();
    return await work();
  } finally {
    lock.release();
  }
}
