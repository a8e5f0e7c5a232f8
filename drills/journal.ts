import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { redactor } from '../support/evidence/redaction';
import { reportsOut } from '../support/paths';
import { blockKinds } from './runbook/document';

/** Where drills leave their journals. */
export const journalFolder = join(reportsOut, 'drills');

/**
 * What became of a drill.
 * - `survived`: recovered by the runbook alone, and already when its last step ended.
 * - `degraded`: recovered within the budget, but later than the runbook says, or with a step that is not in it.
 * - `failed`: a step failed, or the sandbox did not recover within the budget.
 * - `inconclusive`: the fault was never noticed, or the drill was ended before it could be judged.
 * - `blocked`: not begun: the runbook is not in order, or the sandbox was not in its steady state.
 */
export const verdicts = ['survived', 'degraded', 'failed', 'inconclusive', 'blocked'] as const;
export type Verdict = (typeof verdicts)[number];

/** The phases of a drill, in order. */
export const phases = [
  'gate',
  'undo-registered',
  'inject',
  'detect',
  'follow',
  'recover',
  'exercise',
  'undo',
  'check',
] as const;
export type Phase = (typeof phases)[number];

const time = z.iso.datetime();
const milliseconds = z.number().nonnegative();

const findingShape = z.object({
  subject: z.string(),
  status: z.enum(['met', 'unmet', 'unknown']),
  expected: z.string(),
  actual: z.string(),
  source: z.string(),
  hint: z.string().exactOptional(),
  final: z.boolean().exactOptional(),
});

const stepShape = z.object({
  /** Id of the block in the runbook. */
  block: z.string(),
  kind: z.enum(blockKinds),
  section: z.string(),
  /** SHA-256 of the block. */
  hash: z.string(),
  /** The block's text as it was run, or shown to the person. */
  command: z.string(),
  started: time,
  ended: time,
  /** How often it was run; more than once for a wait-until. */
  attempts: z.number(),
  /** Of the last attempt; null for a person's step. */
  exitCode: z.number().nullable(),
  /** Standard output and errors of the last attempt, redacted. */
  output: z.string(),
  result: z.enum(['passed', 'failed', 'timed out', 'by hand']),
  /** Why it did not pass, as a sentence. */
  why: z.string().exactOptional(),
});

/** A step that the runbook does not have and the operator made. */
const improvisedShape = z.object({
  /** Id of the block after which it was made; null before the first. */
  after: z.string().nullable(),
  section: z.string(),
  command: z.string(),
  why: z.string(),
  started: time,
  ended: time,
});

const recoveryShape = z.object({
  /** From the end of the injection until the recovery's first good look. */
  totalMs: milliseconds,
  /** Until the fault was noticed. */
  detectionMs: milliseconds,
  /** Steps of a person. */
  personMs: milliseconds,
  /** Checks, runs and destructive steps. */
  commandMs: milliseconds,
  /** Waits of the runbook, and of the proof until its first good look. */
  convergenceMs: milliseconds,
  /** What is left: the suite's own. */
  overheadMs: milliseconds,
});

/** A drill's journal, version 1. What reads it elsewhere (ledger, promotion) parses it with this. */
export const journalShape = z.object({
  schema: z.literal('sandbox-acceptance/drill-journal'),
  version: z.literal(1),
  /** `<drill>-<time>`: also the file's name. */
  id: z.string(),
  drill: z.string(),
  title: z.string(),
  /** Change classes for which surviving this drill counts. */
  changeClasses: z.array(z.string()),
  mode: z.enum(['automatic', 'game day']),
  target: z.object({ name: z.string(), identity: z.string().nullable() }),
  /** How real every component of the target was. */
  provenance: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      provenance: z.enum(['upstream', 'substitute', 'stand-in', 'unknown']),
      role: z.string().exactOptional(),
    }),
  ),
  commits: z.object({ suite: z.string().nullable(), suiteDirty: z.boolean(), factory: z.string().nullable() }),
  runbook: z.object({
    path: z.string(),
    hash: z.string(),
    sections: z.array(z.string()),
    /** Every block of the sections followed. */
    blocks: z.array(
      z.object({ id: z.string(), kind: z.enum(blockKinds), section: z.string(), line: z.number(), hash: z.string() }),
    ),
  }),
  started: time,
  ended: time.nullable(),
  /** When it was written last: the end of a process that was killed. */
  savedAt: time.exactOptional(),
  /** Process that runs it: a journal without an end whose process is gone was killed. */
  process: z.object({ pid: z.number(), identity: z.string() }),
  phases: z.array(
    z.object({ phase: z.enum(phases), started: time, ended: time.nullable(), failed: z.string().exactOptional() }),
  ),
  injected: z.boolean(),
  /** What the definition had looked up before; a resumed game day goes on with it. */
  memory: z.unknown(),
  /** What its functions found out for later ones, as it was when the fault was there: rows acknowledged before a power cut. */
  notes: z.record(z.string(), z.unknown()).exactOptional(),
  /** When the fault was there and when it was noticed. */
  injectedAt: time.nullable(),
  detectedAt: time.nullable(),
  /** How long the operator thought, paused and was away on a game day: no machine's time. */
  decisionsMs: milliseconds,
  steps: z.array(stepShape),
  improvised: z.array(improvisedShape),
  /** Id of the first step that did not pass. */
  firstFailedStep: z.string().nullable(),
  /** What the probes saw, by phase: at the gate, when the fault was noticed, at the proof's end, after the undo. */
  findings: z.array(z.object({ phase: z.enum(phases), at: time, findings: z.array(findingShape) })),
  /** Each look of the proof: how many findings were met, and some of those that were not. */
  samples: z.array(z.object({ at: time, met: z.number(), of: z.number(), open: z.string().optional() })),
  /** What the drill itself recorded, in words: what was lost, what was pruned. */
  observations: z.array(z.object({ name: z.string(), text: z.string() })),
  recovery: recoveryShape.nullable(),
  verdict: z.enum(verdicts).nullable(),
  /** Why, as a sentence. */
  reason: z.string().nullable(),
});

export type Journal = z.infer<typeof journalShape>;
export type StepRecord = z.infer<typeof stepShape>;
export type ImprovisedStep = z.infer<typeof improvisedShape>;
export type Recovery = z.infer<typeof recoveryShape>;

/**
 * Writes a journal, redacted and whole or not at all: the next reader never finds half of one. Redacted before it is JSON: a
 * secret in quotes takes an escaped quote with it.
 */
export function writeJournal(journal: Journal, folder = journalFolder): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${journal.id}.json`);
  writeFileSync(`${file}.new`, `${JSON.stringify(redactor.value(journal), null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

/** Every journal of a folder, oldest first. What is no journal of this version is left out. */
export function readJournals(folder = journalFolder): Journal[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  const journals = names.flatMap((name) => {
    try {
      const read = journalShape.safeParse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      return read.success ? [read.data] : [];
    } catch {
      return [];
    }
  });
  return journals.sort((one, other) => one.started.localeCompare(other.started));
}
