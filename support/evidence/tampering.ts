import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment, run } from '../command';
import { compare, type Finding } from '../finding';
import { projectRoot } from '../paths';
import { append } from './ledger/append';
import { entries } from './ledger/find';
import { chainHash, formatLine, readLine, sha256 } from './ledger/lines';
import { keep } from './ledger/objects';
import { ledgerFiles, objectFile } from './ledger/place';
import { signerFor } from './ledger/signature';
import type { Verification } from './ledger/verification';
import { verifyLedger } from './ledger/verify';

/** Makes a ledger of gates' runs, each with a file, signed with a key of its own that its allowed signers name. */
export function signedLedger(folder: string, count: number): string {
  const key = newKey(`${folder}-key`);
  const signer = signerFor(key);
  for (let number = 1; number <= count; number++) {
    const at = new Date(Date.UTC(2026, 0, 1, 12, number)).toISOString();
    append(
      folder,
      {
        kind: 'gate',
        verdict: 'green',
        summary: `run ${number}`,
        began: at,
        ended: at,
        who: { user: 'operator', host: 'sandbox' },
        command: 'npm run gate -- idempotence',
        sources: [],
        gates: [{ gate: 'idempotence', subject: 'site.yml', verdict: 'green', seconds: 1 }],
        attachments: keep(folder, [{ name: 'output.txt', text: `output of run ${number}` }]),
        signer: signer.fingerprint,
      },
      signer.sign,
    );
  }
  writeFileSync(ledgerFiles(folder).signers, `operator ${readFileSync(`${key}.pub`, 'utf8')}`);
  return folder;
}

/** An Ed25519 key without a passphrase. @returns its file. */
function newKey(file: string): string {
  rmSync(file, { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'rehearsal', '-f', file], {
    env: childEnvironment(),
  });
  return file;
}

/** What somebody may do to a ledger, in the words of features/evidence.feature; `$1` and on are the numbers in them. */
const deeds: readonly [RegExp, (folder: string, one: number, other: number) => void][] = [
  [
    /^changed the verdict of entry (\d+)$/,
    (folder, one) => lines(folder, (all) => all.splice(one - 1, 1, (all[one - 1] ?? '').replace('"green"', '"red"'))),
  ],
  [/^removed entry (\d+)$/, (folder, one) => lines(folder, (all) => all.splice(one - 1, 1))],
  [
    /^swapped entries (\d+) and (\d+)$/,
    (folder, one, other) =>
      lines(folder, (all) => ([all[one - 1], all[other - 1]] = [all[other - 1] ?? '', all[one - 1] ?? ''])),
  ],
  [
    /^repeated entry (\d+) after entry (\d+)$/,
    (folder, one, other) => lines(folder, (all) => all.splice(other, 0, all[one - 1] ?? '')),
  ],
  [/^cut the file after entry (\d+)$/, (folder, one) => truncateSync(ledgerFiles(folder).chain, lengthOf(folder, one))],
  [
    /^rewritten entry (\d+) with its own hashes$/,
    (folder, one) => rewrite(folder, one, (entry) => entry.replace('"green"', '"red"')),
  ],
  [/^signed entry (\d+) with another key$/, (folder, one) => signAnew(folder, one)],
  [/^changed a file of entry (\d+)$/, (folder, one) => writeFileSync(fileOf(folder, one), 'output of run 9')],
  [/^removed a file of entry (\d+)$/, (folder, one) => rmSync(fileOf(folder, one))],
];

/** Does to a ledger what the words say. @throws Error for words that nobody defined. */
export function tamper(folder: string, words: string): void {
  for (const [pattern, deed] of deeds) {
    const match = pattern.exec(words);
    if (match !== null) return deed(folder, Number(match[1]), Number(match[2]));
  }
  throw new Error(`nobody defined how somebody has ${words}`);
}

function lines(folder: string, change: (lines: string[]) => unknown): void {
  const file = ledgerFiles(folder).chain;
  const all = readFileSync(file, 'utf8').trimEnd().split('\n');
  change(all);
  writeFileSync(file, `${all.join('\n')}\n`);
}

/** Bytes up to the end of an entry. */
function lengthOf(folder: string, seq: number): number {
  const all = readFileSync(ledgerFiles(folder).chain, 'utf8').split('\n');
  return all.slice(0, seq).reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}

