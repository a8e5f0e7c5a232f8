import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { drillEvidence, recordDrills } from '../../support/evidence/drill-evidence';
import { verifyLedger } from '../../support/evidence/ledger/verify';
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
  const [page = ''] = writeDrillPages(home, new Date(at(0)));
  assert.match(page, /Drill vault-seal\.html$/);
  const html = readFileSync(page, 'utf8');
  // The injection takes the second of twelve seconds, the runbook's step those from 3 to 9.
  assert.match(html, />inject<[^]*left:11\.11%;width:11\.11%[^]*>1\.0 s</);
  assert.match(html, />unseal \(run\)<[^]*left:33\.33%;width:66\.67%[^]*>6\.0 s</);
  assert.match(html, /vault &#60;unseal&#62;/);
  assert.doesNotMatch(html, /vault <unseal>/);
  for (const part of ['total: 8.0 s', 'detection: 1.0 s', 'command: 6.0 s', 'convergence: 1.0 s'])
    assert.ok(html.includes(part), part);
  assert.match(html, /Time to recover[^]*2026-01-01 12:00 survived this run[^]*>8\.0 s</);
});

test('drills outside of the suite are kept as what they came to, one or all since a moment', async () => {
  const folder = join(home, 'others');
  mkdirSync(folder);
  const write = (id: string, more: object): void =>
    writeFileSync(join(folder, `${id}.json`), JSON.stringify(journal(more)));
  write('good', {});
  write('ended', { drill: 'argocd-drift', started: at(20), verdict: 'inconclusive' });
  write('bad', { drill: 'pki-reissue', started: at(40), verdict: 'failed', firstFailedStep: 'issue' });
  const ledger = join(home, 'ledger');
  process.env['EVIDENCE_LEDGER'] = ledger;
  const kept = async (since: number, only?: string): Promise<string> => {
    const which = only === undefined ? {} : { journal: only };
    const about = { kind: 'game-day', command: 'npm run game-day', since: new Date(at(since)), ...which } as const;
    const recorded = await recordDrills(folder, about);
    return recorded === undefined ? 'none' : `${recorded.entry.verdict}: ${recorded.entry.summary}`;
  };
  assert.equal(await kept(0, 'good'), 'green: vault-seal: survived');
  assert.equal(await kept(0, 'ended'), 'cannot tell: argocd-drift: inconclusive');
  assert.equal(await kept(20), 'red: argocd-drift: inconclusive; pki-reissue: failed');
  assert.equal(await kept(50), 'none');
  delete process.env['EVIDENCE_LEDGER'];
  assert.deepEqual([verifyLedger(ledger).entries, verifyLedger(ledger).problem], [3, undefined]);
});

test('a recovery is slower when it takes half as long again as those before', () => {
  const run = (seconds: number, verdict = 'survived'): DrillRun => ({ id: '', at: '', verdict, seconds });
  assert.equal(regressed(run(20), [run(10), run(12), run(11)]), true);
  assert.equal(regressed(run(15), [run(10), run(12), run(11)]), false);
  assert.equal(regressed(run(99), [run(10, 'failed')]), false);
});
