import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../fault';
import { cacheHome } from '../paths';
import { signedLedger, tamper } from './tampering';

/** A ledger that somebody tampered with, in the place of the one that nobody touched. Needs no lab. */
export function tamperedLedger(name: string, breaks: string, words: string): Fault {
  const home = join(cacheHome, 'faults', name);
  return {
    name,
    breaks,
    plant: () => {
      rmSync(home, { recursive: true, force: true });
      mkdirSync(home, { recursive: true });
      const folder = signedLedger(join(home, 'ledger'), 8);
      tamper(folder, words);
      process.env['PLANTED_LEDGER'] = folder;
      return Promise.resolve();
    },
    heal: () => {
      delete process.env['PLANTED_LEDGER'];
      rmSync(home, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
