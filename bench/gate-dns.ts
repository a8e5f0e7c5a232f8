import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run, type CommandResult } from '../support/command';
import { OperatorError } from '../support/failure';
import { projectRoot } from '../support/paths';
import type { Benchmark } from './benchmark';
import { nodeArguments } from './commands';
import { largePlan, zone } from './dns-plan';

const resources = 10_000;
const MiB = 1024 * 1024;
const peakMemory = join(projectRoot, 'bench', 'peak-memory.ts');
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
      part('the same command on a plan of one record', start.result.durationMs / 1000);
      part('size of the plan', readFileSync(plan).byteLength / MiB, 'MiB');
      const { result, peakMiB } = await child(folder, gate(plan));
      const [outcome] = outcomeShape.parse(JSON.parse(result.stdout)).results;
      if (outcome?.verdict !== 'green' || outcome.findings.length !== resources) throw wrongVerdict(result);
      part('peak resident memory', peakMiB, 'MiB');
      part('the gate itself, from opening the plan to its verdict', outcome.durationMs / 1000);
      return result.durationMs / 1000;
    }),
  peer: {
    what: 'a process that starts the same way and only does JSON.parse(readFileSync(plan)): what reading it costs without judging',
    run: () =>
      withPlan(async (plan, folder) => {
        const script = join(folder, 'parse.js');
        writeFileSync(script, `JSON.parse(require('node:fs').readFileSync(${JSON.stringify(plan)}, 'utf8'));\n`);
        return (await child(folder, [script])).result.durationMs / 1000;
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

/** Runs Node.js and says what it held at most, in MiB. */
async function child(folder: string, args: readonly string[]): Promise<{ result: CommandResult; peakMiB: number }> {
  const peakFile = join(folder, 'peak');
  const result = await run('node', [...nodeArguments, '-r', peakMemory, ...args], {
    cwd: projectRoot,
    env: { BENCH_PEAK_FILE: peakFile, EVIDENCE_LEDGER: join(folder, 'ledger') },
  });
  return { result, peakMiB: Number(readFileSync(peakFile, 'utf8')) / 1024 };
}

function wrongVerdict({ stdout }: CommandResult): OperatorError {
  return new OperatorError({
    attempted: 'measure the DNS gate',
    expected: `the verdict green with ${resources} findings`,
    seen: stdout.slice(0, 300),
    next: 'run `npm test`: the gate judges a plan of the throwaway zone wrongly, and its time says nothing.',
  });
}
