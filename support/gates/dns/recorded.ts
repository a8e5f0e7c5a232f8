import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { factoryHome } from '../../paths';

/** The factory's DNS plan as `tofu show -json` wrote it, or undefined when the factory has none. */
export function recordedDnsPlan(factory = factoryHome): string | undefined {
  const file = join(factory, 'dns', 'plan.json');
  return existsSync(file) ? file : undefined;
}
