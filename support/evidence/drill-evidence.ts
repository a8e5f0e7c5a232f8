import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { isInterrupted } from '../interruption';
import { runbookFile } from '../paths';
import { appendEntry, sourceOf, type Entry, type Keepsake, type Recorded } from './ledger';
import type { EntryVerdict } from './ledger/entry';
import { sectionHashes } from './sections';

const milliseconds = z.number().nonnegative();

/** What the ledger takes from a drill's journal (drills/journal.ts writes it; the journal itself is kept beside the entry). */
const journalShape = z.object({
  schema: z.literal('sandbox-acceptance/drill-journal'),
  version: z.literal(1),
  drill: z.string(),
  target: z.object({ name: z.string() }),
  provenance: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      provenance: z.enum(['upstream', 'substitute', 'stand-in', 'unknown']),
      role: z.string().optional(),
      basis: z.string().optional(),
    }),
  ),
  runbook: z.object({ hash: z.string(), sections: z.array(z.string()) }),
  started: z.iso.datetime(),
  firstFailedStep: z.string().nullable(),
  recovery: z
    .object({
      totalMs: milliseconds,
      detectionMs: milliseconds,
      personMs: milliseconds,
      commandMs: milliseconds,
      convergenceMs: milliseconds,
    })
    .nullable(),
  verdict: z.enum(['survived', 'degraded', 'failed', 'inconclusive', 'blocked']).nullable(),
});

/** A drill's journal as a file, with what the ledger takes from it. */
export interface DrillEvidence {
  file: string;
  outcome: NonNullable<Entry['drills']>[number];
  target: NonNullable<Entry['target']>;
}

/** The journals that drills began to write since a moment, oldest first; what is no journal of a known version is left out. */
export function drillEvidence(folder: string, since: Date): DrillEvidence[] {
  if (!existsSync(folder)) return [];
  const runbook = runbookText();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
    .flatMap((file) => {
      const read = journalShape.safeParse(json(file));
      return read.success && read.data.started >= since.toISOString() ? [{ file, journal: read.data }] : [];
    })
    .sort((one, other) => one.journal.started.localeCompare(other.journal.started))
    .map(({ file, journal }) => ({
      file,
      outcome: outcomeOf(journal, runbook),
      target: { name: journal.target.name, parts: journal.provenance },
    }));
}

function json(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function outcomeOf(journal: z.infer<typeof journalShape>, runbook: string | undefined): DrillEvidence['outcome'] {
  const { drill, verdict, recovery, firstFailedStep } = journal;
  // Only of the very document that was followed is it known what its sections said.
  const same = runbook !== undefined && createHash('sha256').update(runbook).digest('hex') === journal.runbook.hash;
  const hashes = same ? sectionHashes(runbook) : new Map<string, string>();
  const sections = journal.runbook.sections.flatMap((slug) => {
    const sha256 = hashes.get(slug);
    return sha256 === undefined ? [] : [{ slug, sha256 }];
  });
  const times = recovery && {
    recoverySeconds: recovery.totalMs / 1000,
    phases: {
      detection: recovery.detectionMs / 1000,
      person: recovery.personMs / 1000,
      command: recovery.commandMs / 1000,
      convergence: recovery.convergenceMs / 1000,
    },
  };
  const failed = firstFailedStep === null ? {} : { failedStep: firstFailedStep };
  return { name: drill, verdict: verdict ?? 'inconclusive', sections, ...times, ...failed };
}

function runbookText(): string | undefined {
  try {
    return readFileSync(runbookFile(), 'utf8');
  } catch {
    return undefined;
  }
}

/** What an entry says of drills: their outcomes, the runbook they followed, their journals. */
export async function drillFacts(
  drills: readonly DrillEvidence[],
): Promise<{ drills?: Entry['drills']; sources: Entry['sources']; keep: Keepsake[] }> {
  if (drills.length === 0) return { sources: [], keep: [] };
  return {
    drills: drills.map(({ outcome }) => outcome),
    sources: [await sourceOf('runbook', runbookFile())],
    keep: drills.map(({ file, outcome }) => ({ name: `drills/${outcome.name}.json`, file })),
  };
}

/** Which drills to append, and as what. */
export interface DrillRuns {
  kind: 'drill' | 'game-day';
  /** The command that repeats them. */
  command: string;
  /** Those that began since then. */
  since: Date;
  /** The id of the only one to take. */
  journal?: string;
}

/**
 * Appends drills that were run outside of the suite: a game day, one that was killed and ended afterwards.
 * @returns undefined when there was no journal to keep.
 * @throws OperatorError when it cannot be kept.
 */
export async function recordDrills(
  folder: string,
  { kind, command, since, journal }: DrillRuns,
): Promise<Recorded | undefined> {
  const evidence = drillEvidence(folder, since).filter(
    ({ file }) => journal === undefined || basename(file, '.json') === journal,
  );
  const target = evidence.at(-1)?.target;
  if (target === undefined) return undefined;
  return appendEntry({
    kind,
    verdict: verdictOf(evidence),
    summary: evidence.map(({ outcome }) => `${outcome.name}: ${outcome.verdict}`).join('; '),
    began: since,
    command,
    target,
    ...(await drillFacts(evidence)),
  });
}

function verdictOf(evidence: readonly DrillEvidence[]): EntryVerdict {
  const verdicts = evidence.map(({ outcome }) => outcome.verdict);
  if (isInterrupted()) return 'interrupted';
  if (verdicts.every((verdict) => verdict === 'survived')) return 'green';
  return verdicts.some((verdict) => verdict === 'failed' || verdict === 'degraded') ? 'red' : 'cannot tell';
}
