import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../../support/evidence/ledger/lines';
import { redactor } from '../../../support/evidence/redaction';
import { reportsOut } from '../../../support/paths';
import type { Runbook } from '../../../drills/runbook/document';

/** Where mutants leave their results and journals. */
export const mutantsFolder = join(reportsOut, 'faults', 'runbook');
const file = join(mutantsFolder, 'mutants.json');

const resultShape = z.object({
  drill: z.string(),
  mutant: z.string(),
  /** Hash of the steps that were followed: a result says nothing of a runbook that reads otherwise. */
  steps: z.string(),
  verdict: z.string(),
  /** The drill did not end as survived, and the sandbox was whole before it. */
  caught: z.boolean(),
  why: z.string(),
  seconds: z.number(),
});
export type Result = z.infer<typeof resultShape>;

/** The verdict on a mutant whose step passed beside the runbook's own: a drill of its own must judge it. */
export const passedBeside = 'passed beside';

/** What a drill does with a runbook: changes when a step of its sections does, or their order. */
export function stepsHash({ sections }: Runbook, slugs: readonly string[]): string {
  const blocks = sections.filter(({ slug }) => slugs.includes(slug)).flatMap((section) => section.blocks);
  return sha256(JSON.stringify(blocks.map(({ hash }) => hash))).slice(0, 16);
}

/** Results of mutants, on disk after each. */
export class MutantResults {
  private kept: Result[];

  /** @param goOn keep what an earlier run left. */
  constructor(goOn: boolean) {
    if (!goOn) rmSync(mutantsFolder, { recursive: true, force: true });
    mkdirSync(mutantsFolder, { recursive: true });
    this.kept = goOn && existsSync(file) ? z.array(resultShape).parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
  }

  /** What is known of a mutant in a drill, if its steps are still the same. */
  of({ drill, mutant, steps }: Pick<Result, 'drill' | 'mutant' | 'steps'>): Result | undefined {
    return this.kept.find((one) => one.drill === drill && one.mutant === mutant && one.steps === steps);
  }

  keep(result: Result): void {
    const others = this.kept.filter(({ drill, mutant }) => drill !== result.drill || mutant !== result.mutant);
    this.kept = [...others, result];
    writeFileSync(file, `${JSON.stringify(redactor.value(this.kept), null, 2)}\n`);
  }
}
