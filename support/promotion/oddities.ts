import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { chainHash, formatLine, sha256 } from '../evidence/ledger/lines';
import { ledgerFiles, readHead, writeHead } from '../evidence/ledger/place';
import { OperatorError } from '../failure';
import type { Judgement } from './judge';
import { Rehearsal } from './rehearsal';
import { rulesFile } from './rules';

/** What the gate says where it may throw: its exit code 2 and its sentence are a verdict as well. */
export interface Answer {
  verdict: string;
  /** Everything it said. */
  said: string;
  judgement?: Judgement;
}

/** Judges and takes what is thrown for an answer. */
export async function answer(judging: Promise<Judgement>): Promise<Answer> {
  try {
    const judgement = await judging;
    const rows = judgement.rows.map((row) => `${row.requirement} ${row.status}: ${row.missing.join('; ')}`);
    return { verdict: judgement.verdict, said: [...rows, ...judgement.notes].join('\n'), judgement };
  } catch (thrown) {
    if (!(thrown instanceof OperatorError)) throw thrown;
    return { verdict: thrown.parts.exitCode === 2 ? 'cannot tell' : 'failed', said: thrown.message };
  }
}

/** Repositories and ledgers that are not as usual, in the words of features/promotion.feature. */
export const oddities: Readonly<Record<string, (folder: string) => Promise<Rehearsal>>> = {
  'a shallow clone': async (folder) => {
    const whole = await survived(join(folder, 'whole'), 'argocd/values.yaml');
    const shallow = new Rehearsal(join(folder, 'shallow'));
    await run('git', ['clone', '--quiet', '--depth', '1', '--no-single-branch', `file://${whole.repo}`, shallow.repo]);
    await shallow.git('branch', 'main', 'origin/main');
    return shallow;
  },
  'a branch without a difference': async (folder) => {
    const rehearsal = await new Rehearsal(folder).begin();
    await rehearsal.git('commit', '--quiet', '--allow-empty', '--message', 'Nothing');
    return rehearsal;
  },
  'a path that no rule knows': (folder) => survived(folder, 'unheard/of.txt'),
  'a base whose rules name an unknown class': async (folder) => {
    const rehearsal = await new Rehearsal(folder).begin();
    await rehearsal.git('checkout', '--quiet', 'main');
    const text = readFileSync(join(rehearsal.repo, rulesFile), 'utf8');
    await rehearsal.commit('A class of its own', { [rulesFile]: text.replace('\n  vault:\n', '\n  vaults:\n') });
    await rehearsal.git('checkout', '--quiet', '-B', 'change');
    await rehearsal.commit('A change', { 'argocd/values.yaml': 'x: 1\n' });
    return rehearsal;
  },
  'a file that was only renamed': async (folder) => {
    const rehearsal = await new Rehearsal(folder).begin();
    await rehearsal.git('mv', 'hashicorp-vault/iac/main.tf', 'README.policies.md');
    await rehearsal.commit('Out of the way', {});
    return rehearsal;
  },
  'a change of documents alone': async (folder) => {
    const rehearsal = await survived(folder, 'README.md');
    await rehearsal.evidence('gate render');
    return rehearsal;
  },
  'a branch that lacks commits of its base': async (folder) => {
    const rehearsal = await survived(folder, 'argocd/values.yaml');
    await onMain(rehearsal, 'ansible/site.yml');
    return rehearsal;
  },
  'a branch that merged its base': async (folder) => {
    const rehearsal = await survived(folder, 'argocd/values.yaml');
    await onMain(rehearsal, 'ansible/site.yml');
    // Merged, it is another content: what was tried before is evidence of something else.
    await rehearsal.git('merge', '--quiet', '--no-edit', 'main');
    return rehearsal;
  },
  'a ledger of which an entry was changed': async (folder) => {
    const rehearsal = await survived(folder, 'argocd/values.yaml');
    const { chain } = ledgerFiles(rehearsal.ledger);
    writeFileSync(chain, readFileSync(chain, 'utf8').replace('"verdict":"survived"', '"verdict":"degraded"'));
    return rehearsal;
  },
  'evidence of a later schema version': async (folder) => {
    const rehearsal = await survived(folder, 'argocd/values.yaml', 'drill argocd-pruned');
    const head = await rehearsal.git('rev-parse', 'HEAD');
    appendRaw(rehearsal.ledger, { schema: 'sandbox-acceptance/evidence', version: 2, sources: [{ commit: head }] });
    return rehearsal;
  },
};

async function survived(folder: string, path: string, ...but: string[]): Promise<Rehearsal> {
  const rehearsal = await new Rehearsal(folder).begin();
  await rehearsal.commit(`Change ${path}`, { [path]: 'changed: true\n' });
  await rehearsal.survive(...but);
  return rehearsal;
}

async function onMain(rehearsal: Rehearsal, path: string): Promise<void> {
  await rehearsal.git('checkout', '--quiet', 'main');
  await rehearsal.commit('Meanwhile', { [path]: '[{}]\n' });
  await rehearsal.git('checkout', '--quiet', 'change');
}

/** Appends something as a later version of this program might: whole in the chain, unknown in what it says. */
function appendRaw(folder: string, content: unknown): void {
  const head = readHead(folder);
  if (head === undefined) throw new Error('there is no ledger to append to');
  const entry = Buffer.from(JSON.stringify(content));
  const body = sha256(entry);
  const hash = chainHash(head.hash, body);
  const line = `${formatLine({ hash, prev: head.hash, body, entry })}\n`;
  appendFileSync(ledgerFiles(folder).chain, line);
  writeHead(folder, { version: 1, count: head.count + 1, hash, bytes: head.bytes + Buffer.byteLength(line) });
}
