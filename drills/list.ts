import { textTable } from '../support/evidence/findings-table';
import type { DrillDefinition } from './definition';
import type { Journal } from './journal';
import type { Runbook } from './runbook/document';

const dayMs = 86_400_000;
/** A game day is monthly (seed 002, "Recurring game-day & promotion gate"). */
const dueAfterDays = 31;

/** The drills as a table, each with the days since it was last passed: the monthly reminder. */
export function listOfDrills(drills: readonly DrillDefinition[], journals: readonly Journal[], now: Date): string {
  const rows = drills.map(({ id, title, sections, changeClasses }) => [
    id,
    title,
    sections.join(', '),
    changeClasses.join(', '),
    lastPassed(journals, id, 'automatic', now),
    lastPassed(journals, id, 'game day', now),
  ]);
  return textTable(
    ['drill', 'what happens', 'sections of the runbook', 'vouches for', 'last passed', 'last game day'],
    rows,
  );
}

function lastPassed(journals: readonly Journal[], id: string, mode: Journal['mode'], now: Date): string {
  const last = journals.findLast((one) => one.drill === id && one.mode === mode && one.verdict === 'survived');
  if (last === undefined) return 'never';
  const days = Math.floor((now.getTime() - Date.parse(last.started)) / dayMs);
  const ago = days === 0 ? 'today' : days === 1 ? 'yesterday' : `${days} days ago`;
  return days > dueAfterDays ? `${ago}: due` : ago;
}

/** What a drill breaks and which steps repair it. */
export function showDrill(drill: DrillDefinition, runbook: Runbook): string {
  const sections = runbook.sections.filter(({ slug }) => drill.sections.includes(slug));
  const steps = sections.flatMap(({ title, line, blocks }) => [
    `${title} (${runbook.path}:${line})`,
    ...blocks.map((block) => `  ${block.kind.padEnd(11)} ${block.id.padEnd(30)} within ${block.withinMs / 1000} s`),
  ]);
  const { detectionMs, recoveryMs } = drill.budgets;
  return [
    `${drill.id}: ${drill.title}`,
    `vouches for changes of ${drill.changeClasses.join(', ')}`,
    `noticed within ${detectionMs / 1000} s, recovered within ${recoveryMs / 1000} s`,
    ...steps,
  ].join('\n');
}

/** A row of what became of a drill. */
export function summaryOf(id: string, journal: Journal | undefined): string[] {
  if (journal === undefined) return [id, 'not run', '', '', '', '', '', 'the suite ended before it'];
  const seconds = (ms: number | undefined): string => (ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`);
  const { recovery, verdict, reason } = journal;
  return [
    id,
    verdict ?? 'not ended',
    seconds(recovery?.totalMs),
    seconds(recovery?.detectionMs),
    seconds(recovery?.personMs),
    seconds(recovery?.commandMs),
    seconds(recovery?.convergenceMs),
    verdict === 'survived' ? '' : ((reason ?? '').split('\n')[0]?.slice(0, 200) ?? ''),
  ];
}
