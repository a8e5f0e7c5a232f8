import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drillEvidence } from '../../support/evidence/drill-evidence';
import { sectionHashes } from '../../support/evidence/sections';
import { regressed, type DrillRun } from '../../support/evidence/trend';
import { writeDrillPages } from '../../reports/drill-page';

const home = mkdtempSync(join(tmpdir(), 'drill-evidence-'));
after(() => rmSync(home, { recursive: true, force: true }));

const runbook = '# R\n\n## Vault is sealed\n\nUnseal it.\n';
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();

/** A journal as drills/journal.ts writes it, with what the ledger and the report read. */
function journal(more: object): object {
  const hash = createHash('sha256').update(runbook).digest('hex');
  const step = {
    block: 'unseal',
    kind: 'run',
    command: 'vault <unseal>',
    output: '',
    started: at(3),
    ended: at(9),
    result: 'passed',
  };
  return {
    schema: 'sandbox-acceptance/drill-journal',
    version: 1,
    drill: 'vault-seal',
    title: 'Vault is sealed.',
    target: { name: 'embedded', identity: null },
    provenance: [{ name: 'vault', version: '1.21.0', provenance: 'upstream' }],
    runbook: { hash, sections: ['vault-is-sealed'] },
    started: at(0),
    ended: at(12),
    phases: [{ phase: 'inject', started: at(1), ended: at(2) }],
    steps: [step],
    firstFailedStep: null,
    recovery: { totalMs: 8000, detectionMs: 1000, personMs: 0, commandMs: 6000, convergenceMs: 1000 },
    verdict: 'survived',
    reason: null,
    ...more,
  };
}

test("a drill's journal becomes its line of the entry, with the hashes of the sections it followed", () => {
  const folder = join(home, 'drills');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.json'), JSON.stringify(journal({})));
  writeFileSync(join(folder, 'b.json'), JSON.stringify(journal({ drill: 'other', started: at(30), verdict: null })));
  writeFileSync(join(folder, 'c.json'), '{"half":');
  process.env['RUNBOOK'] = join(home, 'runbook.md');
  writeFileSync(join(home, 'runbook.md'), runbook);
  const [first, second, ...rest] = drillEvidence(folder, new Date(at(0))).map(({ outcome }) => outcome);
  assert.deepEqual(rest, []);
  assert.equal(first?.recoverySeconds, 8);
  assert.deepEqual(first?.sections, [
    { slug: 'vault-is-sealed', sha256: sectionHashes(runbook).get('vault-is-sealed') },
  ]);
  assert.equal(second?.verdict, 'inconclusive');
  assert.equal(drillEvidence(folder, new Date(at(20))).length, 1);
  // Of another document than the one that was followed nothing is known.
  writeFileSync(join(home, 'runbook.md'), `${runbook}changed\n`);
  assert.deepEqual(drillEvidence(folder, new Date(at(0)))[0]?.outcome.sections, []);
});

test("a drill's page shows what happened when, and nothing of a command as markup", () => {
  const [page] = writeDrillPages(home, new Date(at(0)));
  assert.match(page ?? '', /Drill vault-seal\.html$/);
});

test('a recovery is slower when it takes half as long again as those before', () => {
  const run = (seconds: number, verdict = 'survived'): DrillRun => ({ id: '', at: '', verdict, seconds });
  assert.equal(regressed(run(20), [run(10), run(12), run(11)]), true);
  assert.equal(regressed(run(15), [run(10), run(12), run(11)]), false);
  assert.equal(regressed(run(99), [run(10, 'failed')]), false);
});
