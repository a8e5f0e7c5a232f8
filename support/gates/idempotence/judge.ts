import { createTwoFilesPatch } from 'diff';
import type { Finding } from '../../finding';
import { hiddenTask } from './hidden';
import type { HostCounts, ItemResult, PlaybookRun, PlayRun, TaskRun } from './events';

/** What the judge knows of the playbook besides its run. */
export interface PlaybookFacts {
  /** The playbook as the operator calls it. */
  playbook: string;
  /** Names that tasks register their results under: a guard on one of them is decided by what was found. */
  registered: ReadonlySet<string>;
  /** What the file says of a task's conditions, where its result is hidden (`no_log`). */
  conditions(path: string): { false_condition?: string }[];
  /** Hosts that a play is meant for, or undefined where its pattern cannot be read from the file. */
  meantFor(play: PlayRun): string[] | undefined;
}

export interface JudgedRun {
  findings: Finding[];
  /** The differences that tasks would make. */
  diff: string;
}

/** Whether a check-mode run proves that the playbook has nothing left to change, everywhere it is meant for. */
export function judgeRun(run: PlaybookRun, facts: PlaybookFacts): JudgedRun {
  const findings: Finding[] = [];
  const diffs: string[] = [];
  if (run.plays.length === 0) findings.push(vacuous(facts.playbook, 'no play', 'give a playbook with plays in it.'));
  for (const play of run.plays) {
    findings.push(...reached(play, facts));
    for (const task of play.runs) {
      const finding = judgeTask(task, facts);
      if (finding === undefined) continue;
      findings.push(finding);
      if (finding.status === 'unmet') diffs.push(...itemsOf(task).map((item) => differenceOf(task, item)));
    }
    findings.push(...neverRun(play, facts));
  }
  findings.push(...Object.entries(run.stats).flatMap(([host, counts]) => agrees(host, counts, findings, facts)));
  return { findings, diff: diffs.filter((text) => text !== '').join('\n') };
}

/** Every host that a play is meant for ran at least one of its tasks. */
function reached(play: PlayRun, facts: PlaybookFacts): Finding[] {
  const ran = new Set(play.runs.filter(({ outcome }) => outcome !== 'skipped').map(({ host }) => host));
  const subject = `play "${play.name}"`;
  const meant = facts.meantFor(play);
  const next = 'check the play’s hosts, its conditions and the inventory: a play that reaches nobody proves nothing.';
  if (meant !== undefined && meant.length === 0) return [vacuous(subject, 'its pattern matches no host', next)];
  if (ran.size === 0)
    return [vacuous(subject, play.runs.length === 0 ? 'no host ran it' : 'every task was skipped', next)];
  const missed = (meant ?? []).filter((host) => !ran.has(host));
  if (missed.length > 0) return [vacuous(subject, `not one task ran on ${missed.join(', ')}`, next)];
  const tasks = new Set(play.runs.map(({ path, task }) => `${path} ${task}`)).size;
  const actual = `${tasks} tasks on ${[...ran].sort().join(', ')}`;
  return [{ subject, status: 'met', expected: 'runs on every host it is meant for', actual, source: source(facts) }];
}

function judgeTask(task: TaskRun, facts: PlaybookFacts): Finding | undefined {
  const { result, outcome } = task;
  const base = {
    subject: `${task.host}: ${task.task}`,
    expected: 'no change',
    source: `${source(facts)}, ${place(task.path)}`,
  };
  if (outcome === 'failed' || outcome === 'unreachable') {
    const hint = `mend that on ${task.host}, then run the gate again.`;
    return { ...base, status: 'unknown', actual: `${outcome}: ${message(result.msg)}`, hint };
  }
  const items = itemsOf(task);
  const changed = items.filter((item) => item.changed === true);
  if (result.changed === true || changed.length > 0) {
    const labels = changed.map(label).filter((text) => text !== '');
    const what = labels.length === 0 ? '' : ` (${labels.slice(0, 5).join(', ')})`;
    const hint = `converge the host if somebody changed it by hand; otherwise make ${place(task.path)} idempotent.`;
    return { ...base, status: 'unmet', actual: `would change${what}`, hint };
  }
  const inCheckMode = items.find((item) => item.skipped === true && /check mode/i.test(message(item.msg)));
  if (inCheckMode === undefined) return undefined;
  if (/would have run/i.test(message(inCheckMode.msg))) {
    const hint = 'give it creates: or removes:; if it only looks, check_mode: false and changed_when: false.';
    return { ...base, status: 'unmet', actual: 'would run its command again', hint };
  }
  const hint = 'use a module that supports check mode: of this task nothing can be told.';
  return { ...base, status: 'unknown', actual: `skipped: ${message(inCheckMode.msg)}`, hint };
}

