import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../../failure';
import { readInventory } from '../../inventory';
import { projectRoot } from '../../paths';

const labInventory = join(projectRoot, 'sandbox', 'inventory', 'sandbox', 'hosts.yml');
const secrets = join(homedir(), '.arcodange', 'sandbox');

/** Variables of the lab's inventory that a configuration says instead. */
const fromConfiguration = [
  'endpoints',
  'lab_domain',
  'operator_address',
  'network_cidr',
  'pod_cidr',
  'service_cidr',
  'cluster_dns',
  'sandbox_home',
  'state_bucket',
  'backup_bucket',
  'gitea_org',
  'ansible_user',
  'ansible_ssh_private_key_file',
  'ansible_ssh_common_args',
];

const inventoryShape = z.object({ all: z.object({ vars: z.record(z.string(), z.unknown()) }).loose() });

/** Configuration and inventory that describe the lab's machines from outside, as a stranger's: addresses, files, commands. */
export function describeLab(target: 'vms' | 'k3d'): { configuration: string; inventory: string } {
  if (!existsSync(join(secrets, 'kubeconfig'))) {
    throw new OperatorError({
      attempted: 'describe the lab',
      where: secrets,
      expected: 'a lab that is up',
      seen: 'no kubeconfig',
      next: 'run `npm run lab -- up` first.',
    });
  }
  const lab = readInventory(labInventory);
  const document = inventoryShape.parse(parse(readFileSync(labInventory, 'utf8')));
  const vars = Object.fromEntries(
    Object.entries(document.all.vars).filter(([name]) => !fromConfiguration.includes(name)),
  );
  const {
    kubernetes: _,
    vault,
    argocd,
    gitea,
    registry,
    bucket,
    postgres,
    pgbouncer,
    ...others
  } = lab.endpoints as Record<string, string> & typeof lab.endpoints;
  const common = {
    network: {
      machines: lab.networkCidr,
      pods: lab.podCidr,
      services: lab.serviceCidr,
      dns: lab.clusterDns,
      operator: lab.operatorAddress,
      domain: lab.domain,
    },
    inventory: 'sandbox.inventory.yaml',
    kubernetes: { kubeconfig: join(secrets, 'kubeconfig'), context: 'sandbox' },
    vault: { address: vault, keys: join(secrets, 'cluster-keys.json') },
    postgres: { address: postgres, pgbouncer, credentials: join(secrets, 'postgres-admin.json') },
    gitea: { address: gitea, credentials: join(secrets, 'gitea-admin.json'), organisation: lab.giteaOrg },
    argocd: { address: argocd },
    bucket: { address: bucket, states: lab.stateBucket, backups: lab.backupBucket },
    registry: { address: registry },
    ...(Object.keys(others).length === 0 ? {} : { endpoints: others }),
    secrets,
    deviations: join(projectRoot, 'sandbox', 'deviations', 'embedded.yml'),
  };
  const own =
    target === 'vms'
      ? {
          ssh: {
            user: 'root',
            key: join(secrets, 'ssh', 'id_ed25519'),
            known_hosts: join(secrets, 'ssh', 'known_hosts'),
          },
          power: Object.fromEntries(
            ['on', 'off', 'cut'].map((how) => [how, `npm run --silent lab -- power ${how} {machine}`]),
          ),
        }
      : { k3d: { cluster: 'sandbox', containers: { postgres: 'sandbox-postgres', gitea: 'sandbox-gitea' } } };
  return {
    configuration: stringify({ target, ...common, ...own }),
    inventory: stringify({ ...document, all: { ...document.all, vars } }),
  };
}
