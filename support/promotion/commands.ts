import { quoted } from '../shell-words';
import type { Change } from './change';
import { nameOf, type Requirement, type Rules } from './rules';

/**
 * Targets that have every component a requirement is about for real, and none of the stand-ins that make its evidence
 * worthless; undefined when any will do, or the rules name none.
 */
export function targetsFor({ over, without }: Requirement, { targets, standins }: Rules): string[] | undefined {
  const components = Object.keys(over);
  if (components.length === 0 || Object.keys(targets).length === 0) return undefined;
  return Object.entries(targets)
    .filter(([, real]) => components.every((component) => real.includes(component)))
    .filter(([name]) => !without.some((part) => standins[name]?.includes(part)))
    .map(([name]) => name);
}

/** The command that would produce a requirement's evidence, for a shell in the suite's checkout. */
export function commandFor(
  requirement: Requirement,
  { repo, base, head }: Pick<Change, 'repo' | 'base' | 'head'>,
  targets: readonly string[] | undefined,
  target: string | undefined,
): string {
  const usual = {
    gate: `npm run gate -- ${nameOf(requirement).slice('gate '.length)}`,
    feature: `npm run suite -- ${nameOf(requirement).slice('feature '.length)}`,
    drill: `npm run drill -- run ${nameOf(requirement).slice('drill '.length)}`,
  };
  const kind = 'gate' in requirement ? 'gate' : 'feature' in requirement ? 'feature' : 'drill';
  const command = (requirement.run ?? usual[kind])
    .replaceAll('{repo}', quoted(repo))
    .replaceAll('{base}', base)
    .replaceAll('{head}', head);
  const on = target ?? (targets !== undefined && !targets.includes('embedded') ? targets[0] : undefined);
  return [`FACTORY=${quoted(repo)}`, ...(on === undefined ? [] : [`TARGET=${on}`]), command].join(' ');
}
