import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Requirement } from '../../sandbox/lab-doctor';
import { assertMet } from '../../sandbox/lab-host';
import { showRequirements } from '../../sandbox/lab-doctor-view';
import { newLabState, readLabState, stageReady, writeLabState } from '../../sandbox/lab-state';
import { hierarchies } from '../../sandbox/machines/cgroups';
import { diskMounted } from '../../sandbox/machines/disk';
import { diskMount } from '../../sandbox/machines/layout';
import { parseStatus } from '../../sandbox/machines/processes';
import { packageVersions, parts } from '../../sandbox/parts';
import { OperatorError } from '../../support/failure';

function folder(): string {
  return mkdtempSync(join(tmpdir(), 'lab-state-'));
}

describe("the lab's state", () => {
  it('is read as it was written, by its owner only', () => {
    const file = join(folder(), 'state.json');
    const state = newLabState('key', '/base');
    writeLabState(state, file);
    deepEqual({ ...readLabState(file), bootId: undefined }, { ...state, bootId: undefined });
    equal(statSync(file).mode & 0o777, 0o600);
  });

  it('that is missing, cut short or of another version is no state', () => {
    const file = join(folder(), 'state.json');
    equal(readLabState(file), undefined);
    for (const text of ['', '{"labId": "x"', '{"labId": "x"}', '[]']) {
      writeFileSync(file, text);
      equal(readLabState(file), undefined);
    }
  });

  it('is to be recovered after the host restarted', () => {
    const file = join(folder(), 'state.json');
    const state = { ...newLabState('key', '/base'), status: 'up' };
    writeFileSync(file, JSON.stringify({ ...state, bootId: 'another' }));
    equal(readLabState(file)?.status, 'recovering');
  });

  it('lets scenarios begin on a stage that ended, not while it is recovered', () => {
    const stages = { vault: { started: 'a', ended: 'b' }, argocd: { started: 'a' } };
    const state = { ...newLabState('key', '/base'), stages };
    equal(stageReady(state, 'vault'), true);
    equal(stageReady(state, 'argocd'), false);
    equal(stageReady(state, 'apps'), false);
    equal(stageReady({ ...state, status: 'recovering' }, 'vault'), false);
    equal(stageReady(undefined, 'vault'), false);
  });
});

describe('what the kernel says', () => {
  it('of cgroup hierarchies: one a controller in v1, one in all in v2', () => {
    const v1 = [
      '30 24 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
      '31 24 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
      '32 24 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup rw',
      '33 24 0:29 / /elsewhere/cpuset rw,relatime - cgroup cgroup rw,cpuset',
      '34 24 0:30 / / rw,relatime - ext4 /dev/vda rw',
    ].join('\n');
    deepEqual(
      hierarchies(v1).map(({ mount, version, controllers }) => [mount, version, controllers.join()]),
      [
        ['/sys/fs/cgroup/cpu', 1, 'cpu'],
        ['/sys/fs/cgroup/memory', 1, 'memory'],
        ['/sys/fs/cgroup/unified', 2, ''],
      ],
    );
    deepEqual(hierarchies('26 23 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw'), [
      { mount: '/sys/fs/cgroup', version: 2, controllers: [] },
    ]);
  });

  it('of a process: its pid in every namespace, from ours to its own', () => {
    const text = 'Name:\trunsvdir\nState:\tS (sleeping)\nPid:\t4711\nNSpid:\t4711\t1\n';
    deepEqual(parseStatus(4711, text), { pid: 4711, name: 'runsvdir', state: 'S', namespacePids: [4711, 1] });
  });

  it('of mounts: the disk is mounted only under its very name', () => {
    equal(diskMounted(`40 24 7:0 / ${diskMount} rw - btrfs /dev/loop0 rw`), true);
    equal(diskMounted(`40 24 7:0 / ${diskMount}-other rw - btrfs /dev/loop0 rw`), false);
    const real = join(folder(), 'a b');
    const link = join(folder(), 'link');
    mkdirSync(real);
    symlinkSync(real, link);
    const line = `40 24 7:0 / ${real.replace(' ', '\\040')} rw - btrfs /dev/loop0 rw`;
    deepEqual([diskMounted(line, real), diskMounted(line, link)], [true, true], 'the kernel knows no links');
  });
});

describe('the parts list', () => {
  it("takes versions from the base system's package database, of installed packages only", () => {
    const root = folder();
    mkdirSync(join(root, 'var', 'lib', 'dpkg'), { recursive: true });
    const paragraphs = [
      'Package: pgbouncer\nStatus: install ok installed\nVersion: 1.18.0-1',
      'Package: runc\nStatus: deinstall ok config-files\nVersion: 1.1.5',
    ];
    writeFileSync(join(root, 'var', 'lib', 'dpkg', 'status'), paragraphs.join('\n\n'));
    deepEqual([...packageVersions(root)], [['pgbouncer', '1.18.0-1']]);
    equal(packageVersions(join(root, 'nowhere')).size, 0);
    const stateOf = (base: string | undefined, name: string): string | undefined =>
      parts(base, []).find((part) => part.name === name)?.state;
    deepEqual([stateOf(root, 'pgbouncer'), stateOf(root, 'runc')], ['ready', 'missing']);
    equal(stateOf(undefined, 'pgbouncer'), 'unknown', 'what lies on a disk that is not mounted is not missing');
  });
});

describe('the doctor', () => {
  const requirement = (subject: string, met: boolean, change: Partial<Requirement> = {}): Requirement => ({
    finding: {
      subject,
      status: met ? 'met' : 'unmet',
      expected: 'installed',
      actual: met ? 'there' : 'not on PATH',
      source: 'test',
      hint: `get ${subject}.`,
    },
    hard: true,
    packages: [subject],
    ...change,
  });

  it('lets the lab begin when only a soft requirement is open', () => {
    assertMet([requirement('nft', true), requirement('docker', false, { hard: false })]);
  });

  it('names everything that is lacking in one sentence, with the next step', () => {
    throws(
      () => assertMet([requirement('nft', false), requirement('ip', true), requirement('skopeo', false)]),
      (thrown: unknown) => {
        ok(thrown instanceof OperatorError);
        ok(thrown.message.includes('nft') && thrown.message.includes('skopeo') && !thrown.message.includes('ip:'));
        ok(thrown.message.includes('install-deps'));
        return true;
      },
    );
    throws(() => assertMet([requirement('nft', false)]), /get nft\./);
  });

  it('shows what to do below the table', () => {
    const shown = showRequirements([requirement('nft', false), requirement('ip', true)]);
    ok(shown.includes('LACKS') && shown.includes('- nft: get nft.') && !shown.includes('- ip:'));
    ok(showRequirements([requirement('ip', true)]).includes('has what the lab needs'));
  });
});
