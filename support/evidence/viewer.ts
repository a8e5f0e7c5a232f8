import { escapeHtml, htmlPage } from './findings-table';
import type { Entry } from './ledger/entry';
import type { Found } from './ledger/find';
import { objectFile } from './ledger/place';

/** The page of an exported folder: every chosen entry, its files as links. Opens from disk, without scripts. */
export function viewer(chosen: readonly Found[], { count, hash }: { count: number; hash: string }): string {
  const head = `<p>${chosen.length} of ${count} entries of the ledger, whose last hash is <code>${hash}</code>. The others are
here as links of the chain only. To check all of it: <code>npm run evidence -- verify FOLDER</code>; the files alone:
<code>sha256sum -c SHA256SUMS</code>.</p>`;
  return htmlPage('Evidence of one change', [head, ...chosen.map(section)].join('\n'));
}

function section({ id, line, entry, problem }: Found): string {
  if (entry === undefined) return `<h2>${escapeHtml(id)}</h2><p>${escapeHtml(problem ?? '')}</p>`;
  const status = entry.verdict === 'green' ? 'met' : entry.verdict === 'red' ? 'unmet' : 'unknown';
  const facts: [string, string][] = [
    ['hash', line.hash],
    ['time', `${entry.began} to ${entry.ended}`],
    ['who', `${entry.who.user} on ${entry.who.host}`],
    ['target', entry.target?.name ?? 'none was needed'],
    ['to repeat', entry.command],
    ...(entry.signer === undefined ? [] : [['signed by', entry.signer] as [string, string]]),
    ...entry.sources.map(({ role, path, commit, dirty }): [string, string] => [
      role,
      `${path}: ${commit ?? 'not a git checkout'}${dirty ? ', with uncommitted changes' : ''}`,
    ]),
    ...Object.entries(entry.facts ?? {}),
  ];
  return [
    `<h2>${escapeHtml(id)} · ${escapeHtml(entry.kind)}</h2>`,
    `<table><tr class="${status}"><td>${entry.verdict}</td><td>${escapeHtml(entry.summary)}</td></tr>`,
    ...facts.map(([name, text]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(text)}</td></tr>`),
    '</table>',
    ...verdicts(entry),
    table(
      ['component', 'version', 'provenance'],
      (entry.target?.parts ?? []).map((one) => [one.name, one.version, one.provenance]),
    ),
    files(entry),
  ].join('\n');
}

function verdicts({ gates = [], drills = [], scenarios = [] }: Entry): string[] {
  return [
    table(
      ['gate', 'subject', 'verdict', 'seconds'],
      gates.map((one) => [one.gate, one.subject, one.verdict, one.seconds.toFixed(2)]),
    ),
    table(
      ['drill', 'verdict', 'seconds to recover', 'failed at'],
      drills.map((one) => [one.name, one.verdict, one.recoverySeconds?.toFixed(1) ?? '', one.failedStep ?? '']),
    ),
    table(
      ['scenario', 'verdict', 'seconds', 'why'],
      scenarios.map((one) => [one.id, one.verdict, one.seconds.toFixed(1), one.why ?? '']),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const cells = (kind: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${kind}>${escapeHtml(text)}</${kind}>`).join('')}</tr>`;
  return `<p></p><table>${cells('th', head)}\n${rows.map((row) => cells('td', row)).join('\n')}</table>`;
}

function files({ attachments }: Entry): string {
  if (attachments.length === 0) return '';
  const items = attachments.map(
    ({ name, bytes, sha256 }) => `<li><a href="${objectFile('', sha256)}">${escapeHtml(name)}</a>, ${bytes} bytes</li>`,
  );
  return `<details><summary>${attachments.length} files</summary><ul>${items.join('\n')}</ul></details>`;
}
