import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { childEnvironment } from '../../command';
import { OperatorError } from '../../failure';
import { ledgerFiles } from './place';

/** How long an append waits for others. Seconds; each takes some milliseconds. */
const patience = 30;

/**
 * Does something while no other process appends to the ledger. The lock is flock(2) on an open file: the kernel gives it
 * back when this process ends, however it ends. Node has no flock, so util-linux's takes it on the file that is open here:
 * the lock belongs to that, not to the program that asked for it.
 * @throws OperatorError when others hold it too long.
 */
export function locked<T>(folder: string, act: () => T): T {
  const file = ledgerFiles(folder).lock;
  const fd = openSync(file, 'a', 0o600);
  try {
    const { status, error, stderr } = spawnSync('flock', ['--exclusive', '--timeout', String(patience), '3'], {
      // Pipes, not 'ignore', which opens /dev/null: where that is not as it must be, the append would end with its error
      // (a folder in its place: "spawnSync flock EISDIR").
      stdio: ['pipe', 'pipe', 'pipe', fd],
      env: childEnvironment(),
    });
    if (status !== 0) {
      throw new OperatorError({
        attempted: 'lock the ledger',
        where: file,
        expected: 'flock (Debian: util-linux) to lock it',
        seen: error?.message ?? (stderr.toString().trim() || `others kept it for ${patience} s`),
        next: `see with \`fuser ${file}\` who holds it; nothing was written.`,
      });
    }
    return act();
  } finally {
    closeSync(fd);
  }
}
