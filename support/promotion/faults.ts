import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../fault';
import { cacheHome } from '../paths';
import { rehearsed, type Rehearsal } from './rehearsal';

/** A change that looks as if it had survived everything, and did not. Needs no lab. */
export function falseRehearsal(
  name: string,
  breaks: string,
  damage: (rehearsal: Rehearsal) => Promise<unknown>,
): Fault {
  const folder = join(cacheHome, 'faults', name);
  return {
    name,
    breaks,
    plant: async () => {
      rmSync(folder, { recursive: true, force: true });
      await damage(await rehearsed(folder));
      process.env['PLANTED_REHEARSAL'] = folder;
    },
    heal: () => {
      delete process.env['PLANTED_REHEARSAL'];
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
