import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapeHtml, htmlPage } from '../support/evidence/findings-table';
import { reason } from '../support/failure';
import { readDeviations, type Deviation } from '../support/parity/manifest';

/** Writes the page of the target's known deviations from production, each with its last day; the expired ones first. */
export function writeDeviationsPage(out: string, target: string, now = new Date()): string[] {
  let deviations: Deviation[];
  try {
    deviations = readDeviations(target);
  } catch (thrown) {
    // A target that declares none, or a file the parity gate turns red for.
    return [write(out, `<p>${escapeHtml(reason(thrown))}</p>`)];
  }
  const today = now.toISOString().slice(0, 10);
  const rows = [...deviations]
    .sort((one, other) => one.expires.localeCompare(other.expires))
    .map(({ item, observed, reason: why, expires }) => {
      const over = expires < today;
      const cells = [over ? `expired ${expires}` : expires, item, String(observed), why];
      return `<tr class="${over ? 'unmet' : 'unknown'}">${cells.map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`;
    });
  const head = ['holds until', 'item', 'here', 'why'].map((name) => `<th>${name}</th>`).join('');
  return [
    write(out, rows.length === 0 ? '<p>None is declared.</p>' : `<table><tr>${head}</tr>${rows.join('\n')}</table>`),
  ];
}

function write(out: string, body: string): string {
  const folder = join(out, 'pages');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'Known deviations.html');
  writeFileSync(file, htmlPage('Known deviations from production', body));
  return file;
}
