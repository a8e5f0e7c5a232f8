import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries } from '../evidence/ledger/find';
import { objectFile } from '../evidence/ledger/place';
import type { Recorded } from '../evidence/ledger';
import type { Flaw, Rehearsal } from './rehearsal';

const day = 1;

/** Evidence that must not count, in the words of features/promotion.feature. */
const flaws: Readonly<Record<string, Flaw>> = {
  'made over a stand-in': { target: 'embedded', parts: [{ name: 'argocd', version: '1', provenance: 'stand-in' }] },
  'made over a component of unknown origin': { parts: [{ name: 'argocd', version: '1', provenance: 'unknown' }] },
  '40 days old': { age: 40 * day },
  'dated in the future': { age: -1 * day },
  'the drill failed': { verdict: 'red' },
  'a scenario was skipped': { skipped: true },
  'only a part of it ran': { partly: true },
};

/** Writes evidence of a requirement that must not count. @throws Error for words that nobody defined. */
export async function flawedEvidence(rehearsal: Rehearsal, requirement: string, what: string): Promise<void> {
  const flaw = flaws[what];
  if (flaw !== undefined) {
    await rehearsal.evidence(requirement, flaw);
    return;
  }
  const act = acts[what];
  if (act === undefined) throw new Error(`nobody defined evidence that is "${what}"`);
  await act(rehearsal, requirement);
}

const acts: Readonly<Record<string, (rehearsal: Rehearsal, requirement: string) => Promise<unknown>>> = {
  'nothing at all': () => Promise.resolve(),
  'failed after it had been survived': async (rehearsal, requirement) => {
    await rehearsal.evidence(requirement);
    await rehearsal.evidence(requirement, { verdict: 'red' });
  },
  "made before the runbook's section changed": async (rehearsal, requirement) => {
    await rehearsal.evidence(requirement);
    await changeSection(rehearsal, 'Argo CD rollback');
    // All but the drill is made again: its evidence alone is of the runbook of before.
    await rehearsal.survive(requirement);
  },
  'made with uncommitted changes': async (rehearsal, requirement) => {
    const file = join(rehearsal.repo, 'argocd', 'uncommitted.yaml');
    writeFileSync(file, 'x: 1\n');
    await rehearsal.evidence(requirement);
    rmSync(file);
  },
  'one of its files is gone': async (rehearsal, requirement) => {
    loseFiles(rehearsal, await rehearsal.evidence(requirement));
  },
};

/** Changes the text of a section of the rehearsal's runbook; where the repository has it, in a commit. */
export async function changeSection(rehearsal: Rehearsal, title: string): Promise<void> {
  const text = readFileSync(rehearsal.runbookFile, 'utf8');
  writeFileSync(rehearsal.runbookFile, text.replace(`## ${title}\n`, `## ${title}\n\nFirst think.\n`));
  if (rehearsal.runbookFile.startsWith(rehearsal.repo)) await rehearsal.commit(`Another way: ${title}`, {});
}

/** Removes the files that an entry names. */
export function loseFiles(rehearsal: Rehearsal, { entry }: Pick<Recorded, 'entry'>): void {
  for (const { sha256 } of entry.attachments) rmSync(objectFile(rehearsal.ledger, sha256), { force: true });
}

/** The last entry about a requirement. */
export function lastEntry(rehearsal: Rehearsal, words: string): Pick<Recorded, 'entry'> {
  const found = [...entries(rehearsal.ledger, (bytes) => bytes.includes(`"summary":"${words}`))].at(-1)?.entry;
  if (found === undefined) throw new Error(`the ledger has no entry about ${words}`);
  return { entry: found };
}
