import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { OperatorError, reason } from '../support/failure';
import { reportsOut } from '../support/paths';
import { machineShape } from './machine';
import { summaryShape } from './statistics';

const unitShape = z.enum(['s', 'ms', 'MiB']);

/** What a benchmark leaves as `reports/out/bench/<name>.json`. */
export const resultShape = z.object({
  name: z.string().regex(/^[a-z][a-z-]*$/),
  what: z.string(),
  unit: unitShape,
  goal: z.string().optional(),
  /** ISO 8601: when it began. */
  when: z.string(),
  commit: z.string(),
  machine: machineShape,
  ...summaryShape.shape,
  /** What the figure is made of, or was seen beside it. A part that not every run had has fewer figures. */
  parts: z.record(z.string(), summaryShape.extend({ unit: unitShape })),
  peer: summaryShape.extend({ what: z.string(), ratio: z.number().optional() }).optional(),
});
export type Result = z.infer<typeof resultShape>;

const folder = join(reportsOut, 'bench');

/** Writes a result, whole or not at all. @returns its file. */
export function writeResult(result: Result, into: string = folder): string {
  mkdirSync(into, { recursive: true });
  const file = join(into, `${result.name}.json`);
  writeFileSync(`${file}.new`, `${JSON.stringify(resultShape.parse(result), null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return file;
}

/**
 * The results there are, in the order of `names`; of other benchmarks none.
 * @throws OperatorError naming a file that holds no result.
 */
export function readResults(names: readonly string[], from: string = folder): Result[] {
  const there = new Set(listed(from));
  return names.filter((name) => there.has(`${name}.json`)).map((name) => readResult(join(from, `${name}.json`)));
}

function readResult(file: string): Result {
  try {
    return resultShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    const issue = thrown instanceof z.ZodError ? thrown.issues[0] : undefined;
    throw new OperatorError({
      attempted: 'read the result of a benchmark',
      where: file,
      seen: issue ? `${issue.path.join('.')}: ${issue.message}` : reason(thrown),
      next: 'remove that file and measure again with `npm run bench`.',
      cause: thrown,
    });
  }
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
}
