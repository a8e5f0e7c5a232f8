import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { append } from '../support/evidence/ledger/append';
import { entryShape, entryVersion } from '../support/evidence/ledger/entry';
import { chainHash, formatLine, genesis, sha256 } from '../support/evidence/ledger/lines';
import { keep } from '../support/evidence/ledger/objects';
import { ledgerFiles, writeHead } from '../support/evidence/ledger/place';

/** How many entries the ledger has that is measured: years of runs. */
export const ledgerEntries = 100_000;

/** Writes a whole ledger at once; appending each entry durably would take as long as the disk does. */
export function fill(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const attachments = Array.from({ length: 50 }, (_, number) =>
    keep(folder, [{ name: 'output.txt', text: `run ${number}\n`.repeat(500) }]),
  );
  const fd = openSync(ledgerFiles(folder).chain, 'w');
  let hash = genesis;
  let bytes = 0;
  for (let seq = 1; seq <= ledgerEntries; seq++) {
    const content = {
      schema: 'sandbox-acceptance/evidence',
      version: entryVersion,
      seq,
      ...unplaced(seq),
      attachments: attachments[seq % 50] ?? [],
    };
    const entry = Buffer.from(JSON.stringify(seq === 1 ? entryShape.parse(content) : content));
    const body = sha256(entry);
    const line = { prev: hash, body, hash: chainHash(hash, body), entry };
    hash = line.hash;
    bytes += writeSync(fd, `${formatLine(line)}\n`);
  }
  closeSync(fd);
  writeHead(folder, { version: 1, count: ledgerEntries, hash, bytes });
}

/** An entry as a gate, a drill or a suite leaves it, in turns: 0.8 to 4 KiB. */
export function unplaced(number: number): Parameters<typeof append>[1] {
  const at = new Date(Date.UTC(2020, 0, 1) + number * 600_000).toISOString();
  const hex = sha256(String(number));
  const part = (name: string): { name: string; version: string; provenance: 'upstream' } => ({
    name,
    version: '1.0.0',
    provenance: 'upstream',
  });
  const common = {
    verdict: 'green' as const,
    summary: `run ${number}`,
    began: at,
    ended: at,
    who: { user: 'operator', host: 'macbook' },
    command: 'npm run suite',
    sources: [
      { role: 'factory' as const, path: '../factory', commit: hex.slice(0, 40), tree: hex.slice(24), dirty: false },
    ],
    attachments: [],
  };
  if (number % 3 === 0) {
    return {
      ...common,
      kind: 'gate',
      gates: [{ gate: 'idempotence', subject: 'site.yml', verdict: 'green', seconds: 21 }],
    };
  }
  const target = {
    name: 'embedded',
    parts: ['kubernetes', 'etcd', 'vault', 'argocd', 'postgres', 'gitea', 'tofu', 'helm'].map(part),
  };
  if (number % 3 === 1) {
    const sections = [{ slug: 'vault-is-sealed', sha256: hex }];
    return {
      ...common,
      kind: 'drill',
      target,
      drills: [{ name: `drill-${number % 7}`, verdict: 'survived', recoverySeconds: 26, sections }],
    };
  }
  const scenarios = Array.from({ length: 25 }, (_, index) => ({
    id: `features/feature-${index % 5}.feature#A scenario with a name of usual length ${index}`,
    verdict: 'passed' as const,
    seconds: 1.5,
  }));
  return { ...common, kind: 'suite', target, facts: { scope: 'all' }, scenarios };
}
