import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { initPid } from './power';

/** A supervised service of a machine as runit reports it. */
export interface ServiceState {
  name: string;
  /** runit's word: "run", "down", "finish"; "unknown" before runsv has looked at it. */
  state: string;
  /** Seconds since it last started or stopped. */
  seconds?: number;
}

/** The services of a machine that is on, read from runit's own status files (sv(8), supervise/stat); none when it is off. */
export function machineServices(machine: string): ServiceState[] {
  const init = initPid(machine);
  if (init === undefined) return [];
  // The machine's own view of its files: the overlay is mounted only there.
  const folder = `/proc/${init}/root/etc/lab-service`;
  return entries(folder).map((name) => {
    const file = join(folder, name, 'supervise', 'stat');
    try {
      const seconds = Math.round((Date.now() - statSync(join(folder, name, 'supervise', 'pid')).mtimeMs) / 1000);
      return { name, state: readFileSync(file, 'utf8').trim().split(',')[0] ?? 'unknown', seconds };
    } catch {
      return { name, state: 'unknown' };
    }
  });
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
