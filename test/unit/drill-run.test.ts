import './drill-home';
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { run } from '../../support/command';
import type { Finding } from '../../support/finding';
import { readInventory } from '../../support/inventory';
import { defineDrill, type DrillDefinition } from '../../drills/definition';
import { journalShape, readJournals, type Journal } from '../../drills/journal';
import { drills } from '../../drills/registry';
import { end, isKilled, kept } from '../../drills/resume';
import { lastOf } from '../../support/evidence/ledger/find';
import type { DrillOptions } from '../../drills/options';
import { LeftHalfWay, runDrill } from '../../drills/run';
import { parseRunbook } from '../../drills/runbook/read';
import type { OperatorShell } from '../../drills/shell';
import type { Target } from '../../support/target';

const target: Target = {
  name: 'paper',
  inventory: readInventory(),
  capabilities: new Set(['power'] as const),
  stages: () => [],
  ready: () => Promise.resolve(finding(true)),
  identity: () => 'paper-1',
  occupy: () => () => undefined,
  parts: () => Promise.resolve([{ name: 'lamp', version: '1', provenance: 'stand-in' as const }]),
  power: () => Promise.resolve(),
  packetsLeaving: () => Promise.resolve(undefined),
  onMachine: () => Promise.reject(new Error('paper has no machines')),
  prepare: () => Promise.resolve(),
  bringUp: () => ({ alreadyUp: true, done: Promise.resolve(), stop: () => undefined }),
};

/** A bash without a sandbox; the lamp is a file. */
const shell: OperatorShell = {
  run: async (text, withinMs) => {
    const ended = await run('timeout', ['-k', '1s', `${withinMs / 1000}s`, 'bash', '-euc', text], {
      allowFailure: true,
    });
    return { exitCode: ended.exitCode, output: ended.stdout, timedOut: ended.exitCode === 124 };
  },
};

function finding(met: boolean): Finding {
  const actual = met ? 'on' : 'off';
  return { subject: 'lamp', status: met ? 'met' : 'unmet', expected: 'on', actual, source: 'the lamp' };
}

interface Lamp {
  drill: DrillDefinition;
  file: string;
  healed: () => number;
  options: DrillOptions;
}

const sections = { repair: 'test -f LAMP', act: 'touch LAMP' };

/** Milliseconds: more than a starved machine needs; only what is to run out of time is given less. */
const roomy = { detectionMs: 30_000, recoveryMs: 60_000 };

/** A drill that switches a lamp off and a runbook that switches it on again. */
function lamp(change: (runbook: string) => string = (text) => text, more: Partial<DrillDefinition> = {}): Lamp {
  const file = join(mkdtempSync(join(tmpdir(), 'lamp-')), 'lamp');
  let healed = 0;
  let on = true;
  const isOn = async (): Promise<boolean> => on || (await shell.run(`test -f ${file}`, 5_000)).exitCode === 0;
  const drill = defineDrill({
    id: 'lamp',
    title: 'The lamp is switched off.',
    changeClasses: ['infra'],
    capabilities: [],
    sections: ['the-lamp-is-off'],
    memory: z.object({}),
    prepare: () => Promise.resolve({}),
    inject: () => Promise.resolve(void (on = false)),
    detect: async () => ({ ...finding(!(await isOn())), expected: 'off' }),
    recovered: async () => [finding(await isOn())],
    heal: () => Promise.resolve(void ((on = true), (healed += 1))),
    hands: {},
    budgets: roomy,
    ...more,
  });
  const text = [
    '## The lamp is off',
    `\`\`\`sh check #lamp-is-off\n! ${sections.repair}\n\`\`\``,
    `\`\`\`sh run #lamp-on within=30s\n${sections.act}\n\`\`\``,
    `\`\`\`sh wait-until #lamp-is-on within=30s\n${sections.repair}\n\`\`\``,
  ].join('\n\n');
  const runbook = parseRunbook(change(text).replaceAll('LAMP', file), 'LAMP.md');
  const steadyState = async (): Promise<Finding[]> => [finding(await isOn())];
  return { drill, file, healed: () => healed, options: { runbook, shell, steadyState } };
}

