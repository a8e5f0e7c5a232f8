import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chainHash, formatLine, readLine, sha256 } from '../../support/evidence/ledger/lines';
import { ledgerFiles } from '../../support/evidence/ledger/place';
import { readChange, type Change } from '../../support/promotion/change';
import { judgeChange } from '../../support/promotion/judge';
import { answer } from '../../support/promotion/oddities';
import { Rehearsal } from '../../support/promotion/rehearsal';
import { corruptions } from '../ledger/corruptions';
import { generator } from '../ledger/random';

const home = mkdtempSync(join(tmpdir(), 'promotion-tampering-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** How often each way to damage a ledger is tried. */
const each = 12;

describe('a ledger somebody tampered with', () => {
  const rehearsal = new Rehearsal(home, 'outside');
  const copy = join(home, 'copy');
  let change: Change;

  // Survived by everything but the drill that failed the second time: one changed word from being promoted.
  before(async () => {
    await rehearsal.begin();
    await rehearsal.commit('Sync by hand', { 'argocd/values.yaml': 'gitea_applications: { cms: {} }\n' });
    await rehearsal.survive();
    await rehearsal.evidence('drill argocd-pruned', { verdict: 'red' });
    change = await readChange(rehearsal.asked());
  });

  async function verdictOver(damage: (folder: string) => unknown): Promise<string> {
    rmSync(copy, { recursive: true, force: true });
    cpSync(rehearsal.ledger, copy, { recursive: true });
    damage(copy);
    return (await answer(judgeChange(change, { ledger: copy, runbook: rehearsal.runbookFile }))).verdict;
  }

  test('untouched it says not yet', async () => assert.equal(await verdictOver(() => undefined), 'not yet'));

  for (const [name, damage] of Object.entries(corruptions)) {
    test(`promotes nothing: ${name}`, async () => {
      const random = generator(7);
      for (let done = 0; done < each; done++) {
        let said: string | undefined;
        const verdict = await verdictOver((folder) => (said = damage(folder, random)));
        assert.ok(verdict === 'cannot tell' || verdict === 'not yet', `${said ?? ''}: ${verdict}`);
      }
    });
  }

  const forgeries: Readonly<Record<string, (line: string) => string>> = {
    'the drill survived': (line) => line.replace('"verdict":"failed"', '"verdict":"survived"'),
    'it was made with another commit': (line) => line.replaceAll(change.head, sha256(change.head).slice(0, 40)),
    'it was another drill': (line) => line.replaceAll('argocd-pruned', 'argocd-prunes'),
  };
  for (const [what, forge] of Object.entries(forgeries)) {
    for (const hashes of ['left as they were', 'made right in that line']) {
      test(`cannot tell when the failed drill's entry says ${what}, its hashes ${hashes}`, async () => {
        const verdict = await verdictOver((folder) => {
          const file = ledgerFiles(folder).chain;
          const all = readFileSync(file, 'utf8').trimEnd().split('\n');
          const last = all.length - 1;
          const forged = forge(all[last] ?? '');
          assert.notEqual(forged, all[last]);
          all[last] = hashes.startsWith('left') ? forged : rehashed(forged);
          writeFileSync(file, `${all.join('\n')}\n`);
        });
        assert.equal(verdict, 'cannot tell');
      });
    }
  }
});

function rehashed(text: string): string {
  const line = readLine(Buffer.from(text));
  assert.ok(line?.entry);
  const body = sha256(line.entry);
  return formatLine({ hash: chainHash(line.prev, body), prev: line.prev, body, entry: line.entry });
}