/** Tasks that no host of the play ran, unless what an earlier task found decided it. */
function neverRun(play: PlayRun, facts: PlaybookFacts): Finding[] {
  const byTask = new Map<string, TaskRun[]>();
  for (const one of play.runs) {
    const key = `${one.path} ${one.task}`;
    byTask.set(key, [...(byTask.get(key) ?? []), one]);
  }
  return [...byTask.values()].flatMap((runs) => {
    const [first] = runs;
    const idle = runs.every(
      (run) => run.outcome === 'skipped' && !itemsOf(run).some((item) => /check mode/i.test(message(item.msg))),
    );
    if (first === undefined || !idle) return [];
    const items = runs.flatMap((one) =>
      one.result.censored === undefined ? itemsOf(one) : facts.conditions(one.path),
    );
    const why = hiddenTask(items, facts.registered);
    if (why === undefined) return [];
    const hosts = runs.map(({ host }) => host).join(', ');
    const next = `take the condition away or mend it in ${place(first.path)}: what never runs is never checked.`;
    return [{ ...vacuous(`${hosts}: ${first.task}`, why, next), source: `${source(facts)}, ${place(first.path)}` }];
  });
}

/** Ansible's own summary must not know of more than the tasks told: a run whose lines were lost is no proof. */
function agrees(host: string, counts: HostCounts, findings: readonly Finding[], facts: PlaybookFacts): Finding[] {
  const open = findings.some(({ status, subject }) => status !== 'met' && subject.startsWith(`${host}: `));
  const counted = counts.changed + counts.failures + counts.unreachable + counts.ignored + counts.rescued;
  const actual = `changed=${counts.changed} failed=${counts.failures} unreachable=${counts.unreachable} ignored=${counts.ignored} rescued=${counts.rescued}`;
  const finding = {
    subject: `${host} as a whole`,
    expected: 'changed=0 and nothing failed',
    actual,
    source: source(facts),
  };
  if (counted === 0) return [{ ...finding, status: 'met' }];
  return open ? [] : [{ ...finding, status: counts.changed > 0 ? 'unmet' : 'unknown' }];
}

/** A task's items, the objects it applies, or the task itself when it has neither. */
export function itemsOf({ result }: TaskRun): ItemResult[] {
  if (result.results !== undefined && result.results.length > 0) return result.results;
  const objects = result.result?.results ?? [];
  if (objects.length === 0) return [result];
  return objects.map(({ result: object, ...one }) => ({
    ...one,
    item: [object?.kind, object?.metadata?.name].filter((part) => part !== undefined).join(' '),
  }));
}

function differenceOf(task: TaskRun, item: ItemResult): string {
  const differences = item.diff === undefined ? [] : Array.isArray(item.diff) ? item.diff : [item.diff];
  return differences
    .map((one) => {
      if (one.prepared !== undefined) return `# ${task.host}: ${task.task}\n${one.prepared}`;
      const header = one.after_header ?? one.before_header ?? task.task;
      const [before, after] = [text(one.before), text(one.after)];
      return before === after
        ? ''
        : createTwoFilesPatch(
            `${task.host}:${header}`,
            `${task.host}:${header}`,
            before,
            after,
            'on the machine',
            'by the playbook',
          );
    })
    .join('\n');
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`;
}

function message(value: unknown): string {
  return text(value).replaceAll(/\s+/g, ' ').trim().slice(0, 400);
}

function label(item: ItemResult): string {
  const value = item._ansible_item_label ?? item.item;
  return value === undefined ? '' : message(value).slice(0, 60);
}

/** `file:line` without the folders before the factory's ansible folder. */
function place(path: string): string {
  return path.replace(/^.*\/ansible\//, '');
}

function source({ playbook }: PlaybookFacts): string {
  return `ansible-playbook --check --diff ${playbook}`;
}

function vacuous(subject: string, actual: string, hint: string): Finding {
  return {
    subject,
    status: 'unmet',
    expected: 'tasks that run',
    actual,
    source: 'ansible-playbook --check --diff',
    hint,
  };
}
