import { z } from 'zod';
import { OperatorError } from '../../failure';

const difference = z
  .object({
    before: z.unknown(),
    after: z.unknown(),
    before_header: z.string(),
    after_header: z.string(),
    prepared: z.string(),
  })
  .partial();
const differences = z.union([difference, z.array(difference)]);

const itemResult = z
  .object({
    changed: z.boolean(),
    skipped: z.boolean(),
    failed: z.boolean(),
    msg: z.unknown(),
    skip_reason: z.string(),
    false_condition: z.unknown(),
    _ansible_item_label: z.unknown(),
    item: z.unknown(),
    diff: differences,
  })
  .partial();
/** What kubernetes.core says of each object when a task applies several. */
const objects = z.object({
  results: z.array(
    itemResult.extend({
      result: z
        .object({ kind: z.string(), metadata: z.object({ name: z.string() }).partial() })
        .partial()
        .optional(),
    }),
  ),
});
const hostResult = itemResult.extend({
  results: z.array(itemResult).optional(),
  unreachable: z.boolean().optional(),
  censored: z.unknown().optional(),
  result: objects.optional().catch(undefined),
});
/** What a task came to on a host. */
export type HostResult = z.infer<typeof hostResult>;
/** What it came to for one item of its loop, or the whole of it. */
export type ItemResult = z.infer<typeof itemResult>;

const named = z.object({ id: z.string(), name: z.string(), path: z.string().optional() });
const counts = z.object({
  changed: z.number(),
  failures: z.number(),
  unreachable: z.number(),
  ignored: z.number(),
  rescued: z.number(),
});
const event = z.discriminatedUnion('_event', [
  z.object({ _event: z.literal('v2_playbook_on_play_start'), play: named }),
  z.object({
    _event: z.enum(['v2_runner_on_ok', 'v2_runner_on_failed', 'v2_runner_on_unreachable', 'v2_runner_on_skipped']),
    task: named,
    hosts: z.record(z.string(), hostResult),
  }),
  z.object({ _event: z.literal('v2_playbook_on_stats'), stats: z.record(z.string(), counts) }),
]);

const counting = new Set([
  'v2_playbook_on_play_start',
  'v2_playbook_on_stats',
  'v2_runner_on_ok',
  'v2_runner_on_failed',
  'v2_runner_on_unreachable',
  'v2_runner_on_skipped',
]);

/** A task on a host, as it ended. */
export interface TaskRun {
  host: string;
  task: string;
  /** File and line of the task. */
  path: string;
  outcome: 'ok' | 'failed' | 'unreachable' | 'skipped';
  result: HostResult;
}

/** A play with every task on every host that it came to. */
export interface PlayRun {
  name: string;
  /** File and line of the play. */
  path: string;
  runs: TaskRun[];
}

/** What ansible-playbook reports of itself at the end. */
export type HostCounts = z.infer<typeof counts>;

export interface PlaybookRun {
  plays: PlayRun[];
  stats: Record<string, HostCounts>;
}

/** How ansible-playbook is told to report in lines of JSON (collection ansible.posix, part of the pinned Ansible). */
export const jsonEvents = {
  ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.jsonl',
  // Instead of the profile of ansible.cfg, which writes between the lines.
  ANSIBLE_CALLBACKS_ENABLED: 'ansible.posix.jsonl',
} as const;

/**
 * Reads what ansible-playbook reported.
 * @throws OperatorError (exit code 2) when it ended before its summary: a syntax error, a missing file, a guard that refused.
 */
export function readRun(playbook: string, output: string, errors: string): PlaybookRun {
  const plays: PlayRun[] = [];
  let stats: PlaybookRun['stats'] | undefined;
  for (const line of output.split('\n')) {
    if (!line.startsWith('{"_event"')) continue;
    const one = readEvent(playbook, line);
    if (one === undefined) continue;
    if (one._event === 'v2_playbook_on_play_start') {
      plays.push({ name: one.play.name, path: one.play.path ?? '', runs: [] });
    } else if (one._event === 'v2_playbook_on_stats') {
      stats = one.stats;
    } else {
      const outcome = one._event.replace('v2_runner_on_', '') as TaskRun['outcome'];
      for (const [host, result] of Object.entries(one.hosts)) {
        plays.at(-1)?.runs.push({ host, task: one.task.name, path: one.task.path ?? '', outcome, result });
      }
    }
  }
  if (stats !== undefined) return { plays, stats };
  throw new OperatorError({
    attempted: 'run the playbook in check mode',
    where: playbook,
    expected: 'a run with a summary at its end',
    seen: lastWords(errors || output),
    next: 'mend what ansible-playbook says and run the gate again; nothing was changed.',
    exitCode: 2,
  });
}

/** An event that counts, or undefined for one that only tells of progress. What cannot be read must not be overlooked. */
function readEvent(playbook: string, line: string): z.infer<typeof event> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (thrown) {
    throw illegible(playbook, 'a line that is no JSON', thrown);
  }
  const { _event: kind } = z.object({ _event: z.string() }).parse(json);
  if (!counting.has(kind)) return undefined;
  const parsed = event.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw illegible(playbook, `${kind}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, parsed.error);
}

function illegible(playbook: string, seen: string, cause: unknown): OperatorError {
  return new OperatorError({
    attempted: 'read what ansible-playbook reported',
    where: playbook,
    expected: 'the events of ansible.posix.jsonl',
    seen,
    next: 'install the pinned Ansible again (`npm run lab -- up`), or bring support/gates/idempotence/events.ts in line with it.',
    exitCode: 2,
    cause,
  });
}

function lastWords(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('{"_event"') && !line.includes('WARNING]'));
  return lines.slice(0, 8).join(' | ').slice(0, 800) || 'no word';
}
