import { z } from 'zod';
import type { VaultClient } from './client';

/** The key of an instance's configuration that a drill adds. */
export const markerKey = 'drill_marker';

const shape = z.object({ data: z.record(z.string(), z.unknown()) });

/** Adds a marker to an instance's configuration, as an operator changes a secret. */
export async function changeConfig(vault: VaultClient, instance: string, marker: string): Promise<void> {
  const path = `kvv2/data/${instance}/config`;
  const found = await vault.read(path, shape);
  await vault.write(path, { data: { ...found?.data, [markerKey]: marker } });
}

/** Takes the marker away again. Does nothing when there is none. */
export async function restoreConfig(vault: VaultClient, instance: string): Promise<void> {
  const path = `kvv2/data/${instance}/config`;
  const found = await vault.read(path, shape);
  if (found === undefined || !(markerKey in found.data)) return;
  const { [markerKey]: _, ...own } = found.data;
  await vault.write(path, { data: own });
}
