import Table from 'cli-table3';
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
  const body = result.links.map(htmlRows).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Canary chain of ${escape(result.instance)}</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #1c2430 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d8dee6 }
.holds { color: #14733b } .broken { color: #b3261e; font-weight: 600 } .not { color: #6b7480 }
.unmet td.seen, .unknown td.seen { background: #fdecea }
small { color: #6b7480 }
</style>
<h1 class="${result.brokenAt === undefined ? 'holds' : 'broken'}">${escape(summary(result))}</h1>
<table><tr><th>Link</th><th>Seconds</th><th>Verdict</th><th>Checked</th><th>Expected</th><th>Seen</th></tr>${body}</table></html>
`;
}

function htmlRows(link: LinkOutcome): string {
  const cells = (rowspan: number): string =>
    `<td rowspan="${rowspan}"><b>${link.name}</b><br><small>${escape(link.title)}</small></td>` +
    `<td rowspan="${rowspan}">${link.status === 'not reached' ? '' : link.seconds.toFixed(2)}</td>` +
    `<td rowspan="${rowspan}" class="${link.status}">${link.status}</td>`;
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
    finding.status === 'met' || finding.hint === undefined ? '' : `<br><small>${escape(finding.hint)}</small>`;
  return (
    `<td>${escape(finding.subject)}<br><small>${escape(finding.source)}</small></td>` +
    `<td>${escape(finding.expected)}</td><td class="seen">${escape(finding.actual)}${hint}</td>`
  );
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
