import { textTable } from '../evidence/findings-table';
import { markdownCell, markdownTable } from '../evidence/markdown';
import type { Judgement, Row } from './judge';

const words = { promote: 'PROMOTE', 'not yet': 'NOT YET', 'cannot tell': 'CANNOT TELL' } as const;

/** The verdict for a person at a terminal. */
export function judgementText(judgement: Judgement): string {
  const { rows, waivers, notes, ledger } = judgement;
  const table = textTable(
    ['', 'requirement', 'asked for by', 'evidence', 'missing'],
    rows.map((row) => [
      row.status,
      row.requirement,
      row.classes.join(', '),
      row.evidence ?? '',
      row.missing.join('; '),
    ]),
  );
  const open = rows.filter(({ status }) => status === 'missing');
  return [
    aboutLine(judgement),
    ...(rows.length === 0 ? [] : [table]),
    ...waivers.map((one) => `waiver: ${waiverLine(one)}`),
    ...notes.map((note) => `note: ${note}`),
    ...(open.length === 0 ? [] : ['What would produce what is missing:', ...commands(open).map((line) => `  ${line}`)]),
    `ledger: ${ledger.entries} entries, last hash ${ledger.hash} (${ledger.folder})`,
    words[judgement.verdict],
  ].join('\n');
}

/** The verdict for a pull request. */
export function judgementMarkdown(judgement: Judgement): string {
  const { rows, waivers, notes, ledger, verdict } = judgement;
  const met = rows.filter(({ status }) => status === 'met').length;
  const open = rows.filter(({ status }) => status === 'missing');
  const cells = ({ status, requirement, classes, evidence, missing }: Row): string[] => [
    status === 'missing' ? '**missing**' : status,
    requirement,
    classes.join(', '),
    evidence === undefined ? '' : `\`${evidence}\``,
    missing.join('; '),
  ];
  return [
    `### Promotion: ${words[verdict]}`,
    '',
    `${aboutLine(judgement)} ${met} of ${rows.length} requirements met.`,
    '',
    ...(rows.length === 0
      ? []
      : [markdownTable(['', 'requirement', 'asked for by', 'evidence', 'missing'], rows.map(cells)), '']),
    ...waivers.map((one) => `- Waiver: ${markdownCell(waiverLine(one))}`),
    ...notes.map((note) => `- ${markdownCell(note)}`),
    ...(open.length === 0 ? [] : ['', 'What would produce what is missing:', '', '```sh', ...commands(open), '```']),
    '',
    `Ledger: ${ledger.entries} entries, last hash \`${ledger.hash}\`. An entry: \`npm run evidence -- show ID\`.`,
    '',
  ].join('\n');
}

function aboutLine({ base, head, tree, classes, rulesFrom }: Judgement): string {
  const its = Object.entries(classes).map(
    ([name, what]) => `${name} (${what.slice(0, 3).join(', ')}${what.length > 3 ? ', ...' : ''})`,
  );
  const from = `${base.slice(0, 12)}..${head.slice(0, 12)} (content ${tree.slice(0, 12)})`;
  return `${from}: ${its.length === 0 ? 'no change class' : its.join('; ')}, by ${rulesFrom}.`;
}

function commands(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => [...where(row), ...(row.command === undefined ? [] : [row.command])]))];
}

/** Where evidence over real components can be had, as a comment above its command. */
function where({ targets, requirement }: Row): string[] {
  if (targets === undefined) return [];
  if (targets.length === 0) return [`# ${requirement}: no target the rules know has these components for real`];
  return [`# ${requirement}: on ${targets.join(' or ')}`];
}

function waiverLine(waiver: Judgement['waivers'][number]): string {
  const { requirement, reason, approver, expires } = waiver;
  const worth = waiver.void === undefined ? 'counts' : `does not count: ${waiver.void}`;
  return `${requirement}, approved by ${approver} until ${expires}: ${reason} (${worth})`;
}
