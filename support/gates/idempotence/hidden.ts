import type { ItemResult } from './events';

/** Words of a condition that name no variable. */
const words = new Set(['and', 'or', 'not', 'in', 'is', 'true', 'false', 'none', 'if', 'else', 'True', 'False', 'None']);

/**
 * Why a task that no host ran hides from the gate, or undefined when what an earlier task found decided against it: then
 * it runs on the day that is found otherwise. A constant, a variable nobody sets or a loop over nothing runs on no day.
 */
export function hiddenTask(items: readonly ItemResult[], registered: ReadonlySet<string>): string | undefined {
  for (const { false_condition: condition, skip_reason: reason, msg } of items) {
    if (condition === undefined) {
      const said = reason ?? (typeof msg === 'string' ? msg : 'it was skipped');
      return `never runs: ${said.toLowerCase()}`;
    }
    const text = typeof condition === 'string' ? condition : JSON.stringify(condition);
    if (!variables(text).some((name) => registered.has(name)))
      return `never runs: its condition \`${text}\` is false on every host`;
  }
  return undefined;
}

/** The names a condition begins its look-ups with: `probe.rc != 0 and x is defined` is `probe` and `x`. */
function variables(condition: string): string[] {
  const bare = condition.replace(/'[^']*'|"[^"]*"/g, '');
  return [...bare.matchAll(/(?<![\w.])[A-Za-z_]\w*/g)].map(([name]) => name).filter((name) => !words.has(name));
}
