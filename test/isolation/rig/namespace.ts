import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../../../support/command';
import { productionAddresses } from '../../../support/isolation';
import { rigInterface, rigPeer } from '../../../support/isolation/rig';

/** A name that /etc/hosts of the rig gives to a production machine. */
export const plantedHostsName = 'erp-planted.arcodange.lab';
/** A name whose name server answers first with this machine, then with a production machine. */
export const rebindingName = 'erp-rebinding.arcodange.lab';

const table = 'rig';

/**
 * Makes the namespace this process was started in (with `unshare --net --mount`) into the rig: an interface that owns
 * the production addresses, no route out, a counter on every packet towards production, planted names.
 * @returns how the interface was made.
 */
export async function makeRig(): Promise<'dummy' | 'veth'> {
  await run('ip', ['link', 'set', 'lo', 'up']);
  const dummy = await run('ip', ['link', 'add', rigInterface, 'type', 'dummy'], { allowFailure: true });
  if (dummy.exitCode !== 0) {
    await run('ip', ['link', 'add', rigInterface, 'type', 'veth', 'peer', 'name', rigPeer]);
    await run('ip', ['link', 'set', rigPeer, 'up']);
  }
  for (const address of productionAddresses) await run('ip', ['address', 'add', `${address}/32`, 'dev', rigInterface]);
  await run('ip', ['link', 'set', rigInterface, 'up']);
  const range = `${productionAddresses[0] ?? ''}-${productionAddresses.at(-1) ?? ''}`;
  await run('nft', ['-f', '-'], {
    input: `table inet ${table} {\n chain out {\n  type filter hook output priority 0; policy accept;\n  ip daddr ${range} counter\n }\n}\n`,
  });
  await plantFiles();
  return dummy.exitCode === 0 ? 'dummy' : 'veth';
}

/** /etc/hosts and /etc/resolv.conf of this mount namespace only. */
async function plantFiles(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rig-'));
  const plant = async (target: string, text: string): Promise<void> => {
    const file = join(folder, target.replace(/\//g, '_'));
    writeFileSync(file, text);
    await run('mount', ['--bind', file, target]);
  };
  await plant('/etc/hosts', `127.0.0.1 localhost\n${productionAddresses[0] ?? ''} ${plantedHostsName}\n`);
  await plant('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
}

const ruleset = z.object({
  nftables: z.array(
    z
      .object({
        rule: z
          .object({ expr: z.array(z.object({ counter: z.object({ packets: z.number() }).optional() }).loose()) })
          .loose()
          .optional(),
      })
      .loose(),
  ),
});

/** Packets sent towards production since the rig was made, by any process in it. */
export async function packetsTowardsProduction(): Promise<number> {
  const listed = await run('nft', ['-j', 'list', 'table', 'inet', table]);
  const rules = ruleset.parse(JSON.parse(listed.stdout)).nftables.flatMap((entry) => entry.rule?.expr ?? []);
  return rules.reduce((sum, expression) => sum + (expression.counter?.packets ?? 0), 0);
}

/** True when no route of this namespace leads through a gateway: nothing sent here can leave. */
export function hasNoWayOut(): boolean {
  const lines = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  return lines.every((line) => line.split('\t')[2] === '00000000');
}
