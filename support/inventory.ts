import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { composeInventory } from './configuration/inventory';
import { chosenConfiguration } from './configuration/read';
import { OperatorError, reason } from './failure';
import { inventoryFile } from './paths';

const hostVars = z
  .object({
    ansible_host: z.string().optional(),
    ansible_port: z.coerce.number().int().optional(),
    pod_subnet: z.string().optional(),
  })
  .nullable();
const group: z.ZodType<Group> = z.lazy(() =>
  z
    .object({
      hosts: z.record(z.string(), hostVars).optional(),
      children: z.record(z.string(), group.nullable()).optional(),
    })
    .loose(),
);
interface Group {
  hosts?: Record<string, z.infer<typeof hostVars>> | undefined;
  children?: Record<string, Group | null> | undefined;
}

const endpointsShape = z.object({
  kubernetes: z.url(),
  vault: z.url(),
  argocd: z.url(),
  gitea: z.url(),
  registry: z.url(),
  bucket: z.url(),
  postgres: z.string().regex(/^[\w.-]+:\d+$/),
  pgbouncer: z.string().regex(/^[\w.-]+:\d+$/),
  ca: z.url(),
  ingress: z.url(),
});

const shape = z.object({
  all: z.object({
    vars: z
      .object({
        lab_domain: z.string(),
        operator_address: z.string(),
        network_cidr: z.string(),
        pod_cidr: z.string(),
        service_cidr: z.string(),
        cluster_dns: z.string(),
        name_server: z.string(),
        endpoints: endpointsShape,
        state_bucket: z.string(),
        backup_bucket: z.string(),
        gitea_org: z.string(),
      })
      .loose(),
    children: z.record(z.string(), group),
  }),
});

/** A machine of the inventory. */
export interface Machine {
  name: string;
  address: string;
  /** Port of its SSH service, where it is not 22 (Vagrant forwards one of this machine). */
  port?: number;
  podSubnet?: string;
  groups: string[];
}

/** The inventory, read once and checked: machines, groups, addresses, endpoints. */
export interface Inventory {
  file: string;
  machines: Machine[];
  domain: string;
  operatorAddress: string;
  networkCidr: string;
  podCidr: string;
  serviceCidr: string;
  clusterDns: string;
  /** Answers for the lab's domain: the ingress for every name but a few. */
  nameServer: string;
  endpoints: z.infer<typeof endpointsShape>;
  stateBucket: string;
  backupBucket: string;
  giteaOrg: string;
}

/**
 * Reads an Ansible inventory in YAML: that of the target in use, unless another file is named.
 * @throws OperatorError naming the file and the first thing wrong with it.
 */
export function readInventory(file: string = ownInventory()): Inventory {
  let parsed: z.infer<typeof shape>;
  try {
    parsed = shape.parse(parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    const seen =
      thrown instanceof z.ZodError
        ? thrown.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ')
        : reason(thrown);
    throw new OperatorError({
      attempted: 'read the inventory',
      where: file,
      expected: 'an Ansible inventory in YAML with the sandbox vars',
      seen,
      next: 'correct that file and run the same command again.',
      exitCode: 2,
      cause: thrown,
    });
  }
  const machines = new Map<string, Machine>();
  const visit = (name: string, node: Group, above: string[]): void => {
    const groups = [...above, name];
    for (const [host, vars] of Object.entries(node.hosts ?? {})) {
      const known = machines.get(host) ?? { name: host, address: '', groups: [] };
      machines.set(host, {
        ...known,
        address: vars?.ansible_host ?? known.address,
        ...(vars?.ansible_port ? { port: vars.ansible_port } : {}),
        ...(vars?.pod_subnet ? { podSubnet: vars.pod_subnet } : {}),
        groups: [...new Set([...known.groups, ...groups])],
      });
    }
    for (const [child, below] of Object.entries(node.children ?? {})) if (below) visit(child, below, groups);
  };
  for (const [name, node] of Object.entries(parsed.all.children)) visit(name, node, []);
  for (const machine of machines.values()) {
    if (!machine.address)
      throw new OperatorError({
        attempted: 'read the inventory',
        where: file,
        expected: `ansible_host for ${machine.name}`,
        seen: 'none',
        next: `give ${machine.name} an ansible_host in that file.`,
        exitCode: 2,
      });
  }
  const vars = parsed.all.vars;
  return {
    file,
    machines: [...machines.values()],
    domain: vars.lab_domain,
    operatorAddress: vars.operator_address,
    networkCidr: vars.network_cidr,
    podCidr: vars.pod_cidr,
    serviceCidr: vars.service_cidr,
    clusterDns: vars.cluster_dns,
    nameServer: vars.name_server,
    endpoints: vars.endpoints,
    stateBucket: vars.state_bucket,
    backupBucket: vars.backup_bucket,
    giteaOrg: vars.gitea_org,
  };
}

/** The inventory of the target in use, composed anew from its configuration where it has one. */
function ownInventory(): string {
  const chosen = chosenConfiguration();
  if (chosen === undefined) return inventoryFile;
  if ('failure' in chosen) throw chosen.failure;
  composeInventory(chosen.read, inventoryFile);
  return inventoryFile;
}

/** The machines that are cluster nodes, in inventory order. */
export function clusterMachines(inventory: Inventory): Machine[] {
  return inventory.machines.filter((machine) => machine.groups.includes('cluster'));
}
