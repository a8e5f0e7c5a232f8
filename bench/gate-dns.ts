import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { CommandResult } from '../support/command';
import { OperatorError } from '../support/failure';
import { projectRoot } from '../support/paths';
import type { Benchmark } from './benchmark';
import { measuredChild, type Measured } from './child';
import { nodeArguments } from './commands';
import { largePlan, zone } from './dns-plan';

const resources = 10_000;
const MiB = 1024 * 1024;
const gateMain = join(projectRoot, 'support', 'gates', 'main.ts');

const outcomeShape = z.object({
  results: z.array(z.object({ verdict: z.string(), findings: z.array(z.unknown()), durationMs: z.number() })),
});

/** What the DNS gate costs on a plan larger than any of production's. */
export const gateDns: Benchmark = {
  name: 'gate-dns',
  what: `the command \`gate -- dns\` on a plan of ${resources} DNS records, all touched and all inside the zone, in a process of its own: Node.js's start and ts-node's transpiling included`,
  unit: 's',
  goal: 'below 2 s and below 300 MiB',
  run: ({ part }) =>
    withPlan(async (plan, folder) => {
      const small = join(folder, 'small.json');
      writeFileSync(small, largePlan(1));
      const start = await child(folder, gate(small));
      part('the same command on a plan of one record', start.seconds);
      part('size of the plan', readFileSync(plan).byteLength / MiB, 'MiB');
      const { result, seconds, peakMiB } = await child(folder, gate(plan));
      const [outcome] = outcomeShape.parse(JSON.parse(result.stdout)).results;
      if (outcome?.verdict !== 'green' || outcome.findings.length !== resources) throw wrongVerdict(result);
      part('peak resident memory', peakMiB, 'MiB');
      part('the gate itself, from opening the plan to its verdict', outcome.durationMs / 1000);
      return seconds;
    }),
  peer: {
    what: 'a process that starts the same way and only does JSON.parse(readFileSync(plan)): what reading it costs without judging',
    run: () =>
      withPlan(async (plan, folder) => {
        const script = join(folder, 'parse.js');
        writeFileSync(script, `JSON.parse(require('node:fs').readFileSync(${JSON.stringify(plan)}, 'utf8'));\n`);
        return (await child(folder, [script])).seconds;
      }),
  },
};

function gate(plan: string): string[] {
  return [gateMain, 'dns', plan, '--zone', zone, '--json'];
}

async function withPlan(work: (plan: string, folder: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-dns-'));
  try {
    const plan = join(folder, 'plan.json');
    writeFileSync(plan, largePlan(resources));
    return await work(plan, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function child(folder: string, args: readonly string[]): Promise<Measured> {
  return measuredChild(folder, nodeArguments, args, { EVIDENCE_LEDGER: join(folder, 'ledger') });
}

function wrongVerdict({ stdout }: CommandResult): OperatorError {
  return new OperatorError({
    attempted: 'measure the DNS gate',
    expected: `the verdict green with ${resources} findings`,
    seen: stdout.slice(0, 300),
    next: 'run `npm test`: the gate judges a plan of the throwaway zone wrongly, and its time says nothing.',
  });
}
