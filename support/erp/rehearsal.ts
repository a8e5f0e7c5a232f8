import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { childEnvironment } from '../command';
import { compare, type Finding } from '../finding';
import { projectRoot } from '../paths';
import { PostgresClient } from '../postgres/client';
import { answered } from '../product-error';
import type { Systems } from '../systems';
import { defineUndo } from '../undo';
import { connectSystems } from '../systems';
import { connectBackupBucket } from '../backups/client';
import { workAsAgent, type Session } from './agent';
import { connectSandboxErp } from './client';
import { readSecrets } from './credentials';
import { bearsProductionsId } from './fidelity';
import { listGoldens, takeGolden } from './golden';
import { sandbox } from './instances';
import { readMarker } from './reset/marker';
import { resetSandbox } from './reset/reset';

/** Brings a sandbox that a scenario left half-reset or in high fidelity back to a golden; does nothing to a whole one. */
export const wholeAgain = defineUndo({
  name: 'sandbox of the ERP is whole',
  args: z.object({ golden: z.string() }),
  needs: ['apps'],
  run: async ({ golden }) => {
    const systems = connectSystems();
    const changed = bearsProductionsId(await readSecrets(systems.vault, sandbox.instance));
    if ((await readMarker(systems)) === undefined && !changed) return;
    // A scenario's golden goes with the scenario; production holds the same.
    const there = (await listGoldens(connectBackupBucket(systems.inventory))).includes(golden);
    const from = there ? golden : (await takeGolden(systems, () => undefined)).name;
    await resetSandbox(systems, { from, say: () => undefined });
    if (!there) await removeGolden(systems, from);
  },
});

/** Brings the sandbox to what production holds now, for a scenario that wrote to it as it was. */
export const asProduction = defineUndo({
  name: 'sandbox of the ERP is as production',
  args: z.object({}),
  needs: ['apps'],
  run: async () => {
    const systems = connectSystems();
    const { name } = await takeGolden(systems, () => undefined);
    await resetSandbox(systems, { from: name, say: () => undefined });
    await removeGolden(systems, name);
  },
});

/** Resets a sandbox that was only installed: its agent may write after a first reset. Leaves any other as it is. */
export async function ensureWritable({ vault, kubernetes }: Systems): Promise<void> {
  const { ai_agent_api_key: key } = await readSecrets(vault, sandbox.instance);
  const erp = await connectSandboxErp(kubernetes, key);
  try {
    await erp.remove('thirdparties', 2147483647);
  } catch (thrown) {
    if (answered(thrown, '404')) return;
    if (!answered(thrown, '403')) throw thrown;
    await asProduction({}).run();
  }
}

/** Lets an agent work in the sandbox over its API, with its own key. */
export async function agentSession({ vault, kubernetes }: Systems): Promise<Session> {
  const secrets = await readSecrets(vault, sandbox.instance);
  return workAsAgent(await connectSandboxErp(kubernetes, secrets.ai_agent_api_key));
}

/** Removes a golden that was taken for a scenario. */
export const goldenGone = defineUndo({
  name: 'golden of a scenario is gone',
  args: z.object({ golden: z.string() }),
  needs: ['depot'],
  run: async ({ golden }) => {
    await removeGolden(connectSystems(), golden);
  },
});

/** Removes a golden from the bucket. */
export async function removeGolden({ inventory }: Systems, name: string): Promise<void> {
  const bucket = connectBackupBucket(inventory);
  await bucket.delete(`erp/golden/${name}.json`);
  await bucket.delete(`erp/golden/${name}.dump`);
}

const statement = 'GRANT "erp_sandbox_role" TO "{{name}}";';
const roleShape = z.object({ creation_statements: z.array(z.string()) }).loose();

/** Whether users leased for the sandbox become members of its role. */
export async function setMembership({ vault }: Systems, member: boolean): Promise<void> {
  const role = await vault.read(sandbox.credentialsRolePath, roleShape);
  const others = (role?.creation_statements ?? []).filter((one) => one !== statement);
  await vault.write(sandbox.credentialsRolePath, {
    ...role,
    creation_statements: member ? [...others, statement] : others,
  });
}

