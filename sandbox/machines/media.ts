import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
  return mediaOver(given === undefined ? await ensureMachineBase(options) : resolve(given));
}

/** The media of machines that were made over this base system. The forge's store may still be filling. */
export function mediaOver(base: string): BootMedia {
  for (const folder of ['bin', 'share']) mkdirSync(join(forgeHome, folder), { recursive: true });
  return { base, forge: forgeHome };
}
