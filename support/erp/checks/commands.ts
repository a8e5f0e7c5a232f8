import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../command';
import { compare, type Finding } from '../../finding';
import { projectRoot } from '../../paths';
import type { Session } from '../agent';
import type { InstanceName } from '../instances';

/** How `npm run erp` is started: Node.js's arguments. */
export const erpScript = ['-r', 'ts-node/register', '-r', './support/isolation/preload.ts', 'support/erp/main.ts'];

/** What a command left. */
interface Ended {
  exitCode: number;
  /** Standard output and standard error. */
  output: string;
}

/** Runs `npm run erp -- ...` as an operator does, on the instance that DOLIBARR_TARGET names. */
export async function erpCommand(args: readonly string[], instance: InstanceName, input?: string): Promise<Ended> {
  const { exitCode, stdout, stderr } = await run('node', [...erpScript, ...args], {
    cwd: projectRoot,
    allowFailure: true,
    env: { DOLIBARR_TARGET: instance },
    ...(input === undefined ? {} : { input }),
  });
  return { exitCode, output: `${stdout}\n${stderr}` };
}

const instances = ['prod', 'sandbox'] as const;
type OfEach<T> = Record<InstanceName, T>;

/** What `diff` says of either instance's snapshots before and after some work. */
export async function diffsAround(work: () => Promise<void>): Promise<OfEach<Ended>> {
  const folder = mkdtempSync(join(tmpdir(), 'snapshots-'));
  const file = (instance: InstanceName, when: string): string => join(folder, `${instance}-${when}.json`);
  const snapshots = async (when: string): Promise<void> => {
    for (const instance of instances) await erpCommand(['snapshot', '--out', file(instance, when)], instance);
  };
  const diff = (instance: InstanceName): Promise<Ended> =>
    erpCommand(['diff', file(instance, 'before'), file(instance, 'after')], instance);
  try {
    await snapshots('before');
    await work();
    await snapshots('after');
    return { prod: await diff('prod'), sandbox: await diff('sandbox') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the differences are what an agent did in the sandbox, and none in production. */
export function judgeDiffs({ prod, sandbox }: OfEach<Ended>, session: Session): Finding[] {
  const row = new RegExp(`invoices\\W+${session.invoice}\\W+added`);
  return [
    compare('`diff` of production', 'the same', prod.output.trim(), 'its output'),
    compare('its exit code', '0', String(prod.exitCode), '`npm run erp -- diff`'),
    compare(
      `invoice ${session.invoice} in \`diff\` of the sandbox`,
      'added',
      row.test(sandbox.output) ? 'added' : sandbox.output.slice(0, 400),
      'its output',
    ),
    compare('its exit code', '1', String(sandbox.exitCode), '`npm run erp -- diff`'),
  ];
}

/** Whether a command shows these words of either instance. */
export async function judgeCommand(command: string, words: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const instance of instances) {
    const { output } = await erpCommand([command], instance);
    const seen = output.includes(words) ? words : output.slice(0, 300);
    findings.push(compare(`\`npm run erp -- ${command}\` of ${instance}`, words, seen, 'its output'));
  }
  return findings;
}
