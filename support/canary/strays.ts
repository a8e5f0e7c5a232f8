import { readFactoryApps } from '../factory/repositories';
import { OperatorError } from '../failure';
import { nearMiss } from '../naming';
import type { Systems } from '../systems';
import { keysInState } from '../tofu/state';

/** Whether a name is the throwaway app's, or a mistyped one of it; never that of an app the factory has. */
export function isStray(name: string, app: string): boolean {
  const known = readFactoryApps().some((one) => one.name === name);
  return !known && (name === app || nearMiss(app, [name]) !== undefined);
}

/** Refuses an app of the factory: it would be taken apart. @throws OperatorError */
export function assertThrowaway(app: string): void {
  if (!readFactoryApps().some((one) => one.name === app)) return;
  throw new OperatorError({
    attempted: `use ${app} as a throwaway app`,
    expected: 'a name that no app of the factory has',
    seen: `${app} in argocd/values.yaml`,
    next: 'choose another name: a throwaway app is removed from every system afterwards.',
    exitCode: 2,
  });
}

/** Keys of the throwaway app in a shared OpenTofu state. */
export async function strayKeys({ states }: Systems, statePrefix: string, app: string): Promise<string[]> {
  const objects = (await states.list(`${statePrefix}/`)).filter(({ name }) => name.endsWith('.tfstate'));
  const texts = await Promise.all(objects.map(({ name }) => states.get(name)));
  return texts.flatMap((text) => [...keysInState(text.toString('utf8'))]).filter((key) => isStray(key, app));
}