/** As `setMembership` with true; another run can do it as well. */
export const membersAgain = defineUndo({
  name: 'users leased for the sandbox are members of its role',
  args: z.object({}),
  needs: ['apps'],
  run: () => setMembership(connectSystems(), true),
});

/** Work that goes on until it is told to stop. */
export interface Ongoing {
  stop(): Promise<{ done: number; refused: number }>;
}

/**
 * Writes to the sandbox over its API, one request after another, until the reset cuts it off: what it would write to the ERP that
 * serves again would be new, not left over. @throws OperatorError when the first write is refused already.
 */
export async function writeWithoutPause(systems: Systems): Promise<Ongoing> {
  const secrets = await readSecrets(systems.vault, sandbox.instance);
  const erp = await connectSandboxErp(systems.kubernetes, secrets.ai_agent_api_key);
  let going = true;
  await erp.create('thirdparties', { name: 'Unter der Hand 0' });
  const counts = { done: 1, refused: 0 };
  const work = (async () => {
    for (let number = 1; going; number += 1) {
      const written = await erp.create('thirdparties', { name: `Unter der Hand ${number}` }).then(
        () => true,
        () => false,
      );
      counts[written ? 'done' : 'refused'] += 1;
      going &&= written;
    }
  })();
  return {
    stop: async () => {
      going = false;
      await work;
      return counts;
    },
  };
}

/** Opens connections to the sandbox's database that do nothing, as two leased users. */
export async function keepConnected(systems: Systems): Promise<Ongoing> {
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (release = resolve));
  const opened: Promise<void>[] = [];
  const held: Promise<void>[] = [];
  for (const address of [systems.inventory.endpoints.postgres, systems.inventory.endpoints.pgbouncer]) {
    const lease = await systems.vault.leaseCredentials(sandbox.credentialsPath);
    let ready: () => void = () => undefined;
    opened.push(new Promise<void>((resolve) => (ready = resolve)));
    held.push(
      new PostgresClient(address, lease)
        .connected(sandbox.instance, async (connection) => {
          await connection.execute(`set role "${sandbox.ownerRole}"; select count(*) from llx_societe`);
          ready();
          await until;
        })
        .finally(() => systems.vault.write('sys/leases/revoke', { lease_id: lease.leaseId, sync: true })),
    );
  }
  await Promise.race([Promise.all(opened), Promise.all(held)]);
  return {
    stop: async () => {
      release();
      await Promise.all(held);
      return { done: held.length, refused: 0 };
    },
  };
}

const nodeArguments = [
  '-r',
  'ts-node/register',
  '-r',
  join(projectRoot, 'support', 'isolation', 'preload.ts'),
  join(projectRoot, 'support', 'erp', 'reset', 'main.ts'),
];

/**
 * Runs the reset as its command, in a process of its own.
 * @param killAt the line after which it is killed, if at all.
 */
export async function resetCommand(options: {
  args: readonly string[];
  killAt?: string;
  environment?: Record<string, string>;
}): Promise<{ code: number | null; output: string }> {
  const child = spawn('node', [...nodeArguments, ...options.args], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...childEnvironment(), ...options.environment },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      // With its children: a power cut would not leave pg_restore alive either.
      if (options.killAt !== undefined && line.endsWith(` ${options.killAt}`) && child.pid !== undefined) {
        process.kill(-child.pid, 'SIGKILL');
      }
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output: lines.join('\n') };
}

/** Whether the status command calls the sandbox whole, stopped or half-reset, and says with which command to go on if need be. */
export async function probeStatus(left: string): Promise<Finding[]> {
  const { code, output } = await resetCommand({ args: ['--status'] });
  const says =
    /^(half-reset|stopped)/m.exec(output)?.[1] ?? (output.includes('is whole') ? 'whole' : output.slice(-300));
  const source = '`npm run reset -- --status`';
  const whole = left === 'whole';
  const next = output.includes('Go on with `npm run reset`') ? 'said' : 'not said';
  return [
    compare('the sandbox', left, says, source),
    compare('how to go on', whole ? 'not said' : 'said', next, source),
    compare('its exit code', whole ? '0' : '1', String(code), source),
  ];
}
