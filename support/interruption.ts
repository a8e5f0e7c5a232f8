import { AsyncLocalStorage } from 'node:async_hooks';

const interrupted = new AbortController();
const shield = new AsyncLocalStorage<true>();

/** Ends every wait of the run, except those of shielded work. Called once, on Ctrl-C or SIGTERM. */
export function interrupt(why: Error): void {
  interrupted.abort(why);
}

/** The signal that ends waits when the run is interrupted; undefined inside `shielded` work. */
export function interruption(): AbortSignal | undefined {
  return shield.getStore() === true ? undefined : interrupted.signal;
}

/** True once the run was interrupted, shielded or not. */
export function isInterrupted(): boolean {
  return interrupted.signal.aborted;
}

/** Runs what must finish although the run was interrupted: undoing what a scenario did. */
export function shielded<T>(work: () => Promise<T>): Promise<T> {
  return shield.run(true, work);
}
