import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { z } from 'zod';
import type { BucketClient } from '../backups/client';
import { childEnvironment } from '../command';
import { compare, type Finding } from '../finding';
import type { Inventory } from '../inventory';
import { sandboxSecrets, secretPath } from '../paths';
import type { PostgresClient } from '../postgres/client';
import type { Target } from '../target';
import type { VaultClient } from '../vault/client';
import { judge, type Subject } from '.';
import { judgeRenderedInventory } from './ansible';
import type { Verdict } from './verdict';

/** The prefix below which every OpenTofu state of the sandbox lies (seed 000: sandbox state prefixes). */
const statePrefix = 'sandbox/';

/** What the edge of the target's network has counted on its way out: nothing, or the sandbox is not shut in. */
export async function probeEdge(target: Target): Promise<Finding[]> {
  const counted = await target.packetsLeaving();
  const source = "the counters of the lab's edge";
  if (counted === undefined) {
    return [
      {
        subject: 'packets leaving',
        status: 'unknown',
        expected: '0',
        actual: 'not counted',
        source,
        hint: `target ${target.name} has no edge of its own`,
      },
    ];
  }
  return Object.entries(counted).map(([way, packets]) => compare(`packets ${way}`, '0', String(packets), source));
}

/** Whether every state object of OpenTofu lies under the sandbox's prefix. An empty bucket proves nothing. */
export async function probeStatePrefixes(states: BucketClient): Promise<Finding> {
  const names = (await states.list()).map(({ name }) => name);
  const stray = names.filter((name) => !name.startsWith(statePrefix));
  return {
    subject: `states in bucket ${states.bucket}`,
    status: names.length === 0 ? 'unknown' : stray.length === 0 ? 'met' : 'unmet',
    expected: `every object below ${statePrefix}`,
    actual:
      names.length === 0
        ? 'no state at all'
        : stray.length === 0
          ? `${names.length} objects, all below it`
          : `outside of it: ${stray.join(', ')}`,
    source: `${states.endpoint}/storage/v1/b/${states.bucket}/o`,
  };
}

/** Vault answers at the sandbox's own address to the sandbox's own root token, and its key file is the operator's alone. */
export async function probeOwnVault(vault: VaultClient): Promise<Finding[]> {
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  const file = secretPath('cluster-keys.json');
  const self = await vault.read('auth/token/lookup-self', z.object({ policies: z.array(z.string()) }).loose());
  return [
    asFinding(vault.endpoint, judge(vault.endpoint), 'address of Vault'),
    compare(
      'token of the key file',
      'root',
      self?.policies.join(' ') ?? 'unknown to this Vault',
      'auth/token/lookup-self',
    ),
    compare(`mode of ${file}`, '600', mode(file), 'stat'),
    compare(`mode of ${sandboxSecrets}`, '700', mode(sandboxSecrets), 'stat'),
  ];
}

/** The address Postgres itself says it is connected at, not the one it was asked for. */
export async function probeOwnPostgres(postgres: PostgresClient): Promise<Finding> {
  const query = 'select host(inet_server_addr()) as address';
  const rows = await postgres.rows('postgres', query, [], z.object({ address: z.string() }));
  const address = rows[0]?.address ?? '';
  return asFinding(query, judge(address), `address of Postgres, ${address}`);
}

/** Everything the suite takes addresses from: inventory as written and as Ansible reads it, kubeconfig, environment, ssh. */
export async function probeDocuments(inventory: Inventory, ansibleBin: string): Promise<Finding[]> {
  const documents: [string, Subject][] = [
    [inventory.file, { inventory: readFileSync(inventory.file, 'utf8'), name: inventory.file }],
    [secretPath('kubeconfig'), { kubeconfig: readFileSync(secretPath('kubeconfig'), 'utf8') }],
    ['environment of every child process', { environment: childEnvironment() }],
  ];
  const rendered = await judgeRenderedInventory(ansibleBin, inventory.file, { HOME: homedir() });
  return [
    ...documents.map(([name, subject]) => asFinding(name, judge(subject), name)),
    asFinding('ansible-inventory --list', rendered, `${inventory.file} with its group and host variables`),
  ];
}

function asFinding(source: string, verdict: Verdict, subject: string): Finding {
  return {
    subject,
    status: verdict.allowed ? 'met' : 'unmet',
    expected: "the sandbox's own",
    actual: verdict.allowed ? verdict.reason : `${verdict.subject}: ${verdict.reason} (${verdict.kind})`,
    source,
  };
}
