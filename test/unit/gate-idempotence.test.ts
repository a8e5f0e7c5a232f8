import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OperatorError } from '../../support/failure';
import { readRun } from '../../support/gates/idempotence/events';
import { judgeRun } from '../../support/gates/idempotence/judge';
import { conditionsOf, hostsMeant, PlaybookFolder } from '../../support/gates/idempotence/playbooks';
import { verdictOf } from '../../support/gates/result';
import { readInventory } from '../../support/inventory';

type Result = Record<string, unknown>;

const fine = { changed: 0, failures: 0, unreachable: 0, ignored: 0, rescued: 0, ok: 1, skipped: 0 };
const task = { id: '1', name: 'depot : Stamp', path: '/factory/ansible/roles/depot/tasks/main.yml:7' };
const play = { _event: 'v2_playbook_on_play_start', play: { id: '0', name: 'Depot', path: '' }, tasks: [] };
const event = (kind: string, hosts: Record<string, Result>, name = task) => ({
  _event: `v2_runner_on_${kind}`,
  task: name,
  hosts,
});
const other = { ...task, id: '2', name: 'depot : Other', path: task.path.replace(':7', ':9') };
const ok = event('ok', { depot: { changed: false } }, other);

function judge(events: object[], stats: object = { depot: fine }, meant: string[] = ['depot']) {
  const lines = [play, ...events, { _event: 'v2_playbook_on_stats', stats }]
    .map((one) => JSON.stringify(one))
    .join('\n');
  const facts = { playbook: 'site.yml', registered: new Set(['found']), conditions: () => [{}], meantFor: () => meant };
  const { findings, diff } = judgeRun(readRun('site.yml', lines, ''), facts);
  const bad = findings.find(({ status }) => status !== 'met');
  return { verdict: verdictOf(findings), said: `${bad?.subject ?? ''}: ${bad?.actual ?? ''}`, diff };
}

describe('the idempotence gate', () => {
  it('is green when every host ran tasks and none would change', () => equal(judge([ok]).verdict, 'green'));

  it('names host, task and diff of a change, also of one item of a loop', () => {
    const diff = { before: 'a\n', after: 'b\n', before_header: '/etc/x', after_header: '/etc/x' };
    const seen = judge(
      [
        event('ok', {
          depot: {
            changed: true,
            results: [
              { item: 'x', changed: true, diff: [diff] },
              { item: 'y', changed: false },
            ],
          },
        }),
      ],
      { depot: { ...fine, changed: 1 } },
    );
    deepEqual([seen.verdict, seen.said], ['red', 'depot: depot : Stamp: would change (x)']);
    match(seen.diff, /depot:\/etc\/x[\s\S]*-a\n\+b/);
  });

  it('is red for a command that would run again, and cannot tell of a module without check mode', () => {
    const command = event('skipped', {
      depot: { changed: false, skipped: true, msg: 'Command would have run if not in check mode' },
    });
    equal(judge([ok, command]).verdict, 'red');
    const module = event('skipped', { depot: { skipped: true, msg: 'This action does not support check mode.' } });
    equal(judge([ok, module]).verdict, 'cannot tell');
  });

  it('cannot tell when a host failed or was not reached, also where the failure was ignored', () => {
    const failed = event('failed', { depot: { failed: true, msg: 'no such file' } });
    match(judge([ok, failed], { depot: { ...fine, failures: 1 } }).said, /depot: depot : Stamp: failed: no such file/);
    equal(judge([ok, failed], { depot: { ...fine, ignored: 1 } }).verdict, 'cannot tell');
    equal(
      judge([ok, event('unreachable', { pi1: { unreachable: true, msg: 'timed out' } })], {
        depot: fine,
        pi1: { ...fine, unreachable: 1 },
      }).verdict,
      'cannot tell',
    );
  });

  it('is red for a task that no host ever runs, unless what was found decided so', () => {
    const skipped = (condition: unknown) =>
      event('skipped', {
        depot: { skipped: true, skip_reason: 'Conditional result was False', false_condition: condition },
      });
    for (const condition of [false, 'false', 'enable | default(false)', "'found' == 'x'"])
      equal(judge([ok, skipped(condition)]).verdict, 'red', String(condition));
    for (const condition of ['not found.stat.exists', 'item not in found.results', 'found is changed'])
      equal(judge([ok, skipped(condition)]).verdict, 'green', condition);
    equal(
      judge([ok, event('skipped', { depot: { skipped: true, skip_reason: 'No items in the list', results: [] } })])
        .verdict,
      'red',
    );
  });

  it('is red for a play that reaches nobody, only skips, or leaves a host out', () => {
    equal(judge([]).verdict, 'red');
    equal(judge([ok], { depot: fine }, []).verdict, 'red');
    match(judge([ok], { depot: fine }, ['depot', 'pi1']).said, /not one task ran on pi1/);
    const skipped = event('skipped', { depot: { skipped: true, false_condition: 'found.x' } });
    match(judge([skipped]).said, /every task was skipped/);
  });

  it('does not trust a run whose summary knows more than its tasks told', () => {
    equal(judge([ok], { depot: { ...fine, changed: 1 } }).verdict, 'red');
    equal(judge([ok], { depot: { ...fine, failures: 1 } }).verdict, 'cannot tell');
  });

  it('says what ansible-playbook said of a playbook with a syntax error', () => {
    throws(
      () => readRun('bad.yml', '', "[ERROR]: 'tsks' is not a valid attribute for a Play\n"),
      (thrown) => thrown instanceof OperatorError && /tsks/.test(thrown.message) && thrown.parts.exitCode === 2,
    );
    throws(() => readRun('bad.yml', JSON.stringify(play), ''), OperatorError);
    throws(() => readRun('bad.yml', '{"_event":"v2_runner_on_ok","hosts":1}', ''), OperatorError);
    throws(() => readRun('bad.yml', '{"_event":"v2_runner', ''), OperatorError);
  });
});

