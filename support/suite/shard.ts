import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';

/** One of several runs that together are the whole suite, each on a sandbox of its own. */
export interface Shard {
  /** 1 for the first. */
  index: number;
  of: number;
}

/** A selected scenario, as far as dealing out asks. */
export interface Selected {
  uri: string;
  name: string;
  tags: readonly { name: string }[];
}

/** Scenarios that take the sandbox apart: in one shard together, so that the others need no recovery between them. */
const aloneTags = new Set(['@drill', '@alone']);
/** How many scenarios one of those counts for. */
const aloneWeight = 10;

/** Reads `2/3`. @throws OperatorError (exit code 2) for anything else. */
export function parseShard(text: string): Shard {
  const [, index = '', of = ''] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? [];
  const shard = { index: Number(index), of: Number(of) };
  if (shard.index >= 1 && shard.index <= shard.of) return shard;
  throw wrong(text, 'expected the shard’s number and how many there are, such as 1/3', 'write it like `--shard 1/3`.');
}

/**
 * Deals the features out, whole: the heaviest first, each to the shard that has least. Every runner comes to the same result
 * by itself. Features with scenarios tagged @drill or @alone are kept together.
 * @returns the features of this shard.
 * @throws OperatorError (exit code 2) when there are more shards than can be filled.
 */
export function featuresOf(shard: Shard, selected: readonly Selected[]): string[] {
  const weights = new Map<string, { weight: number; alone: boolean }>();
  for (const { uri, tags } of selected) {
    const known = weights.get(uri) ?? { weight: 0, alone: false };
    const alone = tags.some(({ name }) => aloneTags.has(name));
    weights.set(uri, { weight: known.weight + (alone ? aloneWeight : 1), alone: known.alone || alone });
  }
  const together = [...weights].filter(([, { alone }]) => alone).map(([uri]) => uri);
  const groups = [
    ...(together.length === 0 ? [] : [together]),
    ...[...weights].filter(([, { alone }]) => !alone).map(([uri]) => [uri]),
  ].map((uris) => ({ uris: uris.sort(), weight: uris.reduce((sum, uri) => sum + (weights.get(uri)?.weight ?? 0), 0) }));
  if (groups.length < shard.of) {
    throw wrong(
      `${shard.index}/${shard.of}`,
      `${groups.length} groups of features can be dealt out`,
      `use at most ${groups.length} shards.`,
    );
  }
  const heaviestFirst = (a: (typeof groups)[number], b: (typeof groups)[number]): number =>
    b.weight - a.weight || (a.uris[0] ?? '').localeCompare(b.uris[0] ?? '');
  const shards = Array.from({ length: shard.of }, () => ({ weight: 0, uris: [] as string[] }));
  for (const { uris, weight } of groups.sort(heaviestFirst)) {
    const least = shards.reduce((one, other) => (other.weight < one.weight ? other : one));
    least.weight += weight;
    least.uris.push(...uris);
  }
  return (shards[shard.index - 1]?.uris ?? []).sort();
}

/** What the shards of one run must agree on: the same scenarios were dealt out. */
export function wholeOf(selected: readonly Pick<Selected, 'uri' | 'name'>[]): { scenarios: number; sha256: string } {
  const names = selected.map(({ uri, name }) => `${uri}#${name}`).sort();
  return { scenarios: names.length, sha256: createHash('sha256').update(names.join('\n')).digest('hex') };
}

const recordShape = z.object({
  version: z.literal(1),
  shard: z.object({ index: z.number().int().positive(), of: z.number().int().positive() }),
  whole: z.object({ scenarios: z.number(), sha256: z.string() }),
  features: z.array(z.string()),
  /** Whether these features were run with all their scenarios. */
  entire: z.boolean(),
  /** ISO 8601. */
  began: z.iso.datetime(),
  /** Cucumber's own word. */
  success: z.boolean(),
  interrupted: z.boolean(),
  /** Why the shard is red beside its scenarios. */
  problems: z.array(z.string()),
  /** Hash of messages.ndjson, from which the merged reports are made. */
  messages: z.string(),
});

/** What a shard leaves beside its reports for `npm run merge`. */
export type ShardRecord = z.infer<typeof recordShape>;

function recordFile(out: string): string {
  return join(out, 'shard.json');
}

export function writeShardRecord(out: string, record: ShardRecord): void {
  writeFileSync(recordFile(out), `${JSON.stringify(record, null, 2)}\n`);
}

/** @throws OperatorError (exit code 2) when the folder holds no shard's reports. */
export function readShardRecord(out: string): ShardRecord {
  try {
    return recordShape.parse(JSON.parse(readFileSync(recordFile(out), 'utf8')));
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the reports of a shard',
      where: out,
      expected: 'shard.json of `npm run suite -- --shard i/n`',
      seen: thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll('\n', ' ') : reason(thrown),
      next: 'name the folders that the shards wrote (REPORTS_OUT, default reports/out).',
      exitCode: 2,
    });
  }
}

export function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function wrong(where: string, seen: string, next: string): OperatorError {
  return new OperatorError({ attempted: 'deal the features out', where: `--shard ${where}`, seen, next, exitCode: 2 });
}
