import { OperatorError } from '../failure';
import { EmbeddedTarget } from './embedded';
import type { Target } from './target';

let selected: Target | undefined;

/** The target of this run, chosen by TARGET (default `embedded`). @throws OperatorError for a name that is none. */
export function selectTarget(name: string = process.env['TARGET'] || 'embedded'): Target {
  if (selected?.name === name) return selected;
  if (name !== 'embedded') {
    throw new OperatorError({
      attempted: 'choose the target',
      where: 'TARGET',
      expected: 'embedded',
      seen: name,
      next: 'run `TARGET=embedded npm run suite`, or leave TARGET away.',
      exitCode: 2,
    });
  }
  selected = new EmbeddedTarget();
  return selected;
}