describe('the playbooks of a factory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-playbooks-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'recover'));
  writeFileSync(join(folder, 'site.yml'), '- import_playbook: one.yml\n- import_playbook: recover/two.yml\n');
  writeFileSync(
    join(folder, 'one.yml'),
    '- hosts: cluster\n  tasks: []\n- name: Second\n  hosts: [postgres, localhost]\n  tasks:\n    - block:\n        - name: Hidden\n          no_log: true\n          command: x\n      when: not found.stat.exists\n    - stat: { path: / }\n      register: found\n',
  );
  writeFileSync(join(folder, 'recover', 'two.yml'), '- hosts: all\n');
  writeFileSync(join(folder, 'alone.yml'), '- hosts: "{{ where }}"\n');
  writeFileSync(join(folder, 'vars.yml'), 'a: 1\n');
  const playbooks = new PlaybookFolder(folder);
  const meant = (file: string, line: number) =>
    hostsMeant({ name: '', path: `${join(folder, file)}:${line}`, runs: [] }, readInventory());

  it('are each judged once', () => deepEqual(playbooks.all(), ['site.yml', 'alone.yml']));
  it('are found by name, or refused with the names there are', () => {
    equal(playbooks.named('recover/two.yml'), 'recover/two.yml');
    throws(() => playbooks.named('none.yml'), /site\.yml/);
  });
  it('say whom a play is meant for, where that is written plainly', () => {
    deepEqual(meant('one.yml', 1), ['pi1', 'pi2', 'pi3']);
    deepEqual(meant('one.yml', 3), ['pi2', 'localhost']);
    deepEqual(meant('alone.yml', 1), undefined);
  });
  it('say what guards a task whose result is hidden', () => {
    deepEqual(conditionsOf(`${join(folder, 'one.yml')}:7`), [{ false_condition: 'not found.stat.exists' }]);
    deepEqual(conditionsOf(`${join(folder, 'one.yml')}:11`), [{}]);
    deepEqual([...playbooks.registered()], ['found']);
  });
});
