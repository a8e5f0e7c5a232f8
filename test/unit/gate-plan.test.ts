import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgePlan } from '../../support/gates/plan/judge';
import { parsePlan } from '../../support/gates/plan-document';
import { verdictOf } from '../../support/gates/result';
import { change, planText } from './gate-fixture';

const role = { name: 'cms_role' };
const database = { name: 'cms', owner: 'cms_role' };

function judge(
  changes: Record<string, unknown>[],
  options: { allowChanges?: boolean; changes?: boolean; drift?: Record<string, unknown>[] } = {},
) {
  const plan = parsePlan(planText(changes, { resource_drift: options.drift ?? [] }), 'plan');
  const findings = judgePlan(plan, {
    allowChanges: options.allowChanges ?? false,
    changes: options.changes ?? changes.length > 0,
  });
  return { findings, verdict: verdictOf(findings) };
}

const still = change('postgresql_role', { before: role, after: role, actions: ['no-op'] });
const destroyed = change('postgresql_database', { before: database, actions: ['delete'] });

describe('the plan gate', () => {
  it('is green for a no-op, and counts what it knows', () => {
    const { verdict, findings } = judge([still], { changes: false });
    deepEqual([verdict, findings[0]?.actual], ['green', '1 unchanged']);
  });

  it('cannot tell of a plan without resources', () => equal(judge([], { changes: false }).verdict, 'cannot tell'));

  it('is red for any change, with the attributes that differ and never their values', () => {
    const { verdict, findings } = judge([
      change('postgresql_role', {
        before: { ...role, password: 'hunter2' },
        after: { ...role, password: 'hunter3' },
        actions: ['update'],
      }),
    ]);
    deepEqual([verdict, findings[0]?.actual], ['red', 'updates it (password)']);
  });

  it('lets changes pass where they are meant', () => {
    const made = change('postgresql_database', { after: database });
    equal(judge([still, made]).verdict, 'red');
    equal(judge([still, made], { allowChanges: true }).verdict, 'green');
  });

  it('calls every loss of a database, role, policy or mount by name, also where changes are meant', () => {
    const cases: [Record<string, unknown>, string][] = [
      [destroyed, 'destroys database cms'],
      [
        change('postgresql_role', { before: role, actions: ['delete', 'create'], after: role }),
        'replaces role cms_role',
      ],
      [change('vault_policy', { before: { name: 'cms-ops' }, actions: ['delete'] }), 'destroys policy cms-ops'],
      [
        change('vault_mount', { before: { path: 'kvv2' }, actions: ['create', 'delete'], after: { path: 'kvv2' } }),
        'replaces mount kvv2',
      ],
      [
        change('vault_kubernetes_auth_backend_role', { before: { role_name: 'cms' }, actions: ['forget'] }),
        'forgets role cms',
      ],
      [
        change('vault_database_secret_backend_connection', { before: { name: 'postgres' }, actions: ['delete'] }),
        'destroys database postgres',
      ],
    ];
    for (const [one, words] of cases) {
      const { verdict, findings } = judge([still, one], { allowChanges: true });
      deepEqual([verdict, findings.find(({ status }) => status === 'unmet')?.actual], ['red', words]);
    }
    const secret = change('random_password', { before: { length: 32 }, actions: ['delete'] });
    equal(judge([still, secret], { allowChanges: true }).verdict, 'green');
  });

  it('says that drift was made behind OpenTofu’s back, when the plan would undo it', () => {
    const drift = [change('postgresql_role', { before: role, after: { ...role, login: true }, actions: ['update'] })];
    const undo = change('postgresql_role', { before: { ...role, login: true }, after: role, actions: ['update'] });
    match(
      judge([undo], { drift }).findings[0]?.actual ?? '',
      /updates it \(login\), which was changed behind OpenTofu's back/,
    );
    equal(judge([still], { drift, changes: false }).verdict, 'green');
  });

  it('is red when the exit code knows of changes that no resource shows', () =>
    equal(judge([still], { changes: true }).verdict, 'red'));
});
