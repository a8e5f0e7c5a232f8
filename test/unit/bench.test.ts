import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { V1Node } from '@kubernetes/client-node';
import type { Benchmark } from '../../bench/benchmark';
import { largePlan, zone } from '../../bench/dns-plan';
import { freshlyReady } from '../../bench/fresh-nodes';
import { benchmarks } from '../../bench/registry';
import { parseMemoryStat } from '../../bench/resident';
import { readResults, resultShape, writeResult, type Result } from '../../bench/results';
import { measure } from '../../bench/runner';
import { ratioOf, summarize } from '../../bench/statistics';
import { figure, markdownTables, terminalTable } from '../../bench/tables';
import { OperatorError } from '../../support/failure';
import { judgeDnsPlan, readZone } from '../../support/gates/dns/gate';
import { parsePlan } from '../../support/gates/plan-document';

const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const silent = (): void => undefined;

/** A benchmark whose runs give these figures, and which notes what is called. */
function scripted(figures: number[], calls: string[], more: Partial<Benchmark> = {}): Benchmark {
  return {
    name: 'scripted',
    what: 'figures from a list | with a bar',
    unit: 's',
    before: async () => void calls.push('before'),
    run: async ({ part }) => {
      calls.push('run');
      const next = figures.shift();
      if (next === undefined) throw new OperatorError({ attempted: 'measure', next: 'write more figures.' });
      part('half', next / 2);
      if (next > 2) part('size', next, 'MiB');
      return next;
    },
    after: async () => void calls.push('after'),
    ...more,
  };
}

describe('the statistics of runs', () => {
  it('keep every run in its order and find the middle of odd, even and single counts', () => {
    deepEqual(summarize([3, 1, 2]), { runs: [3, 1, 2], min: 1, median: 2, max: 3 });
    deepEqual(summarize([10, 2, 4, 1]), { runs: [10, 2, 4, 1], min: 1, median: 3, max: 10 });
    deepEqual(summarize([0.5]), { runs: [0.5], min: 0.5, median: 0.5, max: 0.5 });
  });

  it('refuse what is no figure', () => {
    for (const runs of [[], [Number.NaN], [1, Number.POSITIVE_INFINITY], [-1]])
      throws(() => summarize(runs), RangeError);
  });

  it('sort numbers as numbers', () => equal(summarize([100, 9, 20]).median, 20));

  it('compare medians, and not with a peer that took no time', () => {
    equal(ratioOf(summarize([6, 8, 100]), summarize([2, 1, 50])), 4);
    equal(ratioOf(summarize([6]), summarize([0])), undefined);
  });
});

describe('the measuring of a benchmark', () => {
  it('prepares every run, measures the peer beside each, cleans up once, and keeps parts', async () => {
    const calls: string[] = [];
    const peer = { what: 'half of it', run: () => Promise.resolve(calls.push('peer') && 1) };
    const result = await measure(scripted([2, 4, 3], calls, { peer, goal: 'at most 9 s' }), 3, silent);
    const once = ['before', 'peer', 'before', 'run'];
    deepEqual(calls, [...once, ...once, ...once, 'after']);
    deepEqual(result.runs, [2, 4, 3]);
    deepEqual(result.parts['half'], { unit: 's', ...summarize([1, 2, 1.5]) });
    deepEqual(result.parts['size'], { unit: 'MiB', ...summarize([4, 3]) });
    equal(result.peer?.ratio, 3);
    equal(result.goal, 'at most 9 s');
    ok(result.machine.cores > 0 && result.machine.memoryMiB > 0 && result.machine.kernel !== '');
    equal(result.machine.node, process.version);
    match(result.commit, /^[0-9a-f]{40}( with uncommitted changes)?$|^unknown: /);
    resultShape.parse(result);
  });

  it('gives no result when a run fails, and cleans up all the same', async () => {
    const calls: string[] = [];
    await rejects(measure(scripted([2], calls), 2, silent), /Could not measure/);
    deepEqual(calls, ['before', 'run', 'before', 'run', 'after']);
  });

  it('says both when the cleaning up fails as well', async () => {
    const broken = async (): Promise<void> => Promise.reject(new Error('the lab is gone'));
    await rejects(
      measure(scripted([], [], { after: broken }), 1, silent),
      /Could not measure.*And then: the lab is gone/,
    );
    await rejects(measure(scripted([1], [], { after: broken }), 1, silent), /the lab is gone/);
  });
});