async function verdictOf({ drill, options }: Lamp, more: DrillOptions = {}): Promise<Journal> {
  // The undo finds a drill by its id, as another process would.
  const known = drills as DrillDefinition[];
  known.push(drill);
  try {
    return await runDrill(target, drill, { ...options, ...more });
  } finally {
    known.pop();
  }
}

describe('a drill', () => {
  test('is survived when the runbook alone brings everything back, and undone all the same', async () => {
    const one = lamp();
    const journal = await verdictOf(one);
    assert.equal(journal.verdict, 'survived', journal.reason ?? '');
    assert.deepEqual(
      journal.steps.map(({ block, result }) => [block, result]),
      [
        ['lamp-is-off', 'passed'],
        ['lamp-on', 'passed'],
        ['lamp-is-on', 'passed'],
      ],
    );
    assert.deepEqual(
      journal.phases.map(({ phase }) => phase),
      ['gate', 'undo-registered', 'inject', 'detect', 'follow', 'recover', 'undo', 'check'],
    );
    assert.equal(one.healed(), 1);
    assert.equal(journal.samples.filter(({ met, of }) => met === of).length, 3);
    assert.ok((journal.recovery?.totalMs ?? 0) > 0);
  });

  test('its journal on disk is what the schema says', async () => {
    const journal = await verdictOf(lamp());
    const kept = readJournals().find(({ id }) => id === journal.id);
    assert.deepEqual(kept, journalShape.parse(journal));
    assert.equal(kept?.provenance[0]?.provenance, 'stand-in');
  });

  test('without its fault is inconclusive', async () => {
    const quick = { budgets: { ...roomy, detectionMs: 500 } };
    const journal = await verdictOf(lamp(undefined, quick), { skipInjection: true });
    assert.equal(journal.verdict, 'inconclusive');
    assert.equal(journal.injected, false);
  });

  test('whose fault cannot be injected is inconclusive, says why, and is undone', async () => {
    const one = lamp(undefined, { inject: () => Promise.reject(new Error('the switch is stuck')) });
    const journal = await verdictOf(one);
    assert.equal(journal.verdict, 'inconclusive');
    assert.match(journal.reason ?? '', /could not be injected: the switch is stuck/);
    assert.deepEqual([journal.injectedAt, journal.steps.length, one.healed()], [null, 0, 1]);
  });

  test('takes away only what it added when all was brought back, and is healed when it was not or could not be used', async () => {
    const calls = async (change?: (runbook: string) => string, more?: Partial<DrillDefinition>): Promise<number[]> => {
      let tidied = 0;
      const one = lamp(change, { tidy: () => Promise.resolve(void (tidied += 1)), ...more });
      await verdictOf(one);
      return [tidied, one.healed()];
    };
    const broken = (): Promise<Finding[]> => Promise.resolve([{ ...finding(false), final: true }]);
    assert.deepEqual(await calls(), [1, 0]);
    assert.deepEqual(await calls((text) => text.replace(sections.act, 'tuoch LAMP')), [0, 1]);
    assert.deepEqual(await calls(undefined, { exercise: { act: () => Promise.resolve(), proof: broken } }), [0, 1]);
  });

  test('is blocked, not failed, when what it has to know before cannot be looked up', async () => {
    const one = lamp(undefined, { prepare: () => Promise.reject(new Error('no such switch')) });
    const journal = await verdictOf(one);
    assert.deepEqual([journal.verdict, one.healed()], ['blocked', 0]);
    assert.match(journal.reason ?? '', /could not be looked up: no such switch/);
  });

  test('is blocked, not failed, when the sandbox was not whole before', async () => {
    const one = lamp();
    const off = (): Promise<Finding[]> => Promise.resolve([{ ...finding(false), final: true }]);
    const journal = await verdictOf(one, { steadyState: off, runbook: one.options.runbook as never });
    assert.equal(journal.verdict, 'blocked');
    assert.equal(one.healed(), 0);
  });

  test('is blocked when the target cannot do it, and when the runbook is not in order', async () => {
    assert.match((await verdictOf(lamp(undefined, { capabilities: ['snapshot'] }))).reason ?? '', /cannot do snapshot/);
    const journal = await verdictOf(lamp((text) => text.replace('sh run', 'sh rum')));
    assert.equal(journal.verdict, 'blocked');
    assert.match(journal.reason ?? '', /^LAMP\.md:\d+: "rum"/);
  });

  test('fails at the first step that does not pass, names it, and is undone', async () => {
    const one = lamp((text) => text.replace(sections.act, 'tuoch LAMP'));
    const journal = await verdictOf(one);
    assert.deepEqual([journal.verdict, journal.firstFailedStep], ['failed', 'lamp-on']);
    assert.equal(one.healed(), 1);
  });

  test('fails when a step does not show what the runbook says', async () => {
    const journal = await verdictOf(lamp((text) => text.replace('#lamp-on', '#lamp-on expect="done"')));
    assert.deepEqual([journal.verdict, journal.firstFailedStep], ['failed', 'lamp-on']);
    assert.match(journal.reason ?? '', /does not show \/done\//);
  });

  test('a step that hangs is ended with its children and named', async () => {
    const journal = await verdictOf(
      lamp((text) => text.replace(sections.act, 'sleep 60 & wait').replace('within=30s', 'within=2s')),
    );
    assert.deepEqual([journal.verdict, journal.steps.at(-1)?.result], ['failed', 'timed out']);
    assert.match(journal.reason ?? '', /lamp-on did not end within 2 s/);
  });

  test('a wait that hangs is ended with its children, and told as that; one that was answered keeps the answer', async () => {
    const hanging = await verdictOf(
      lamp((text) =>
        text
          .replace('#lamp-is-on within=30s', '#lamp-is-on within=2s')
          .replace(/test -f LAMP\n```$/, 'sleep 60 & wait\n```'),
      ),
    );
    const last = hanging.steps.at(-1);
    assert.deepEqual(
      [hanging.verdict, last?.block, last?.result, last?.attempts],
      ['failed', 'lamp-is-on', 'timed out', 1],
    );
    assert.match(last?.why ?? '', /did not come within 2 s; last: its command had not ended by itself/);
    const answered = await verdictOf(
      lamp((text) =>
        text
          .replace('#lamp-is-on within=30s', '#lamp-is-on within=2s')
          .replace(/test -f LAMP\n```$/, 'sleep 0.4; echo dark; exit 3\n```'),
      ),
    );
    assert.match(answered.steps.at(-1)?.why ?? '', /last: exit code 3: dark/);
  });

  test('its journal is read again whatever secrets its commands have in quotes', async () => {
    const secrets = 'X-Vault-Token: hunter2hunter2';
    const journal = await verdictOf(
      lamp((text) => text.replace(sections.act, `${sections.act}; echo "${secrets}" PGPASSWORD="hunter2"`)),
    );
    const kept = readJournals().find(({ id }) => id === journal.id);
    assert.equal(kept?.verdict, 'survived');
    assert.doesNotMatch(JSON.stringify(kept), /hunter2/);
  });

  test('that was left on a game day goes on with what was noted, and its time away is nobody’s', async () => {
    const budgets = { ...roomy, recoveryMs: 10_000 };
    const seen: unknown[] = [];
    const one = lamp(undefined, {
      budgets,
      inject: ({ notes }) => Promise.resolve(void notes.set('rows', 7)),
      detect: () => Promise.resolve(finding(true)),
      recovered: ({ notes }) => Promise.resolve([(seen.push(notes.get('rows')), finding(true))]),
    });
    const operator = (): Promise<boolean> => Promise.reject(new LeftHalfWay('q'));
    await assert.rejects(verdictOf(one, { operator }), LeftHalfWay);
    const left = readJournals().findLast(({ drill, ended }) => drill === 'lamp' && ended === null);
    assert.ok(left !== undefined);
    const hour = 3_600_000;
    const earlier = (iso: string | null | undefined): string => new Date(Date.parse(iso ?? '') - hour).toISOString();
    const resumed = {
      ...left,
      savedAt: earlier(left.savedAt),
      injectedAt: earlier(left.injectedAt),
      detectedAt: earlier(left.detectedAt),
    };
    let released = 0;
    const byHand: DrillOptions['operator'] = (chosen, _, recorder) => {
      const [block] = chosen[0]?.blocks ?? [];
      const record = { block: block?.id ?? '', kind: 'run' as const, section: 's', hash: '', command: '', attempts: 1 };
      const at = new Date().toISOString();
      recorder.step({ ...record, started: at, ended: at, exitCode: null, output: '', result: 'by hand' });
      return Promise.resolve(true);
    };
    const journal = await verdictOf(one, { operator: byHand, resumed, release: () => void (released += 1) });
    assert.equal(journal.verdict, 'survived', journal.reason ?? '');
    assert.deepEqual([new Set(seen), released, journal.firstFailedStep], [new Set([7]), 1, null]);
    assert.ok((journal.recovery?.personMs ?? 0) >= hour && (journal.recovery?.overheadMs ?? hour) < 10_000);
  });

  test('a recovery that is impossible fails inside its budget', async () => {
    const began = performance.now();
    const budgets = { ...roomy, recoveryMs: 3_000 };
    const never = { budgets, recovered: () => Promise.resolve([finding(false)]) };
    const journal = await verdictOf(lamp(undefined, never));
    assert.equal(journal.verdict, 'failed');
    assert.match(journal.reason ?? '', /did not recover within its budget/);
    assert.ok(performance.now() - began < 15_000);
  });

  test('is degraded when the runbook ends before the sandbox has recovered', async () => {
    let looks = 0;
    const late = { recovered: () => Promise.resolve([finding(++looks > 2)]) };
    const journal = await verdictOf(lamp(undefined, late));
    assert.equal(journal.verdict, 'degraded', journal.reason ?? '');
    assert.match(journal.reason ?? '', /before the sandbox had recovered/);
  });

  test('has failed when it leaves the sandbox broken, whatever was found out', async () => {
    const journal = await verdictOf(lamp(undefined, { heal: () => Promise.reject(new Error('no fuse')) }));
    assert.equal(journal.verdict, 'failed');
    assert.match(journal.reason ?? '', /no fuse/);
    const both = lamp((text) => text.replace(sections.act, 'tuoch LAMP'), {
      heal: () => Promise.reject(new Error('no fuse')),
    });
    assert.match((await verdictOf(both)).reason ?? '', /lamp-on did not pass.*not whole after the undo.*no fuse/s);
  });
});

test('a journal whose process is gone is ended as inconclusive, and kept in the ledger', async () => {
  const journal = await verdictOf(lamp());
  const killed = { ...journal, ended: null, verdict: null, reason: null, process: { pid: 1, identity: 'another' } };
  assert.ok(isKilled(killed));
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  end(killed, folder);
  assert.deepEqual(
    [readJournals(folder)[0]?.verdict, isKilled(readJournals(folder)[0] ?? killed)],
    ['inconclusive', false],
  );
  process.env['EVIDENCE_LEDGER'] = join(folder, 'ledger');
  assert.match(await kept(killed, folder), /^ledger: 1-[0-9a-f]{12}$/);
  const { last } = lastOf(join(folder, 'ledger'), 1);
  delete process.env['EVIDENCE_LEDGER'];
  const { kind, verdict, command, drills } = last[0]?.entry ?? {};
  assert.deepEqual(
    [kind, verdict, command, drills?.[0]?.verdict],
    ['drill', 'cannot tell', `npm run drill -- run ${journal.drill}`, 'inconclusive'],
  );
});
