import Table from 'cli-table3';
import type { ParityResult, ParityRow } from './compare';

/** One sentence: how many items match, deviate as declared, and fail; with the failing ones named. */
export function summary(result: ParityResult): string {
  const failing = result.rows.filter((row) => !row.ok);
  const declared = result.rows.filter((row) => row.verdict === 'deviates as declared').length;
  if (result.ok) {
    return `${result.target} matches production in ${result.rows.length - declared} items and deviates as declared in ${declared}.`;
  }
  const named = failing.map((row) => `${row.item} (${row.verdict})`).join(', ');
  return `${result.target} does not match production: ${named || 'nothing was compared'}.`;
}

/** The failing rows with the next step each, for an error message. */
export function failures(result: ParityResult): string {
  return result.rows
    .filter((row) => !row.ok)
    .map(
      (row) =>
        `${row.item}: ${row.verdict}; expected ${row.expected}, observed ${row.observed || 'nothing'} [${row.source}]. Next: ${row.next ?? ''}`,
    )
    .join('\n');
}

/** The table expected / observed / declared / verdict for a terminal or a text attachment. */
export function asText(result: ParityResult): string {
  const table = new Table({
    head: ['item', 'expected', 'observed', 'declared', 'verdict', 'read from'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [20, 28, 28, 34, 30, 34],
  });
  for (const row of worstFirst(result)) {
    table.push([row.item, row.expected, row.observed, row.declared, row.verdict, row.source]);
  }
  return `${summary(result)}\n${table.toString()}\n`;
}

/** The same table as a page of its own for the report. */
export function asHtml(result: ParityResult): string {
  const rows = worstFirst(result).map(
    (row) =>
      `<tr class="${row.ok ? (row.verdict === 'matches' ? 'matches' : 'declared') : 'fails'}"><td><b>${escape(row.title)}</b><br><small>${row.item}</small></td>` +
      `<td>${escape(row.expected)}</td><td>${escape(row.observed)}<br><small>${escape(row.source)}</small></td>` +
      `<td>${escape(row.declared)}</td><td class="verdict">${row.verdict}${row.next === undefined ? '' : `<br><small>${escape(row.next)}</small>`}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Parity of ${escape(result.target)}</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1c2430 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d8dee6 }
.matches .verdict { color: #14733b } .declared .verdict { color: #8a5a00 } .fails .verdict { color: #b3261e; font-weight: 600 }
.fails td { background: #fdecea }
small { color: #6b7480; font-weight: 400 }
</style>
<h1>${escape(summary(result))}</h1><p>Judged on ${result.at.toISOString()}.</p>
<table><tr><th>Item</th><th>Expected</th><th>Observed</th><th>Declared</th><th>Verdict</th></tr>${rows.join('\n')}</table></html>
`;
}

/** What needs attention comes first; otherwise the manifest's order stays. */
function worstFirst(result: ParityResult): ParityRow[] {
  const rank = (row: ParityRow): number => (row.ok ? (row.verdict === 'matches' ? 2 : 1) : 0);
  return [...result.rows].sort((one, other) => rank(one) - rank(other));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
