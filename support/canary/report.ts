import Table from 'cli-table3';
import { escapeHtml, htmlPage } from '../evidence/findings-table';
import type { Finding } from '../finding';
import type { ChainResult, LinkOutcome } from './link';

/** One sentence: that the chain holds and how long it took, or the first broken link and the likely cause. */
export function summary(result: ChainResult): string {
  const seconds = `${result.seconds.toFixed(1)} s`;
  return result.brokenAt === undefined
    ? `The chain of ${result.instance} holds, all ${result.links.length} links, in ${seconds}.`
    : `The chain of ${result.instance} breaks at link ${result.brokenAt} after ${seconds}. Likely cause: ${result.likelyCause ?? 'unknown'}.`;
}

/** The chain as a table for a terminal or a text attachment. */
export function asText(result: ChainResult): string {
  const table = new Table({
    head: ['link', 'seconds', 'verdict', 'checked', 'expected', 'seen'],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [16, 9, 13, 34, 34, 48],
  });
  for (const link of result.links) for (const row of rows(link)) table.push(row);
  return `${summary(result)}\n${table.toString()}\n`;
}

function rows(link: LinkOutcome): string[][] {
  if (link.findings.length === 0) return [[link.name, '', link.status, link.title, '', '']];
  return link.findings.map((finding, index) => [
    index === 0 ? link.name : '',
    index === 0 ? link.seconds.toFixed(2) : '',
    index === 0 ? link.status : '',
    finding.subject,
    finding.expected,
    finding.status === 'met' ? finding.actual : `${finding.status}: ${finding.actual}`,
  ]);
}

/** The chain as a stand-alone HTML page for the report. */
export function asHtml(result: ChainResult): string {
  const head = ['link', 'seconds', 'verdict', 'checked', 'expected', 'seen'].map((name) => `<th>${name}</th>`).join('');
  return htmlPage(summary(result), `<table><tr>${head}</tr>${result.links.map(htmlRows).join('')}</table>`);
}

function htmlRows(link: LinkOutcome): string {
  const cells = (rowspan: number): string =>
    `<td rowspan="${rowspan}"><b>${link.name}</b><br><small>${escapeHtml(link.title)}</small></td>` +
    `<td rowspan="${rowspan}">${link.status === 'not reached' ? '' : link.seconds.toFixed(2)}</td>` +
    `<td rowspan="${rowspan}">${link.status}</td>`;
  if (link.findings.length === 0) return `<tr>${cells(1)}<td colspan="3"></td></tr>`;
  return link.findings
    .map(
      (finding, index) =>
        `<tr class="${finding.status}">${index === 0 ? cells(link.findings.length) : ''}${htmlFinding(finding)}</tr>`,
    )
    .join('');
}

function htmlFinding(finding: Finding): string {
  const hint =
    finding.status === 'met' || finding.hint === undefined ? '' : `<br><small>${escapeHtml(finding.hint)}</small>`;
  return (
    `<td>${escapeHtml(finding.subject)}<br><small>${escapeHtml(finding.source)}</small></td>` +
    `<td>${escapeHtml(finding.expected)}</td><td class="seen">${escapeHtml(finding.actual)}${hint}</td>`
  );
}
