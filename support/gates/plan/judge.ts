import type { Finding } from '../../finding';
import type { Plan, ResourceChange } from '../plan-document';

export interface PlanJudgeOptions {
  /** Changes are meant: only what is destroyed or replaced of the protected kinds is red. */
  allowChanges: boolean;
  /** Whether `-detailed-exitcode` said that there are changes. */
  changes: boolean;
}

/** Kinds whose loss takes data or access with it, as they stand in resource types of every provider; the closest first. */
const protectedKinds = ['role', 'policy', 'mount', 'database', 'schema', 'auth_backend', 'secret_backend'] as const;

/** The protected kind a resource type is of. A grant can be given again: it is none. */
function protectedKind(type: string): string | undefined {
  if (type.includes('grant')) return undefined;
  return protectedKinds.find((kind) => `_${type}_`.includes(`_${kind}_`))?.replace('_', ' ');
}

const source = 'tofu plan -detailed-exitcode';

/** Whether a plan is a no-op, or, where changes are meant, whether it destroys nothing that must stay. */
export function judgePlan(plan: Plan, { allowChanges, changes }: PlanJudgeOptions): Finding[] {
  const all = plan.resource_changes ?? [];
  const managed = all.filter(({ mode }) => mode === 'managed');
  if (managed.length === 0) {
    const hint = 'give the folder of a root module with resources, and check that its state prefix is right.';
    return [{ subject: 'the plan', status: 'unknown', expected: 'resources', actual: 'none', source, hint }];
  }
  // Drift that OpenTofu would not undo (computed or ignored attributes) is no change; drift that it would undo is named so.
  const drifted = new Set(
    (plan.resource_drift ?? []).filter((change) => actionOf(change) !== undefined).map(({ address }) => address),
  );
  const findings = managed.flatMap((change) => judgeChange(change, drifted.has(change.address), allowChanges) ?? []);
  const outputs = changes && findings.length === 0 && !allowChanges;
  if (plan.errored === true || outputs) {
    const actual = plan.errored === true ? 'planning ended with an error' : 'only outputs would change';
    const hint = 'apply the root to the sandbox first (`npm run lab -- up`), then plan again.';
    findings.push({ subject: 'the plan', status: 'unmet', expected: 'no change', actual, source, hint });
  }
  if (findings.some(({ status }) => status !== 'met')) return findings;
  const still = managed.length - findings.length;
  return [
    ...findings,
    { subject: 'resources', status: 'met', expected: 'no change', actual: `${still} unchanged`, source },
  ];
}

/** A finding about a change, or undefined when the resource stays as it is. */
function judgeChange(change: ResourceChange, drifted: boolean, allowChanges: boolean): Finding | undefined {
  const action = actionOf(change);
  if (action === undefined) return undefined;
  const kind = protectedKind(change.type);
  const lost = ['destroy', 'replace', 'forget'].includes(action) && kind !== undefined;
  const finding = { subject: change.address, expected: allowChanges ? 'nothing lost' : 'no change', source };
  if (lost) {
    const hint = 'keep it: rename with a moved block, or take it out in a change of its own that says so.';
    const name = nameOf(change);
    return { ...finding, status: 'unmet', actual: `${action}s ${kind} ${name}`, hint };
  }
  const behind = drifted ? ", which was changed behind OpenTofu's back" : '';
  const actual = `${action}s it${attributes(change)}${behind}`;
  if (allowChanges) return { ...finding, status: 'met', actual };
  const hint = 'converge the sandbox first (`npm run lab -- up`); where the change is meant, use --allow-changes.';
  return { ...finding, status: 'unmet', actual, hint };
}

function actionOf({ change, previous_address }: ResourceChange): string | undefined {
  const actions = change.actions.filter((action) => action !== 'no-op' && action !== 'read');
  if (actions.length === 2) return 'replace';
  if (actions[0] === 'delete') return 'destroy';
  if (actions[0] !== undefined) return actions[0];
  if (change.importing) return 'import';
  return previous_address === undefined ? undefined : 'move';
}

/** The attributes that differ: names only, their values may be secret. */
function attributes({ change }: ResourceChange): string {
  const { before, after } = change;
  if (!before || !after) return '';
  const names = Object.keys({ ...before, ...after }).filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return names.length === 0 ? '' : ` (${names.sort().join(', ')})`;
}

/** The name a person knows the object by. */
function nameOf({ change, address }: ResourceChange): string {
  const values = change.before ?? change.after ?? {};
  for (const key of ['name', 'role_name', 'path', 'role']) {
    const value = values[key];
    if (typeof value === 'string' && value !== '') return `${value}`;
  }
  return address;
}
