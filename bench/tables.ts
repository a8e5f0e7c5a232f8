import { textTable } from '../support/evidence/findings-table';
import { markdownTable } from '../support/evidence/markdown';
import type { Unit } from './benchmark';
import type { Result } from './results';

/** A figure with the digits that mean something: three, and no fewer than the whole number has. */
export function figure(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

function withUnit(value: number, unit: Unit): string {
  return `${figure(value)} ${unit}`;
}

function peerCell({ peer, unit }: Result): string {
  if (peer === undefined) return '';
  return `${withUnit(peer.median, unit)}${peer.ratio === undefined ? '' : ` (${figure(peer.ratio)} times that)`}`;
}

/** The table at the end of `npm run bench`. */
export function terminalTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.name,
    withUnit(result.median, result.unit),
    `${figure(result.min)} to ${figure(result.max)}`,
    String(result.runs.length),
    result.goal ?? '',
    peerCell(result),
  ]);
  return textTable(['benchmark', 'median', 'from to', 'runs', 'goal', 'peer'], rows);
}

/** The tables of docs/performance.md: the figures, what the largest are made of, and where they come from. */
export function markdownTables(results: readonly Result[]): string {
  const figures = results.map((result) => [
    `\`${result.name}\``,
    result.what,
    `**${withUnit(result.median, result.unit)}**`,
    result.runs.map(figure).join(', '),
    result.goal ?? '',
    result.peer === undefined ? '' : `${peerCell(result)}: ${result.peer.what}`,
  ]);
  const parts = results.flatMap((result) => partRows(result));
  const sources = results.map(({ name, when, commit, machine }) => [
    `\`${name}\``,
    when.slice(0, 16).replace('T', ' '),
    commit.replace(/^([0-9a-f]{12})[0-9a-f]{28}/, '$1'),
    `${machine.cores} cores ${machine.processor}, ${figure(machine.memoryMiB / 1024)} GiB, Linux ${machine.kernel} ${machine.arch}, Node ${machine.node}, load ${machine.load}`,
  ]);
  return [
    markdownTable(['benchmark', 'what', 'median', 'runs', 'goal', 'peer: median, ratio'], figures),
    'What the figures are made of (medians; at most the twelve largest of each):',
    markdownTable(['benchmark', 'part', 'median'], parts),
    'Where and when:',
    markdownTable(['benchmark', 'when (UTC)', 'commit', 'machine'], sources),
  ].join('\n\n');
}

/** More parts than these nobody reads; the JSON has all. */
const partsShown = 12;

function partRows({ name, parts }: Result): string[][] {
  return Object.entries(parts)
    .sort(([, one], [, other]) => other.median - one.median)
    .slice(0, partsShown)
    .map(([part, { median, unit }]) => [`\`${name}\``, part, withUnit(median, unit)]);
}
