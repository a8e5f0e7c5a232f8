import { hostname, userInfo } from 'node:os';
import { quoted } from '../../shell-words';
import { redactor } from '../redaction';
import { append, type Appended } from './append';
import { entryId, type Entry, type EntryKind, type EntryVerdict, type Source } from './entry';
import { keep, type Keepsake } from './objects';
import { ledgerFolder } from './place';
import { signerFor } from './signature';
import { commonSources } from './sources';

/** What a command says of its run; the rest (who, where, checkouts, place in the chain) is found out here. */
export interface EntryFacts extends Pick<Entry, 'target' | 'scenarios' | 'gates' | 'drills' | 'facts'> {
  kind: EntryKind;
  verdict: EntryVerdict;
  /** One sentence: what ran and what came out. */
  summary: string;
  began: Date;
  /** Default: now. */
  ended?: Date;
  /** The command that repeats it (see `repeatable`). */
  command: string;
  /** Checkouts beside those of suite and factory: the runbook that was followed, the repository that was judged. */
  sources?: readonly Source[];
  /** The checkouts of suite and factory, where git was asked about them already. */
  common?: readonly Source[];
  /** Files and texts to keep with it: reports, journals, plans. Files must be clean of secrets already. */
  keep?: readonly Keepsake[];
}

/** Where an entry went. */
export interface Recorded extends Appended {
  /** `17-3fa9c1d2b4e6`, for `npm run evidence -- show`. */
  id: string;
  folder: string;
}

/**
 * Appends a run to the ledger: `reports/ledger`, or EVIDENCE_LEDGER. Signed when EVIDENCE_SIGN_KEY names a key. Everything in
 * it is cleaned of secrets first. Any command calls this once a run, after its reports are written.
 * @throws OperatorError when it cannot be kept: then the run is evidence of nothing, and its command must say so.
 */
export async function appendEntry(facts: EntryFacts, folder: string = ledgerFolder()): Promise<Recorded> {
  const { keep: keepsakes = [], sources = [], common, began, ended = new Date(), ...said } = facts;
  const keyFile = process.env['EVIDENCE_SIGN_KEY'];
  const signer = keyFile ? signerFor(keyFile) : undefined;
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: runId } = process.env;
  const ci = server && repository && runId ? `${server}/${repository}/actions/runs/${runId}` : undefined;
  const unplaced = redactor.value({
    ...said,
    began: began.toISOString(),
    ended: ended.toISOString(),
    who: { user: userName(), host: hostname(), ...(ci === undefined ? {} : { ci }) },
    sources: [...(common ?? (await commonSources())), ...sources],
    ...(signer === undefined ? {} : { signer: signer.fingerprint }),
  });
  // Hashes are no secrets, whatever a redactor may take them for.
  const appended = append(folder, { ...unplaced, attachments: keep(folder, keepsakes) }, signer?.sign);
  return { ...appended, id: entryId(appended.seq, appended.hash), folder };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

/** Settings that change what a run does, and so belong to the command that repeats it. */
const settings = ['TARGET', 'SANDBOX_CONFIG', 'FACTORY', 'RUNBOOK'];

/** The command that repeats this run: `FACTORY=../factory npm run gate -- plan --all`. */
export function repeatable(script: string, args: readonly string[] = process.argv.slice(2)): string {
  const set = settings.flatMap((name) => (process.env[name] ? [`${name}=${quoted(process.env[name])}`] : []));
  return [...set, 'npm', 'run', script, ...(args.length === 0 ? [] : ['--', ...args.map(quoted)])].join(' ');
}