/** What somebody does who knows how the chain is made: changes what an entry says, and its own hashes with it. */
function rewrite(folder: string, seq: number, change: (entry: string) => string): void {
  lines(folder, (all) => {
    const line = readLine(Buffer.from(all[seq - 1] ?? ''));
    if (line?.entry === undefined) throw new Error(`the ledger has no entry ${seq}`);
    const entry = Buffer.from(change(line.entry.toString('utf8')));
    const body = sha256(entry);
    all[seq - 1] = formatLine({ ...line, hash: chainHash(line.prev, body), body, entry });
  });
}

function signAnew(folder: string, seq: number): void {
  const signer = signerFor(newKey(`${folder}-other-key`));
  lines(folder, (all) => {
    const line = all[seq - 1] ?? '';
    all[seq - 1] = line.replace(/"sig":"[^"]*"/, `"sig":"${signer.sign(line.slice(9, 73))}"`);
  });
}

function fileOf(folder: string, seq: number): string {
  for (const { entry } of entries(folder, (_, number) => number === seq)) {
    return objectFile(folder, entry?.attachments[0]?.sha256 ?? '');
  }
  throw new Error(`the ledger has no entry ${seq}`);
}

/** Runs the DNS gate on the recorded plan, as a pull request does. @returns what it printed. */
export async function runDnsGate(ledger: string): Promise<string> {
  const node = ['-r', 'ts-node/register', '-r', './support/isolation/preload.ts', 'support/gates/main.ts'];
  const plan = join(projectRoot, 'sandbox', 'factory', 'dns', 'plan.json');
  const { stdout, stderr } = await run('node', [...node, 'dns', plan], {
    cwd: projectRoot,
    env: { EVIDENCE_LEDGER: ledger },
  });
  return `${stdout}\n${stderr}`;
}

/** Whether a ledger has one entry, of this kind and verdict, made from this checkout's commit. */
export async function onlyEntry(folder: string, kind: string, verdict: string): Promise<Finding[]> {
  const all = [...entries(folder, () => true)].map(({ entry }) => entry);
  const { stdout: commit } = await run('git', ['-C', projectRoot, 'rev-parse', 'HEAD']);
  const [entry] = all;
  const made = entry?.sources.map((source) => source.commit) ?? [];
  return [
    compare('entries', '1', String(all.length), folder),
    compare('kind and verdict', `${kind}, ${verdict}`, `${entry?.kind ?? 'none'}, ${entry?.verdict ?? ''}`, folder),
    compare('commit', commit, made.includes(commit) ? commit : made.join(', '), folder),
  ];
}

/** Whether a ledger is whole, or broken as expected. */
export function verificationFindings(
  folder: string,
  { problem, entries: count }: Verification,
  expected?: { entry: number; damage: string },
): Finding[] {
  const wanted = expected === undefined ? 'whole' : `entry ${expected.entry}: ${expected.damage}`;
  const seen = problem === undefined ? 'whole' : `entry ${problem.entry}: ${problem.damage}`;
  return [compare(`ledger of ${count} entries`, wanted, seen, folder, problem?.detail)];
}

/** Whether an exported folder proves itself: to this program, and its files to coreutils. */
export function exportFindings(folder: string, readable: number, links: number): Finding[] {
  const { problem, entries: count, withheld } = verifyLedger(folder);
  return [
    compare('exported folder', 'whole', problem === undefined ? 'whole' : problem.detail, folder),
    compare('entries to read', String(readable), String(count - withheld), folder),
    compare('links of the chain', String(links), String(withheld), folder),
  ];
}

/** What `sha256sum -c` says of an exported folder's files. */
export async function checksumFindings(folder: string): Promise<Finding[]> {
  const { exitCode, stdout } = await run('sha256sum', ['-c', 'SHA256SUMS'], { cwd: folder, allowFailure: true });
  const checked = stdout.split('\n').filter((line) => line.endsWith(': OK')).length;
  return [
    compare(
      'sha256sum -c',
      'exit 0, some files',
      `exit ${exitCode}, ${checked > 0 ? 'some' : 'no'} files`,
      join(folder, 'SHA256SUMS'),
    ),
  ];
}
