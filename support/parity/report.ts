import { escapeHtml, htmlPage, textTable } from '../evidence/findings-table';
import { localTime } from '../terminal';
import { asFinding, type ParityResult, type ParityRow } from './compare';

const columns = ['verdict', 'item', 'expected', 'observed', 'declared', 'read from', 'next step'];

/** One sentence: how many items match and deviate as declared, or which fail and how. */
export function summary(result: ParityResult): string {
  const declared = result.rows.filter((row) => row.verdict === 'deviates as declared').length;
  if (result.ok) {
    return `${result.target} matches production in ${result.rows.length - declared} items and deviates as declared in ${declared}.`;
  }
  const failing = result.rows.filter((row) => !row.ok).map((row) => `${row.item} (${row.verdict})`);
  return `${result.target} does not match production: ${failing.join(', ') || 'nothing was compared'}.`;
}

/** The table expected / observed / declared / verdict as plain text. */
export function asText(result: ParityResult): string {
  return `${summary(result)}\n${textTable(columns, worstFirst(result).map(cells))}\n`;
}

/** The same table as a page for the report. */
export function asHtml(result: ParityResult): string {
  const line = (row: ParityRow): string =>
    `<tr class="${asFinding(row).status}">${cells(row)
      .map((text) => `<td>${escapeHtml(text)}</td>`)
      .join('')}</tr>`;
  const head = columns.map((name) => `<th>${name}</th>`).join('');
  const rows = worstFirst(result).map(line).join('\n');
  const judged = `<p>Judged on ${localTime(result.at)}.</p>`;
  return htmlPage(summary(result), `${judged}<table><tr>${head}</tr>\n${rows}\n</table>`);
}

function cells(row: ParityRow): string[] {
  return [row.verdict, row.title, row.expected, row.observed, row.declared, row.source, row.next ?? ''];
}

/** What needs attention comes first, then what deviates; otherwise the manifest's order stays. */
function worstFirst(result: ParityResult): ParityRow[] {
  const rank = (row: ParityRow): number => (row.ok ? (row.verdict === 'matches' ? 2 : 1) : 0);
  return [...result.rows].sort((one, other) => rank(one) - rank(other));
}
