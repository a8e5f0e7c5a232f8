import { append, type Appended, type Unplaced } from '../../support/evidence/ledger/append';
import { keep } from '../../support/evidence/ledger/objects';
import type { Signer } from '../../support/evidence/ledger/signature';

/** An entry as a gate's run leaves it. */
export function sampleEntry(number: number, more: Partial<Unplaced> = {}): Unplaced {
  const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
  return {
    kind: 'gate',
    verdict: 'green',
    summary: `run ${number}`,
    began: at,
    ended: at,
    who: { user: 'operator', host: 'macbook' },
    command: 'npm run gate -- idempotence',
    sources: [{ role: 'factory', path: '../factory', commit: 'c'.repeat(40), tree: 't'.repeat(40), dirty: false }],
    gates: [{ gate: 'idempotence', subject: 'site.yml', verdict: 'green', seconds: 12.5 }],
    attachments: [],
    ...more,
  };
}

/** Makes a ledger of some entries, every third with attachments. */
export function sampleLedger(folder: string, entries: number, signer?: Signer): Appended[] {
  return Array.from({ length: entries }, (_, index) => {
    const texts = index % 3 === 0 ? [`output of run ${index}`, `journal of run ${index}\n`.repeat(20)] : [];
    const attachments = keep(
      folder,
      texts.map((text, at) => ({ name: `file-${at}.txt`, text })),
    );
    const signed = signer === undefined ? {} : { signer: signer.fingerprint };
    return append(folder, sampleEntry(index, { attachments, ...signed }), signer?.sign);
  });
}
