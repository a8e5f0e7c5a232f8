import { z } from 'zod';
import { run } from '../command';
import type { Finding } from '../finding';
import { compare } from '../finding';
import type { Inventory } from '../inventory';
import { projectRoot } from '../paths';
import { judge, production, type Subject } from '.';

const verdicts = z.array(
  z.object({ allowed: z.boolean(), subject: z.string(), kind: z.string().optional(), reason: z.string() }),
);

/** What `npm run guard` answered about some addresses. */
export interface GuardAnswer {
  exitCode: number;
  verdicts: z.infer<typeof verdicts>;
}

const node = ['-r', 'ts-node/register', '-r', './support/isolation/preload.ts'];

/** Asks the guard as a person does. Addresses go by standard input: as arguments they would be refused before it starts. */
export async function askGuard(addresses: readonly string[]): Promise<GuardAnswer> {
  const ended = await run('node', [...node, 'sandbox/guard.ts', 'check', '--stdin', '--json'], {
    cwd: projectRoot,
    input: addresses.join('\n'),
    allowFailure: true,
  });
  return { exitCode: ended.exitCode, verdicts: verdicts.parse(JSON.parse(ended.stdout)) };
}

/** The guard's refusal, with its exit code. */
export function refusedAs(answer: GuardAnswer, kind: string): Finding[] {
  return answer.verdicts.flatMap((verdict) => [
    compare(verdict.subject, kind, verdict.kind ?? 'allowed', 'npm run guard -- check'),
    compare('exit code', '3', String(answer.exitCode), 'npm run guard -- check'),
  ]);
}

/** Machines, their addresses and every endpoint: what the guard must permit. */
export function ownPlaces(inventory: Inventory): string[] {
  return [
    ...inventory.machines.flatMap(({ name, address }) => [name, address]),
    ...Object.values(inventory.endpoints),
    inventory.operatorAddress,
  ];
}

export function allPermitted(answer: GuardAnswer): Finding[] {
  return answer.verdicts.map((verdict) =>
    compare(verdict.subject, 'allowed', verdict.kind ?? 'allowed', 'npm run guard -- check'),
  );
}

/** Documents with a production address planted where a hurried person overlooks it. */
const planted: Readonly<Record<string, Subject>> = {
  kubeconfig: {
    kubeconfig: `clusters: [{ name: lab, cluster: { server: "https://10.77.0.201:6443", proxy-url: "http://${production.last}:3128" } }]`,
  },
  inventory: {
    inventory: `all: { vars: { postgres_host: ${production.first} }, hosts: { pi1: { ansible_host: 10.77.0.201 } } }`,
  },
  'connection string': { connectionString: `host=10.77.0.202 hostaddr=${production.last} dbname=erp` },
  'git remote': { gitRemote: `git@${production.first}:arcodange-org/erp.git` },
  'jump host': { sshConfig: `Host pi1\n  HostName 10.77.0.201\n  ProxyJump root@${production.first}\n`, host: 'pi1' },
  environment: { environment: { HTTPS_PROXY: `http://${production.last}:3128` } },
};

/** Judges a planted document by name. */
export function judgePlanted(document: string, kind: string): Finding {
  const subject = planted[document];
  if (subject === undefined)
    throw new Error(`There is no planted ${document}; there is ${Object.keys(planted).join(', ')}.`);
  const verdict = judge(subject);
  return compare(verdict.subject, kind, verdict.allowed ? 'allowed' : verdict.kind, 'support/isolation');
}

/** Judges an address for a caller who is confined to one instance. Only `erp-sandbox` is a scope. */
export function judgeScoped(address: string, scope: string, expected: string): Finding {
  if (scope !== 'erp-sandbox') throw new Error(`There is no scope ${scope}; there is erp-sandbox.`);
  const verdict = judge(address, { scope });
  return compare(address, expected, verdict.allowed ? 'allowed' : verdict.kind, `support/isolation, scope ${scope}`);
}

/** What a start of the suite in a shell with a credential came to. */
export interface Start {
  exitCode: number;
  output: string;
  value: string;
}

/** Starts the suite in a shell that holds a credential made up for this. It must end before it does anything. */
export async function startWith(variable: string): Promise<Start> {
  const value = `made-up-${variable.toLowerCase()}-0123456789`;
  // A tag that no scenario has: a suite that did start would find nothing to run and end.
  const args = [...node, 'support/suite/main.ts', '--tags', '@no-scenario-has-this-tag'];
  const ended = await run('node', args, { cwd: projectRoot, env: { [variable]: value }, allowFailure: true });
  return { exitCode: ended.exitCode, output: `${ended.stdout}\n${ended.stderr}`, value };
}

export function refusesToStart(start: Start, variable: string): Finding[] {
  const source = `npm run suite with ${variable} set`;
  return [
    compare('exit code', '3', String(start.exitCode), source),
    compare('the message names the variable', 'yes', start.output.includes(variable) ? 'yes' : 'no', source),
    compare('the message shows the value', 'no', start.output.includes(start.value) ? 'yes' : 'no', source),
  ];
}

const proof = z.object({
  lines: z.array(
    z.object({ subject: z.string(), part: z.enum(['whole', 'broken', 'plays']), holds: z.boolean(), seen: z.string() }),
  ),
  summary: z.string(),
});
export type BoundaryProof = z.infer<typeof proof>;

/** True where a network namespace can be made. */
export function canProve(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** Runs the proof rig: every known way to production, in a network namespace without a route out. */
export async function proveInRig(): Promise<BoundaryProof> {
  const ended = await run('node', ['-r', 'ts-node/register', 'test/isolation/no-route.ts', '--json'], {
    cwd: projectRoot,
    timeoutMs: 300_000,
    allowFailure: true,
  });
  return proof.parse(JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? ''));
}

/** The findings of one part of the proof. None at all is no proof. */
export function proved(all: BoundaryProof, part: BoundaryProof['lines'][number]['part']): Finding[] {
  const findings = all.lines
    .filter((line) => line.part === part)
    .map((line): Finding => ({
      subject: line.subject,
      status: line.holds ? 'met' : 'unmet',
      expected: 'holds',
      actual: line.seen,
      source: 'npm run isolation',
    }));
  return findings.length > 0
    ? findings
    : [
        {
          subject: part,
          status: 'unknown',
          expected: 'at least one attempt',
          actual: 'none',
          source: 'npm run isolation',
        },
      ];
}
