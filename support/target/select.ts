import { OperatorError } from '../failure';
import { EmbeddedTarget } from './embedded';
import { K3dTarget } from './k3d';
import type { Target } from './target';
import { VmsTarget } from './vms';

/** Every target by its name in TARGET. */
const targets: Readonly<Record<string, () => Target>> = {
  embedded: () => new EmbeddedTarget(),
  vms: () => new VmsTarget(),
  k3d: () => new K3dTarget(),
};

/** Names that TARGET may have. */
export const targetNames = Object.keys(targets);

let selected: Target | undefined;

/** The target of this run, chosen by TARGET (default `embedded`). @throws OperatorError for a name that is none. */
export function selectTarget(name: string = process.env['TARGET'] || 'embedded'): Target {
  if (selected?.name === name) return selected;
  const make = targets[name];
  if (make === undefined) {
    throw new OperatorError({
      attempted: 'choose the target',
      where: 'TARGET',
      expected: `one of ${targetNames.join(', ')}`,
      seen: name,
      next: 'run `TARGET=embedded npm run suite`, or leave TARGET away.',
      exitCode: 2,
    });
  }
  selected = make();
  return selected;
}
