import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { escapeHtml, htmlPage } from '../support/evidence/findings-table';
import { ledgerFiles, ledgerFolder } from '../support/evidence/ledger';
import { drillRuns, type DrillRun } from '../support/evidence/trend';

const time = z.iso.datetime();

/** What a drill's page shows of its journal (drills/journal.ts). */
const journalShape = z.object({
  schema: z.literal('sandbox-acceptance/drill-journal'),
  drill: z.string(),
  title: z.string(),
  target: z.object({ name: z.string() }),
  started: time,
  ended: time.nullable(),
  phases: z.array(
    z.object({ phase: z.string(), started: time, ended: time.nullable(), failed: z.string().optional() }),
  ),
  steps: z.array(
    z.object({
      block: z.string(),
      kind: z.string(),
      command: z.string(),
      output: z.string(),
      started: time,
      ended: time,
      result: z.string(),
    }),
  ),
  recovery: z.record(z.string(), z.number()).nullable(),
  verdict: z.string().nullable(),
  reason: z.string().nullable(),
});
type Journal = z.infer<typeof journalShape>;

/**
 * Writes one page for every drill of a run: a line of time with injection, detection, each step of the runbook and the proof,
 * and how long recovering took before.
 * @param since when the run began.
 * @returns the pages' files.
 */
export function writeDrillPages(out: string, since: Date): string[] {
  const journals = journalsOf(join(out, 'drills')).filter(({ started }) => started >= since.toISOString());
  if (journals.length === 0) return [];
  const folder = join(out, 'pages');
  mkdirSync(folder, { recursive: true });
  const past = existsSync(ledgerFiles(ledgerFolder()).chain)
    ? drillRuns(ledgerFolder())
    : new Map<string, DrillRun[]>();
  return [...new Map(journals.map((journal) => [journal.drill, journal])).values()].map((journal) => {
    const file = join(folder, `Drill ${journal.drill}.html`);
    writeFileSync(file, drillPage(journal, past.get(journal.drill) ?? []));
    return file;
  });
}

function journalsOf(folder: string): Journal[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const read = names.flatMap((name) => {
    try {
      const parsed = journalShape.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return parsed.success ? [parsed.data] : [];
    } catch {
      // Half a journal of a drill that was killed: `drill resume` ends it.
      return [];
    }
  });
  return read.sort((one, other) => one.started.localeCompare(other.started));
}

interface Bar {
  label: string;
  kind: string;
  from: number;
  to: number;
  good: boolean;
  more?: string;
}

/** The page of one drill's run. */
export function drillPage(journal: Journal, past: readonly DrillRun[]): string {
  const begin = Date.parse(journal.started);
  const at = (moment: string | null): number => (moment === null ? begin : Date.parse(moment)) - begin;
  const bars: Bar[] = [
    ...journal.phases.map(({ phase, started, ended, failed }) => ({
      label: phase,
      kind: 'phase',
      from: at(started),
      to: at(ended ?? started),
      good: failed === undefined,
      ...(failed === undefined ? {} : { more: failed }),
    })),
    ...journal.steps.map(({ block, kind, started, ended, result, command, output }) => ({
      label: `${block} (${kind})`,
      kind,
      from: at(started),
      to: at(ended),
      good: result === 'passed' || result === 'by hand',
      more: `$ ${command}\n${output}`,
    })),
  ].sort((one, other) => one.from - other.from || other.to - one.to);
  const whole = Math.max(1, ...bars.map(({ to }) => to));
  const recovery = Object.entries(journal.recovery ?? {}).map(
    ([part, value]) => `<li>${escapeHtml(part.replace(/Ms$/, ''))}: ${(value / 1000).toFixed(1)} s</li>`,
  );
  const body = `
<style>
.line{position:relative;height:22px;margin:2px 0;display:flex}summary.line .name{cursor:pointer;text-decoration:underline dotted}.name{width:300px;flex:none;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.track{position:relative;flex:1;background:#f6f8fa}.bar{position:absolute;top:3px;height:16px;min-width:3px;background:#57606a}
.bar.check,.bar.wait-until{background:#2f81f7}.bar.run{background:#1a7f37}.bar.destructive{background:#bc4c00}.bar.person{background:#8250df}
.bar.bad{background:#cf222e}.when{position:absolute;top:2px;font-size:12px;white-space:nowrap}pre{white-space:pre-wrap;margin:4px 0 12px 300px;font-size:12px}
</style>
<p><strong>${escapeHtml(journal.verdict ?? 'not ended')}</strong> on ${escapeHtml(journal.target.name)}, ${escapeHtml(journal.started)}.
${escapeHtml(journal.title)} ${escapeHtml(journal.reason ?? '')}</p>
<ul>${recovery.join('')}</ul>
<h2>What happened when</h2>
${bars.map((bar) => line(bar, whole)).join('\n')}
<h2>Time to recover, run by run</h2>
${trend([...past, thisRun(journal)])}`;
  return htmlPage(`Drill ${journal.drill}`, body);
}

function line({ label, kind, from, to, good, more }: Bar, whole: number): string {
  const left = (from / whole) * 100;
  const width = ((to - from) / whole) * 100;
  const seconds = `${((to - from) / 1000).toFixed(1)} s`;
  const beside =
    left + width < 80 ? `left:calc(${(left + width).toFixed(2)}% + 8px)` : `right:${(102 - left).toFixed(2)}%`;
  const bar = `<span class="name" title="${escapeHtml(label)}">${escapeHtml(label)}</span><span class="track">
<span class="bar ${escapeHtml(kind)}${good ? '' : ' bad'}" style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></span>
<span class="when" style="${beside}">${seconds}</span></span>`;
  if (more === undefined) return `<div class="line">${bar}</div>`;
  return `<details><summary class="line">${bar}</summary><pre>${escapeHtml(more.slice(0, 4000))}</pre></details>`;
}

/** The run of the page itself, which is not in the ledger yet. */
function thisRun({ started, ended, verdict, recovery }: Journal): DrillRun {
  const total = recovery?.['totalMs'];
  const seconds = total === undefined ? {} : { seconds: total / 1000 };
  return { id: 'this run', at: ended ?? started, verdict: verdict ?? 'not ended', ...seconds };
}

/** Bars of the last runs, the time beside each. */
function trend(runs: readonly DrillRun[]): string {
  const last = runs.slice(-20);
  const longest = Math.max(1, ...last.map(({ seconds }) => seconds ?? 0));
  return last
    .map(({ at, seconds, verdict, id }) => {
      const label = `${at.slice(0, 16).replace('T', ' ')} ${verdict} ${id}`;
      const bar = { label, kind: 'run', from: 0, to: (seconds ?? 0) * 1000, good: verdict === 'survived' };
      return line(bar, longest * 1000);
    })
    .join('\n');
}