describe('the results on disk', () => {
  it('are read back as they were written, in the order of the benchmarks', async () => {
    const one = await measure(scripted([1], [], { name: 'one' }), 1, silent);
    const two = await measure(scripted([2], [], { name: 'two' }), 1, silent);
    for (const result of [one, two]) writeResult(result, folder);
    deepEqual(readResults(['two', 'absent', 'one'], folder), [two, one]);
    const raw = JSON.parse(readFileSync(join(folder, 'one.json'), 'utf8')) as Record<string, unknown>;
    deepEqual(Object.keys(raw).sort(), [
      'commit',
      'machine',
      'max',
      'median',
      'min',
      'name',
      'parts',
      'runs',
      'unit',
      'what',
      'when',
    ]);
  });

  it('are none where nothing was measured, and an error with the file where one is broken', () => {
    deepEqual(readResults(['one'], join(folder, 'nowhere')), []);
    writeFileSync(join(folder, 'broken.json'), '{"name":"broken"}');
    writeFileSync(join(folder, 'cut.json'), '{"name":');
    throws(() => readResults(['broken'], folder), /broken\.json/);
    throws(() => readResults(['cut'], folder), OperatorError);
  });

  it('refuse a result without runs', async () => {
    const result: Result = { ...(await measure(scripted([1], []), 1, silent)), runs: [] };
    throws(() => writeResult(result, folder));
  });
});

describe('the tables', () => {
  it('show three digits that mean something', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [0.02161, '0.0216'],
      [0.5, '0.500'],
      [9.876, '9.88'],
      [119.4, '119'],
      [8192.4, '8192'],
    ];
    for (const [value, text] of cases) equal(figure(value), text);
  });

  it('have a row a benchmark, in Markdown with bars that do not break it', async () => {
    const peer = { what: 'nothing', run: () => Promise.resolve(0) };
    const result = await measure(scripted([3], [], { peer }), 1, silent);
    match(terminalTable([result]), /scripted.*3\.00 s/);
    const lines = markdownTables([result]).split('\n');
    const row = lines.find((line) => line.startsWith('| `scripted` | figures')) ?? '';
    match(row, /figures from a list \\\| with a bar \| \*\*3\.00 s\*\* \| 3\.00 \| {2}\| 0 s: nothing \|$/);
    ok(lines.some((line) => line === '| `scripted` | half | 1.50 s |'));
  });
});

describe('what benchmarks read', () => {
  it('takes memory from both versions of cgroups, child groups included, and says when there is none', () => {
    const v1 = 'cache 9\nrss 1\nmapped_file 2\ntotal_cache 99\ntotal_rss 30\ntotal_rss_huge 4\ntotal_mapped_file 12\n';
    deepEqual(parseMemoryStat(v1), { anonymous: 30, mapped: 12 });
    deepEqual(parseMemoryStat('anon 7\nfile 50\nfile_mapped 5\n'), { anonymous: 7, mapped: 5 });
    equal(parseMemoryStat(''), undefined);
    equal(parseMemoryStat('anon 7\n'), undefined);
  });

  it('believes a node that is Ready only by a heartbeat since the power-on', () => {
    const node = (name: string, status: string, heartbeat: string): V1Node => ({
      metadata: { name },
      status: { conditions: [{ type: 'Ready', status, lastHeartbeatTime: new Date(heartbeat) }] },
    });
    const since = Date.parse('2026-01-01T00:00:10.400Z');
    const stale = node('pi1', 'True', '2026-01-01T00:00:10Z');
    const fresh = node('pi2', 'True', '2026-01-01T00:00:11Z');
    const ill = node('pi3', 'False', '2026-01-01T00:00:12Z');
    equal(freshlyReady([stale, fresh, ill], 2, since).status, 'unmet');
    equal(freshlyReady([stale, fresh, ill], 2, since).actual, 'pi2');
    equal(freshlyReady([stale, fresh, ill], 1, since).status, 'met');
    equal(freshlyReady([{ metadata: { name: 'pi1' } }], 1, since).status, 'unmet');
  });

  it('makes a plan in which the DNS gate has every record to judge', () => {
    const { findings } = judgeDnsPlan(parsePlan(largePlan(60), 'plan.json'), readZone(zone));
    equal(findings.length, 60);
    ok(findings.every(({ status }) => status === 'met'));
  });
});

describe('the list of benchmarks', () => {
  it('has the names that documents use, each once, each with words for what it measures', () => {
    const names = benchmarks.map(({ name }) => name);
    const expected =
      'canary drills evidence-append evidence-memory evidence-promote evidence-show evidence-verify forge ' +
      'gate-dns gates guard lab-down lab-restore lab-up memory nodes-ready redaction reports reset-large reset-middle reset-small suite-warm';
    equal([...names].sort().join(' '), expected);
    for (const { what } of benchmarks) ok(what.length > 40);
  });
});
