import { compare, type Finding } from '../support/finding';
import type { Journal } from './journal';
import { slugOf } from './runbook/read';

const source = "the drill's journal";

/** Whether the fault was there and was noticed. */
export function noticed({ injected, findings }: Journal): Finding {
  const seen = findings.find(({ phase }) => phase === 'detect')?.findings[0];
  const actual = !injected ? 'not injected' : seen === undefined ? 'not noticed' : 'noticed';
  return compare('fault', 'noticed', actual, source, seen?.actual ?? 'the probe of the definition does not see it');
}

/** Whether the sections were followed, each step of them, and each passed. */
export function sectionsPassed({ runbook, steps, improvised }: Journal, titles: readonly string[]): Finding[] {
  const wanted = titles.map(slugOf);
  const sections = compare('sections followed', wanted.join(', '), runbook.sections.join(', '), source);
  const blocks = runbook.blocks.map(({ id, line }) => {
    const step = steps.findLast(({ block }) => block === id);
    const actual = step === undefined ? 'not reached' : step.result;
    return compare(`step ${id}`, 'passed', actual, `${runbook.path}:${line}`, step?.why);
  });
  const own = improvised.map(({ after }) => `after ${after ?? 'the beginning'}`).join(', ');
  return [sections, ...blocks, compare('improvised steps', 'none', own || 'none', source)];
}

/** Whether everything held, so many times in a row, from the runbook's last step on. */
export function recoveredAtEnd(journal: Journal): Finding[] {
  const last = journal.findings.findLast(({ phase }) => phase === 'recover')?.findings ?? [];
  const first = journal.samples[0];
  const atEnd =
    first === undefined ? 'not looked at' : `${first.of - first.met} of ${first.of} did not hold: ${first.open ?? ''}`;
  const held = first !== undefined && first.met === first.of;
  return [
    ...last,
    compare('first look after the last step', 'everything held', held ? 'everything held' : atEnd, source),
  ];
}

/** Whether the sandbox was whole again after the undo. */
export function wholeAfterUndo(journal: Journal): Finding[] {
  return journal.findings.findLast(({ phase }) => phase === 'check')?.findings ?? [];
}

/** Whether the drill's verdict is the one that counts. */
export function drillIsSurvived({ drill, verdict, reason }: Journal): Finding {
  return compare(`drill ${drill}`, 'survived', verdict ?? 'not ended', source, reason ?? undefined);
}

/** Whether the journal says what was lost. */
export function lossNamed({ observations }: Journal): Finding {
  const named = observations.find(({ name }) => name === 'lost');
  return compare('observation "lost"', 'recorded', named === undefined ? 'missing' : 'recorded', source, named?.text);
}
