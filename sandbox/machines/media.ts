import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatorError } from '../../support/failure';
import { forgeHome } from '../../support/paths';
import { ensureMachineBase } from '../images/debian';
import type { OnProgress } from '../progress';
import type { BootMedia } from './power';

/**
 * Where the machines' base system and the forge's store lie on this host; makes the base system where there is none.
 * LAB_BASE names another root file system to use instead.
 */
export async function bootMedia(options: { onProgress: OnProgress }): Promise<BootMedia> {
  const given = process.env['LAB_BASE'];
  if (given === undefined) return mediaOver(await ensureMachineBase(options));
  if (existsSync(join(given, 'bin'))) return mediaOver(resolve(given));
  throw new OperatorError({
    attempted: 'use the base system that LAB_BASE names',
    where: given,
    expected: 'a root file system',
    seen: existsSync(given) ? 'no bin in it' : 'no such folder',
    next: 'name another folder, or leave LAB_BASE away: then it is made.',
    exitCode: 2,
  });
}

/** The media of machines that were made over this base system. The forge's store may still be filling. */
export function mediaOver(base: string): BootMedia {
  for (const folder of ['bin', 'share']) mkdirSync(join(forgeHome, folder), { recursive: true });
  return { base, forge: forgeHome };
}
