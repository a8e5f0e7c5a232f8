import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { OperatorError, reason } from '../failure';
import type { ReadConfiguration } from './read';
import type { Configuration } from './shape';

const inventoryShape = z.object({
  all: z.object({ vars: z.record(z.string(), z.unknown()).nullish() }).loose(),
});
const kubeconfigShape = z.object({
  'current-context': z.string().optional(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }).loose() }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({ server: z.string(), 'certificate-authority-data': z.string().optional() }).loose(),
    }),
  ),
});

/** The cluster a kubeconfig's current context leads to. */
export interface ClusterAccess {
  context: string;
  cluster: string;
  user: string;
  server: string;
  /** The CA's certificate in base64: another cluster has another one. */
  authority: string;
}

/**
 * Reads a kubeconfig without using it.
 * @throws OperatorError when it cannot be read or has no usable current context.
 */
export function readClusterAccess(kubeconfig: string): ClusterAccess {
  try {
    const { contexts, clusters, ...rest } = kubeconfigShape.parse(parse(readFileSync(kubeconfig, 'utf8')));
    const current = contexts.find(({ name }) => name === rest['current-context']);
    const cluster = clusters.find(({ name }) => name === current?.context.cluster);
    if (current === undefined || cluster === undefined) throw new Error('its current context names no cluster in it');
    return {
      context: current.name,
      cluster: cluster.name,
      user: current.context.user,
      server: cluster.cluster.server,
      authority: cluster.cluster['certificate-authority-data'] ?? '',
    };
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the kubeconfig',
      where: kubeconfig,
      expected: 'a kubeconfig with a current context',
      seen: thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll('\n', ' ') : reason(thrown),
      next: 'write it with `kubectl config view --minify --flatten --context=NAME > FILE` and name that file.',
      exitCode: 2,
    });
  }
}

/**
 * The target's inventory: the operator's own with the variables of the configuration laid over it, so that Ansible and the
 * suite read one file. Group and host variables beside the operator's file stay in force.
 * @param file where it is written; not touched when it says the same already.
 * @throws OperatorError naming the file that is wrong.
 */
export function composeInventory(read: ReadConfiguration, file: string): void {
  const { configuration } = read;
  const own = readOwn(configuration.inventory);
  const text = `# Written from ${read.file} and ${configuration.inventory}: change those.\n${stringify({
    ...own,
    all: { ...own.all, vars: { ...own.all.vars, ...variables(configuration, own.all.vars ?? {}) } },
  })}`;
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['group_vars', 'host_vars']) {
    const [own, linked] = [join(dirname(configuration.inventory), name), join(folder, name)];
    if (lstatSync(linked, { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(linked);
    if (existsSync(own) && !existsSync(linked)) symlinkSync(own, linked);
  }
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

function readOwn(file: string): z.infer<typeof inventoryShape> {
  try {
    return inventoryShape.parse(parse(readFileSync(file, 'utf8')));
  } catch (thrown) {
    throw new OperatorError({
      attempted: 'read the inventory',
      where: file,
      expected: 'an Ansible inventory in YAML with the group `all`',
      seen: thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll('\n', ' ') : reason(thrown),
      next: 'correct that file (`ansible-inventory -i FILE --list --yaml` turns an INI inventory into YAML).',
      exitCode: 2,
    });
  }
}

/** What the suite and the playbooks read out of `all.vars`. */
function variables(given: Configuration, own: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { network, bucket } = given;
  const ssh = given.target === 'vms' ? given.ssh : undefined;
  return {
    lab_domain: network.domain,
    operator_address: network.operator,
    network_cidr: network.machines,
    pod_cidr: network.pods,
    service_cidr: network.services,
    cluster_dns: network.dns,
    name_server: network.name_server ?? own['name_server'] ?? network.dns,
    sandbox_home: given.secrets,
    endpoints: {
      // Where nothing is said: by its name in the sandbox's domain.
      ca: `https://ca.${network.domain}`,
      ingress: `https://ingress.${network.domain}`,
      ...z.record(z.string(), z.string()).catch({}).parse(own['endpoints']),
      ...(given.ca?.address === undefined ? {} : { ca: given.ca.address }),
      ...(given.ingress === undefined ? {} : { ingress: given.ingress.address }),
      kubernetes: readClusterAccess(given.kubernetes.kubeconfig).server,
      vault: given.vault.address,
      argocd: given.argocd.address,
      gitea: given.gitea.address,
      registry: given.registry?.address ?? given.gitea.address,
      bucket: bucket.address,
      postgres: given.postgres.address,
      pgbouncer: given.postgres.pgbouncer,
      ...given.endpoints,
    },
    state_bucket: bucket.states,
    backup_bucket: bucket.backups,
    gitea_org: given.gitea.organisation,
    ...(ssh === undefined
      ? {}
      : {
          ansible_user: ssh.user,
          ansible_become: ssh.user !== 'root',
          ansible_ssh_private_key_file: ssh.key,
          ansible_ssh_common_args: `-o UserKnownHostsFile=${ssh.known_hosts} -o StrictHostKeyChecking=yes`,
        }),
  };
}
