import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { forgeHome } from '../../support/paths';
import type { BootMedia } from './power';

/** Where the machines' base system and the forge's store lie on this host. */
export async function bootMedia(): Promise<BootMedia> {
  const forge = process.env['LAB_FORGE'] ?? forgeHome;
  for (const folder of ['bin', 'share']) mkdirSync(join(forge, folder), { recursive: true });
  const given = process.env['LAB_BASE'] ?? '/root/.cache/spike/base/rootfs';
  return {
    base: resolve(given),
    forge: existsSync(join(forge, 'bin', 'kubelet')) ? forge : '/root/.cache/spike/forge',
  };
}
