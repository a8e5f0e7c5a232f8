import { AssertionError } from 'chai';
import Table from 'cli-table3';
import { worst, type Finding } from '../finding';

const plain = {
  style: { head: [], border: [], compact: true },
  wordWrap: true,
};

/** A column is as wide as its longest line, but no wider than this: a product's own words may be a page long. */
const widestColumn = 44;

/** The findings as a table of plain text, the ones that are not met first. */
export function findingsTable(findings: readonly Finding[]): string {
  const hints = findings.some(({ hint }) => hint !== undefined);
  return textTable(
    ['', 'subject', 'expected', 'actual', 'source', ...(hints ? ['hint'] : [])],
    worstFirst(findings).map(({ status, subject, expected, actual, source, hint }) => [
      ...[status, subject, expected, actual, source],
      ...(hints ? [hint ?? ''] : []),
    ]),
  );
}

/** A table of plain text with the given columns. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => {
    const lines = [title, ...rows.map((row) => row[column] ?? '')].flatMap((cell) => cell.split('\n'));
    return Math.min(widestColumn, Math.max(...lines.map((line) => line.length))) + 2;
  });
  const table = new Table({ ...plain, head: [...head], colWidths: widths });
  for (const row of rows) table.push(row.map(foldLongWords));
  return table.toString();
}

/** The table wraps between words only, and would cut a longer one off. */
function foldLongWords(text: string): string {
  return text.replaceAll(new RegExp(`\\S{${widestColumn}}(?=\\S)`, 'g'), '$& ');
}

/** The findings as an HTML table for Allure. */
export function findingsHtml(title: string, findings: readonly Finding[]): string {
  const rows = worstFirst(findings)
    .map(({ status, subject, expected, actual, source, hint }) => {
      const cells = [status, subject, expected, actual, source, hint ?? ''].map(
        (text) => `<td>${escapeHtml(text)}</td>`,
      );
      return `<tr class="${status}">${cells.join('')}</tr>`;
    })
    .join('\n');
  const head = ['status', 'subject', 'expected', 'actual', 'source', 'hint'].map((name) => `<th>${name}</th>`).join('');
  return htmlPage(title, `<table><tr>${head}</tr>\n${rows}\n</table>`);
}

/** A page of its own for an attachment, readable on a light and on a dark report. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>
body{font:14px/1.4 system-ui,sans-serif;background:#fff;color:#1b1f24;margin:12px}
table{border-collapse:collapse}th,td{border:1px solid #d0d7de;padding:4px 8px;text-align:left;vertical-align:top}
th{background:#f6f8fa}tr.met td:first-child{background:#dafbe1}tr.unmet td:first-child{background:#ffcecb}
tr.unknown td:first-child{background:#fff1c2}td{font-variant-numeric:tabular-nums}
</style></head><body><h1 style="font-size:16px">${escapeHtml(title)}</h1>${body}</body></html>`;
}

/** Text for use between HTML tags and in attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank = { unmet: 0, unknown: 1, met: 2 };
  return [...findings].sort((a, b) => rank[a.status] - rank[b.status]);
}

/**
 * The product or the sandbox is not as it must be: a verdict, told apart from a check that could not be made. Allure tells a
 * failed check from a broken test by the error's name, which is that of chai.
 */
export class FindingsAssertionError extends AssertionError<undefined> {
  constructor(
    readonly title: string,
    readonly findings: readonly Finding[],
  ) {
    const open = worstFirst(findings).filter((finding) => finding.status !== 'met');
    const said = findings.length === 0 ? 'nothing was looked at' : `${open.length} of ${findings.length} are not met`;
    super(`${title}: ${said}\n${findingsTable(open)}`);
  }
}

/** @throws FindingsAssertionError unless there are findings and all of them are met. */
export function assertMet(title: string, findings: readonly Finding[]): void {
  if (worst(findings) !== 'met') throw new FindingsAssertionError(title, findings);
}
