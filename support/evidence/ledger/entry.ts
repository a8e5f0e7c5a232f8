import { z } from 'zod';

/** What a ledger entry may be about. */
export const entryKinds = ['suite', 'gate', 'drill', 'game-day', 'reset', 'promotion'] as const;
export type EntryKind = (typeof entryKinds)[number];

/** The version of the shape below. A later one is kept in the chain and shown, but never counts as evidence here. */
export const entryVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const seconds = z.number().nonnegative();

/** What a run came to. `cannot tell` and `interrupted` are never green. */
export const entryVerdict = z.enum(['green', 'red', 'cannot tell', 'interrupted']);
export type EntryVerdict = z.infer<typeof entryVerdict>;

/** A checkout a run worked with. Without `commit` it was no git checkout, and can be evidence for no commit. */
export const sourceShape = z.object({
  role: z.enum(['suite', 'factory', 'runbook', 'subject']),
  /** The folder or file, as seen by the run. */
  path: z.string(),
  commit: z.string().optional(),
  /** Hash of the content: the tree of the whole commit, or of the folder when `within` is set. */
  tree: z.string().optional(),
  /** The folder below the checkout's root, when it is not the root itself. */
  within: z.string().optional(),
  /** Whether files differed from the commit. */
  dirty: z.boolean().optional(),
});
export type Source = z.infer<typeof sourceShape>;

/** A component of the target and how real it was (design.md, "Words"). */
export const partShape = z.object({
  name: z.string(),
  version: z.string(),
  provenance: z.enum(['upstream', 'substitute', 'stand-in', 'unknown']),
  role: z.string().optional(),
  /** What proves the provenance, or why nothing does, where it was detected. */
  basis: z.string().optional(),
});
export type LedgerPart = z.infer<typeof partShape>;

export const scenarioShape = z.object({
  /** `features/x.feature#Name`, an outline's example with its number. */
  id: z.string(),
  verdict: z.enum(['passed', 'failed', 'skipped']),
  seconds,
  /** Where it failed, or why it was skipped. */
  why: z.string().optional(),
});

export const gateShape = z.object({
  gate: z.string(),
  subject: z.string(),
  verdict: z.enum(['green', 'red', 'cannot tell']),
  seconds,
  summary: z.string().optional(),
});

/** A drill's outcome; times are seconds (seed 002, "Evidence trail": time to recover, and which step failed or was improvised). */
export const drillShape = z.object({
  name: z.string(),
  verdict: z.enum(['survived', 'degraded', 'failed', 'inconclusive', 'blocked']),
  recoverySeconds: seconds.optional(),
  /** What the recovery time is made of: detection, human, command, convergence. */
  phases: z.record(z.string(), seconds).optional(),
  /** The runbook sections that were followed, by the slugs of their headings, with the hash of each one's text. */
  sections: z.array(z.object({ slug: z.string(), sha256 })),
  /** The step that failed or was improvised. */
  failedStep: z.string().optional(),
});

export const attachmentShape = z.object({
  name: z.string(),
  mediaType: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256,
});
export type Attachment = z.infer<typeof attachmentShape>;

/** One run, as the ledger keeps it. */
export const entryShape = z.object({
  schema: z.literal('sandbox-acceptance/evidence'),
  version: z.literal(entryVersion),
  /** 1 for the first entry. */
  seq: z.number().int().positive(),
  kind: z.enum(entryKinds),
  verdict: entryVerdict,
  /** One sentence: what ran and what came out. */
  summary: z.string(),
  /** ISO 8601. */
  began: z.iso.datetime(),
  ended: z.iso.datetime(),
  who: z.object({ user: z.string(), host: z.string(), ci: z.string().optional() }),
  /** The command that repeats the run. */
  command: z.string(),
  target: z
    .object({
      name: z.string(),
      identity: z.string().optional(),
      parts: z.array(partShape),
      unknown: z.string().optional(),
    })
    .optional(),
  sources: z.array(sourceShape),
  scenarios: z.array(scenarioShape).optional(),
  gates: z.array(gateShape).optional(),
  drills: z.array(drillShape).optional(),
  /** Everything else a kind of run has to say, by name. */
  facts: z.record(z.string(), z.string()).optional(),
  attachments: z.array(attachmentShape),
  /** Fingerprint of the key this entry was signed with: a signature taken away is then seen. */
  signer: z.string().optional(),
  /** What an append that was cut off before this one had left, and was taken out of the file. */
  repaired: z.object({ bytes: z.number().int().positive(), sha256 }).optional(),
});
export type Entry = z.infer<typeof entryShape>;

/** Short name of an entry: its place and the beginning of its hash. */
export function entryId(seq: number, hash: string): string {
  return `${seq}-${hash.slice(0, 12)}`;
}
