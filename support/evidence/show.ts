import { textTable } from './findings-table';
import { objectFile } from './ledger/place';
import { attachmentProblems, findEntry, lastOf } from './ledger/find';
import type { Entry } from './ledger/entry';

/** How many entries the list shows. */
const listed = 20;

/** The last entries, one a line. */
export function showList(folder: string): string {
  const { last, count } = lastOf(folder, listed);
  const rows = last.map(({ id, entry, problem }) => [
    id,
    entry?.ended.replace('T', ' ').slice(0, 19) ?? '',
    entry?.kind ?? '?',
    entry?.verdict ?? 'cannot tell',
    entry?.summary ?? problem ?? '',
  ]);
  return `${count} entries in ${folder}\n${textTable(['entry', 'ended (UTC)', 'kind', 'verdict', 'summary'], rows)}`;
}

/** One entry, for a person. The list of its attachments says where each lies. */
export function showEntry(folder: string, id: string): string {
  const { id: full, line, entry, problem } = findEntry(folder, id);
  if (entry === undefined) return `entry ${full}: ${problem ?? ''}\n${line.entry?.toString('utf8') ?? ''}`;
  const { target } = entry;
  const parts = (target?.parts ?? []).map(({ name, version, provenance }) => [name, version, provenance]);
  const bad = attachmentProblems(folder, entry);
  return [
    `entry    ${full}`,
    `hash     ${line.hash}${line.sig === undefined ? '' : `, signed by ${entry.signer ?? '?'}`}`,
    `kind     ${entry.kind}`,
    `verdict  ${entry.verdict}: ${entry.summary}`,
    `time     ${entry.began} to ${entry.ended}`,
    `who      ${entry.who.user} on ${entry.who.host}${entry.who.ci === undefined ? '' : `, ${entry.who.ci}`}`,
    `target   ${target === undefined ? 'none was needed' : target.name}${target?.unknown ? ` (${target.unknown})` : ''}`,
    ...entry.sources.map(sourceLine),
    `repeat   ${entry.command}`,
    ...Object.entries(entry.facts ?? {}).map(([name, text]) => `${name.padEnd(8)} ${text}`),
    ...(entry.gates ?? []).map(
      (gate) => `gate     ${gate.gate} ${gate.subject}: ${gate.verdict}, ${gate.seconds.toFixed(2)} s`,
    ),
    ...(entry.drills ?? []).map(drillLine),
    ...(entry.scenarios ?? []).map(
      ({ id: name, verdict, seconds, why }) =>
        `${verdict.padEnd(8)} ${name}, ${seconds.toFixed(1)} s${why === undefined ? '' : ` (${why})`}`,
    ),
    ...(parts.length === 0 ? [] : [textTable(['component', 'version', 'provenance'], parts)]),
    ...entry.attachments.map(
      ({ name, bytes, sha256 }) => `file     ${name}, ${bytes} bytes: ${objectFile(folder, sha256)}`,
    ),
    ...bad.map((sentence) => `BROKEN   ${sentence}`),
  ].join('\n');
}

function sourceLine({ role, path, commit, dirty, within }: Entry['sources'][number]): string {
  const what = commit === undefined ? 'not a git checkout' : `${commit}${within ? ` (${within})` : ''}`;
  return `${role.padEnd(8)} ${path}: ${what}${dirty ? ', with uncommitted changes' : ''}`;
}

function drillLine({ name, verdict, recoverySeconds, failedStep }: NonNullable<Entry['drills']>[number]): string {
  const time = recoverySeconds === undefined ? '' : `, recovered in ${recoverySeconds.toFixed(1)} s`;
  return `drill    ${name}: ${verdict}${time}${failedStep === undefined ? '' : `, failed at ${failedStep}`}`;
}

/** One entry as JSON, with its hash. */
export function entryJson(folder: string, id: string): string {
  const { id: full, line, entry, problem } = findEntry(folder, id);
  return JSON.stringify({ id: full, hash: line.hash, ...(problem === undefined ? {} : { problem }), entry }, null, 2);
}
