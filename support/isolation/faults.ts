import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { run } from '../command';
import type { Fault, FaultContext } from '../fault';
import { inventoryFile, secretPath } from '../paths';
import { production } from './policy';

// What is planted only ever names production or carries a made-up credential. Nothing here sends anything to it.

/** A state that a root without the sandbox's prefix would write. */
export const stateOutsidePrefix: Fault = {
  name: 'state-outside-prefix',
  breaks: 'A state of OpenTofu lies where production keeps it.',
  plant: ({ systems }) => systems.states.put(strayState, Buffer.from('{}')),
  heal: ({ systems }) => systems.states.delete(strayState),
};
const strayState = 'erp/main/planted.tfstate';

const planted = 'kvv2/data/planted/config';

/** Production's token for its public zone, copied into the sandbox's Vault. */
export const credentialInVault: Fault = {
  name: 'credential-in-vault',
  breaks: 'A Cloudflare token lies in the sandbox’s Vault.',
  plant: ({ systems }) => systems.vault.write(planted, { data: { CLOUDFLARE_API_TOKEN: 'made up' } }),
  heal: ({ systems }) => systems.vault.delete(planted.replace('/data/', '/metadata/')),
};

const pidFile = '/run/planted-credential.pid';

/** A process on a machine that was started from the operator's everyday shell. */
export const credentialOnMachine: Fault = {
  name: 'credential-on-machine',
  breaks: 'A process of a machine has an OVH secret in its environment.',
  plant: (context) =>
    onFirstMachine(context, `OVH_APPLICATION_SECRET=made-up setsid sleep 3600 >/dev/null 2>&1 & echo $! >${pidFile}`),
  heal: (context) =>
    onFirstMachine(context, `if [ -f ${pidFile} ]; then kill "$(cat ${pidFile})"; rm -f ${pidFile}; fi; true`),
};

const keyFile = secretPath('cluster-keys.json');

/** Vault's keys, readable by everyone on the operator's machine. */
export const keyFileReadable: Fault = {
  name: 'key-file-readable',
  breaks: 'The key file of the sandbox’s Vault can be read by others.',
  plant: () => Promise.resolve(chmodSync(keyFile, 0o644)),
  heal: () => Promise.resolve(existsSync(keyFile) ? chmodSync(keyFile, 0o600) : undefined),
};

const kubeconfigFile = secretPath('kubeconfig');
const strayCluster = 'planted-production';
const kubeconfigShape = z.object({ clusters: z.array(z.object({ name: z.string() }).loose()) }).loose();

/** A second cluster in the kubeconfig: one `use-context` away from production. */
export const productionInKubeconfig: Fault = {
  name: 'production-in-kubeconfig',
  breaks: 'The sandbox’s kubeconfig knows production’s cluster as well.',
  plant: () => rewriteKubeconfig([{ name: strayCluster, cluster: { server: `https://${production.first}:6443` } }]),
  heal: () => rewriteKubeconfig([]),
};

/** Without a kubeconfig there is nothing to mend. */
function rewriteKubeconfig(more: { name: string; cluster: { server: string } }[]): Promise<void> {
  if (!existsSync(kubeconfigFile)) return Promise.resolve();
  const config = kubeconfigShape.parse(parse(readFileSync(kubeconfigFile, 'utf8')));
  const clusters = [...config.clusters.filter(({ name }) => name !== strayCluster), ...more];
  writeFileSync(kubeconfigFile, stringify({ ...config, clusters }), { mode: 0o600 });
  return Promise.resolve();
}

const groupVariables = join(dirname(inventoryFile), 'group_vars', 'all', 'planted.yml');

/** A group variable beside the inventory, where a look at hosts.yml does not find it. */
export const productionInInventory: Fault = {
  name: 'production-in-inventory',
  breaks: 'A group variable of the inventory holds the address of production’s Postgres.',
  plant: () => {
    mkdirSync(dirname(groupVariables), { recursive: true });
    return Promise.resolve(writeFileSync(groupVariables, `postgres_host: ${production.first}\n`));
  },
  heal: () => {
    rmSync(groupVariables, { force: true });
    for (const folder of [dirname(groupVariables), dirname(dirname(groupVariables))]) {
      if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
    }
    return Promise.resolve();
  },
};

/** RFC 5737: an address that is nobody's. */
const nowhere = '203.0.113.0/24';
/** The lab's own table of nftables (sandbox/machines/layout.ts). */
const edgeTable = 'sandbox_lab';

/** A machine that tries to get out. The edge drops it on the lab's own bridge. */
export const packetOut: Fault = {
  name: 'packet-out',
  breaks: 'A machine sends a packet to an address outside the sandbox.',
  plant: async (context) => {
    // Throws when there is no edge: without one the packet would leave. The address is put together on the machine, or the
    // first line would refuse the command.
    await context.target.packetsLeaving();
    const gateway = context.target.inventory.operatorAddress;
    await onFirstMachine(
      context,
      `ip route replace ${nowhere} via ${gateway}; ping -c1 -W1 $(printf 203.0.113.%d 1) >/dev/null; true`,
    );
  },
  heal: async (context) => {
    await onFirstMachine(context, `ip route del ${nowhere} 2>/dev/null; true`);
    await run('nft', ['reset', 'counters', 'table', 'inet', edgeTable]);
  },
};

async function onFirstMachine({ target }: FaultContext, script: string): Promise<void> {
  const [machine] = target.inventory.machines;
  if (machine !== undefined) await target.onMachine(machine.name, [script]);
}
