import { OperatorError } from '../support/failure';
import type { DrillDefinition } from './definition';
import { argocdDrills } from './definitions/argocd';
import { databaseDrills } from './definitions/database';
import { etcdDrills } from './definitions/etcd';
import { machineDrills } from './definitions/machines';
import { storageDrills } from './definitions/storage';
import { pkiDrills } from './definitions/pki';
import { vaultDrills } from './definitions/vault';

/** Every drill, in the order in which `drill all` runs them. */
export const drills: readonly DrillDefinition[] = [
  ...vaultDrills,
  ...argocdDrills,
  ...databaseDrills,
  ...etcdDrills,
  ...machineDrills,
  ...storageDrills,
  ...pkiDrills,
];

/** A drill by its id. @throws OperatorError (exit code 2) naming those there are. */
export function drillNamed(id: string): DrillDefinition {
  const found = drills.find((drill) => drill.id === id);
  if (found !== undefined) return found;
  throw new OperatorError({
    attempted: 'find the drill',
    expected: `one of ${drills.map((drill) => drill.id).join(', ')}`,
    seen: id,
    next: 'see `npm run drill -- list`.',
    exitCode: 2,
  });
}
