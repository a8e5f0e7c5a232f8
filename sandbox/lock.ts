import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { OperatorError } from '../support/failure';
import { bootId, processStartTime } from '../support/process';
import { localTime } from '../support/terminal';

export { processStartTime };

const holderShape = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  /** Clock ticks since boot at which the process started (proc(5), field 22 of /proc/PID/stat). */
  startTime: z.string(),
  bootId: z.string(),
  command: z.string(),
  /** ISO 8601. */
  since: z.string(),
  token: z.string(),
});

/** Who holds a lock. A pid alone is not enough: pids are used again, so its start time and the boot belong to it. */
export type LockHolder = z.infer<typeof holderShape>;

/** A lock this process holds. */
export interface Lock {
  holder: LockHolder;
  /** Gives the lock back. Does nothing when it is no longer ours. */
  release(): void;
}

/**
 * Takes the exclusive lock `file`. A lock whose process is gone is taken over.
 * @param name what is locked, as a noun phrase for messages: "the forge", "the lab".
 * @throws LockHeld naming the holder when a live process (this one included) holds it.
 */
export function acquireLock(name: string, file: string): Lock {
  mkdirSync(dirname(file), { recursive: true });
  const mine = describeThisProcess(name);
  const draft = `${file}.${mine.token}`;
  writeFileSync(draft, `${JSON.stringify(mine, null, 2)}\n`, { mode: 0o600 });
  try {
    // A hard link appears with its whole content or not at all, and never replaces another's lock.
    while (!linked(draft, file)) {
      const other = readHolder(file);
      if (other !== undefined && isAlive(other)) throw new LockHeld(name, file, other);
      removeStale(draft, file, other);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    holder: mine,
    release: () => {
      if (readHolder(file)?.token === mine.token) rmSync(file, { force: true });
    },
  };
}

/** The live process that holds `file`, or undefined when nobody does. Changes nothing. */
export function lockHolder(file: string): LockHolder | undefined {
  const holder = readHolder(file);
  return holder !== undefined && isAlive(holder) ? holder : undefined;
}

function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
}

/**
 * Two processes may find the same stale lock, and the slower must not remove the faster one's new lock: only the holder of
 * the guard beside it removes, and looks again first. Nothing is done while another holds the guard.
 */
function removeStale(draft: string, file: string, stale: LockHolder | undefined): void {
  const guard = `${file}.takeover`;
  if (!linked(draft, guard)) return dropDeadGuard(guard);
  try {
    if (readHolder(file)?.token === stale?.token) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** A guard whose process died between two system calls is put aside; renaming is atomic, so one process does it. */
function dropDeadGuard(guard: string): void {
  if (!existsSync(guard)) return;
  const holder = readHolder(guard);
  if (holder !== undefined && isAlive(holder)) return;
  const aside = `${guard}.${randomUUID()}`;
  try {
    renameSync(guard, aside);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw thrown;
  }
  rmSync(aside, { force: true });
}

/** Undefined when there is no lock, or one that a crash of the machine left unreadable. */
function readHolder(file: string): LockHolder | undefined {
  try {
    return holderShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

function isAlive(holder: LockHolder): boolean {
  return holder.bootId === bootId() && processStartTime(holder.pid) === holder.startTime;
}

function describeThisProcess(name: string): LockHolder {
  return {
    name,
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    bootId: bootId(),
    command: process.argv.slice(1).join(' '),
    since: new Date().toISOString(),
    token: randomUUID(),
  };
}

/** The lock is another's. */
export class LockHeld extends OperatorError {
  constructor(
    name: string,
    file: string,
    readonly other: LockHolder,
  ) {
    super({
      attempted: `take the lock of ${name}`,
      where: file,
      seen: `process ${other.pid} (${other.command}) holds it since ${localTime(other.since)}`,
      next: `wait until process ${other.pid} is done, or end it, and run the same command again.`,
    });
  }
}
