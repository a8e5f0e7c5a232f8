import { BlockList } from 'node:net';
import { z } from 'zod';
import { run, type CommandResult } from '../command';
import type { K3dConfiguration } from '../configuration/shape';
import { OperatorError, reason } from '../failure';
import type { Finding } from '../finding';
import { ConfiguredTargetBase, configurationOf } from './configured/base';
import type { Mirrors } from './configured/image';
import { machineNamed } from './configured/power';
import { notCapable, type Capability, type Part, type PowerAction } from './target';

/** `k3d cluster list NAME -o json` (k3d v5): what this target reads of it. */
const clustersShape = z.array(
  z.object({
    name: z.string(),
    nodes: z.array(
      z.object({
        name: z.string(),
        role: z.string(),
        image: z.string().optional(),
        State: z.object({ Running: z.boolean(), Status: z.string().optional() }),
      }),
    ),
  }),
);
/** `docker inspect CONTAINER...`: what this target reads of it. */
const containersShape = z.array(
  z.object({
    Name: z.string(),
    State: z.object({ Running: z.boolean(), Status: z.string() }),
    Config: z.object({ Image: z.string() }),
    NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
  }),
);

type Cluster = z.infer<typeof clustersShape>[number];
type Container = z.infer<typeof containersShape>[number];

/**
 * One k3s node in a container, Postgres and Gitea in containers beside it: the fast inner loop. It has no machines that
 * could be reached, switched or lost, so whatever is about these is skipped as what this target cannot do.
 */
export class K3dTarget extends ConfiguredTargetBase<K3dConfiguration> {
  readonly name = 'k3d';
  readonly capabilities: ReadonlySet<Capability> = new Set();

  constructor(read = configurationOf('k3d')) {
    super(read);
  }

  protected async machinesReady(): Promise<Finding> {
    const { cluster, containers } = this.configuration.k3d;
    const found = await this.cluster();
    const beside = await this.containers(Object.values(containers));
    const stopped = [
      ...found.nodes.filter(({ State }) => !State.Running).map(({ name }) => name),
      ...beside.filter(({ State }) => !State.Running).map(({ Name }) => Name.replace(/^\//, '')),
    ];
    const outside = this.outside(beside);
    const running = [...found.nodes.map(({ name }) => name), ...Object.values(containers)].join(', ');
    return {
      subject: `containers of k3d cluster ${cluster}`,
      status: stopped.length === 0 && outside.length === 0 ? 'met' : 'unmet',
      expected: 'all running, in the networks of the configuration',
      actual: [
        ...(stopped.length > 0 ? [`not running: ${stopped.join(', ')}`] : []),
        ...(outside.length > 0 ? [`outside of the networks: ${outside.join(', ')}`] : []),
        ...(stopped.length + outside.length === 0 ? [`${running} run`] : []),
      ].join('; '),
      source: `k3d cluster list ${cluster} -o json, docker inspect`,
      hint: `run \`k3d cluster start ${cluster}\` and \`docker start ${Object.values(containers).join(' ')}\`.`,
    };
  }

  /** The cluster as k3d knows it. @throws OperatorError when k3d does not know it. */
  private async cluster(): Promise<Cluster> {
    const { cluster } = this.configuration.k3d;
    const printed = await this.tool('k3d', ['cluster', 'list', cluster, '-o', 'json']);
    const found = clustersShape.parse(JSON.parse(printed.stdout)).find(({ name }) => name === cluster);
    if (found !== undefined) return found;
    throw new OperatorError({
      attempted: 'find the k3d cluster',
      where: cluster,
      seen: 'k3d does not list it',
      next: '`npm run target -- init k3d` prints the command that makes it.',
    });
  }

  private async containers(names: readonly string[]): Promise<Container[]> {
    const printed = await this.tool('docker', ['inspect', ...names]);
    return containersShape.parse(JSON.parse(printed.stdout));
  }

  /** Addresses of containers that lie outside of the sandbox's network. */
  private outside(containers: readonly Container[]): string[] {
    const own = new BlockList();
    const [address = '', bits = ''] = this.configuration.network.machines.split('/');
    own.addSubnet(address, Number(bits), 'ipv4');
    return containers.flatMap(({ Name, NetworkSettings }) =>
      Object.values(NetworkSettings.Networks)
        .filter(({ IPAddress }) => IPAddress !== '' && !own.check(IPAddress, 'ipv4'))
        .map(({ IPAddress }) => `${Name.replace(/^\//, '')} at ${IPAddress}`),
    );
  }

  private async tool(file: 'k3d' | 'docker', args: readonly string[]): Promise<CommandResult> {
    try {
      return await run(file, args, { timeoutMs: 30_000 });
    } catch (thrown) {
      const next =
        file === 'k3d'
          ? 'install k3d (https://k3d.io) and make the cluster as `npm run target -- init k3d` prints it.'
          : 'start Docker (or Podman with its docker command), and the containers of the configuration.';
      throw new OperatorError({ attempted: `ask ${file}`, seen: reason(thrown), next, cause: thrown });
    }
  }

  /** The node's image must be of the version that the API server says of itself: k3s tags v1.34.3+k3s1 as v1.34.3-k3s1. */
  override async parts(): Promise<Part[]> {
    const [parts, { nodes }] = await Promise.all([super.parts(), this.cluster()]);
    const image = nodes.find(({ role }) => role === 'server')?.image ?? 'unknown';
    return parts.map((part) => {
      if (part.name === 'machines') {
        return { ...part, provenance: 'stand-in', version: image, basis: 'containers of k3d, not machines' };
      }
      if (part.name !== 'k3s') return part;
      const same = image.replace(/^docker\.io\//, '') === `rancher/k3s:${part.version.replace('+', '-')}`;
      const basis = `${part.basis ?? ''}; node image ${image}`;
      return same ? { ...part, basis } : { ...part, provenance: 'unknown', basis: `${basis} is not of that version` };
    });
  }

  /** k3d writes mirrors into the node; without a look inside, no image name is proven. */
  protected mirrors(): Promise<Mirrors> {
    return Promise.resolve(undefined);
  }

  power(machine: string | readonly string[], action: PowerAction): Promise<void> {
    for (const name of [machine].flat()) machineNamed(this.inventory.machines, name);
    return Promise.reject(notCapable(this.name, action === 'cut' ? 'power-cut' : 'power'));
  }

  onMachine(machine: string): Promise<CommandResult> {
    machineNamed(this.inventory.machines, machine);
    return Promise.reject(notCapable(this.name, 'ssh'));
  }
}
