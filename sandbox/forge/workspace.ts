import { isAtLeast } from './go';
import type { Recipe } from './recipe';

/**
 * The go.mod of a throw-away module that builds a recipe's packages. `go install` refuses a module whose go.mod has `replace`
 * or `exclude` lines, so ours requires it and repeats them. Local ones (`=> ./api`) are left out: the published version that upstream
 * requires is used. Kubernetes' staging modules are published as v0.X.Y of its v1.X.Y.
 * Upstream's `go` and `godebug` lines are repeated too, because the main module's decide the binary's defaults.
 * @param upstream the text of the module's own go.mod.
 */
export function workspaceModule(recipe: Recipe, upstream: string): string {
  const { module } = recipe;
  if (module === undefined) throw new Error(`${recipe.name} has no module`);
  const statements = [...moduleStatements(upstream)];
  const lines = [`module forge.local/${recipe.name}`, `go ${goDirective(upstream)}`];
  for (const { verb, text } of statements) if (verb === 'godebug') lines.push(`godebug ${text}`);
  lines.push(`require ${module.path} ${module.version}`);
  for (const [path, version] of Object.entries(recipe.pins)) lines.push(`require ${path} ${version}`);
  for (const { verb, text } of statements) {
    if (verb === 'exclude') lines.push(`exclude ${text}`);
    if (verb !== 'replace') continue;
    const [left = '', right = ''] = text.split(/\s*=>\s*/);
    if (right.startsWith('./staging/')) {
      lines.push(`replace ${left} => ${left} v0.${module.version.replace(/^v1\./, '')}`);
    } else if (!right.startsWith('.')) {
      lines.push(`replace ${left} => ${right}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The Go version a go.mod asks for, at least 1.21 (older ones have no meaning for the toolchain's choice). */
export function goDirective(upstream: string): string {
  const wanted = /^go\s+(\d+\.\d+(?:\.\d+)?)/m.exec(upstream)?.[1] ?? '1.21';
  return isAtLeast(wanted, '1.21') ? wanted : '1.21';
}

/** The version of a module that a go.mod requires. @throws Error when it requires none: the recipe is wrong. */
export function requiredVersion(upstream: string, module: string): string {
  for (const { verb, text } of moduleStatements(upstream)) {
    const [path, version] = text.split(/\s+/);
    if (verb === 'require' && path === module && version !== undefined) return version;
  }
  throw new Error(`${module} is not required there`);
}

/** The statements of a go.mod, blocks resolved, comments gone. */
function* moduleStatements(text: string): Generator<{ verb: string; text: string }> {
  let block: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\/\/.*$/, '').trim();
    if (line === '') continue;
    const opening = /^(\w+)\s*\($/.exec(line);
    if (opening) block = opening[1];
    else if (line === ')') block = undefined;
    else if (block !== undefined) yield { verb: block, text: line };
    else {
      const [verb = '', ...rest] = line.split(/\s+/);
      yield { verb, text: rest.join(' ') };
    }
  }
}
