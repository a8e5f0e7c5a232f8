import { tamperedLedger } from '../../support/evidence/faults';
import { tamper } from '../../support/evidence/tampering';
import { falseRehearsal } from '../../support/promotion/faults';
import { changeSection, flawedEvidence, lastEntry, loseFiles } from '../../support/promotion/flaws';
import type { Rehearsal } from '../../support/promotion/rehearsal';
import { waive, withoutRules } from '../../support/promotion/twists';
import type { PlantedFault } from './fault';

/** Tampering that the ledger's own check must name. */
function tampered(name: string, words: string, says: RegExp): PlantedFault {
  return {
    fault: tamperedLedger(`ledger-${name}`, `Somebody has ${words}.`, words),
    feature: 'features/evidence.feature',
    scenario: 'A ledger that nobody touched is whole',
    redAt: { step: 'it is whole', says },
    offline: true,
  };
}

/** A change that must not be promoted. */
function unrehearsed(
  name: string,
  breaks: string,
  damage: (of: Rehearsal) => Promise<unknown>,
  says: RegExp,
): PlantedFault {
  return {
    fault: falseRehearsal(`promotion-${name}`, breaks, damage),
    feature: 'features/promotion.feature',
    scenario: 'A change that survived what its classes ask for may go',
    redAt: { step: 'it says "promote"', says },
    offline: true,
  };
}

const drill = 'drill argocd-pruned';
const flawed =
  (what: string) =>
  (of: Rehearsal): Promise<void> =>
    flawedEvidence(of, drill, what);

/** The planted faults of the ledger and of the promotion gate. None needs the lab. */
export const evidenceFaults: readonly PlantedFault[] = [
  tampered('changed', 'changed the verdict of entry 3', /entry 3: changed/),
  tampered('removed', 'removed entry 3', /entry 3: removed/),
  tampered('reordered', 'swapped entries 3 and 4', /entry 3: reordered/),
  tampered('inserted', 'repeated entry 2 after entry 4', /entry 5: inserted/),
  tampered('truncated', 'cut the file after entry 6', /entry 7: truncated/),
  tampered('forged', 'rewritten entry 3 with its own hashes', /entry 3: signature bad/),
  tampered('other-key', 'signed entry 3 with another key', /entry 3: signature bad/),
  tampered('file-changed', 'changed a file of entry 4', /entry 4: attachment\s+altered/),
  tampered('file-gone', 'removed a file of entry 4', /entry 4: attachment\s+missing/),
  unrehearsed(
    'failed-since',
    'The drill failed after it had been survived.',
    flawed('the drill failed'),
    /not\s+yet[\s\S]*drill[\s\S]*failed/,
  ),
  unrehearsed(
    'other-content',
    'One more commit changes what was tried.',
    (of) => of.commit('One more', { 'argocd/values.yaml': 'gitea_applications: { erp: {} }\n' }),
    /not\s+yet[\s\S]*nothing\s+in\s+the\s+ledger/,
  ),
  unrehearsed(
    'runbook-changed',
    'A section of the runbook changed after the drill.',
    (of) => changeSection(of, 'Argo CD rollback').then(() => of.survive(drill)),
    /not\s+yet[\s\S]*drill\s+argocd-pruned/,
  ),
  unrehearsed(
    'file-lost',
    "A file of the drill's evidence is gone.",
    (of) => Promise.resolve(loseFiles(of, lastEntry(of, drill))),
    /not\s+yet[\s\S]*attachment/,
  ),
  unrehearsed(
    'ledger-changed',
    'An entry of the ledger that the verdict stands on was removed.',
    (of) => Promise.resolve(tamper(of.ledger, 'removed entry 2')),
    /cannot\s+tell[\s\S]*broken:\s+removed/,
  ),
  unrehearsed(
    'wider-change',
    'The change also reaches Vault, which was not rehearsed.',
    (of) =>
      of
        .commit('By the way', { 'hashicorp-vault/iac/main.tf': '# none\n' })
        .then(() => of.survive('drill vault-seal', 'gate plan')),
    /not\s+yet[\s\S]*drill\s+vault-seal/,
  ),
  unrehearsed(
    'own-rules',
    'The change brings rules that ask for nothing.',
    (of) => withoutRules(of),
    /not\s+yet[\s\S]*nothing\s+in\s+the\s+ledger/,
  ),
  unrehearsed(
    'own-waiver',
    'The change excuses itself from its drill.',
    (of) => waive(of, drill, 'tomorrow').then(() => of.survive(drill)),
    /not\s+yet[\s\S]*drill\s+argocd-pruned/,
  ),
  unrehearsed(
    'skipped',
    'A scenario was skipped in the last run.',
    (of) => of.evidence('feature features/parity.feature', { skipped: true }),
    /not\s+yet[\s\S]*skipped/,
  ),
];
