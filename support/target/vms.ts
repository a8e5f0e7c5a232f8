import { run, type CommandOptions, type CommandResult } from '../command';
import type { VmsConfiguration } from '../configuration/shape';
import type { Finding } from '../finding';
import { clusterMachines, type Machine } from '../inventory';
import { sshAccess } from '../ssh-access';
import { ConfiguredTargetBase, configurationOf } from './configured/base';
import { mirrorScript, readMirrors, type Mirrors } from './configured/image';
import { accepts, machineNamed, sshPort, switchMachine } from './configured/power';
import { notCapable, type Capability, type PowerAction } from './target';

/** Machines that can be reached by SSH and are switched by commands: multipass, Vagrant, libvirt, or the lab seen from outside. */
export class VmsTarget extends ConfiguredTargetBase<VmsConfiguration> {
  readonly name = 'vms';
  readonly capabilities: ReadonlySet<Capability>;

  constructor(read = configurationOf('vms')) {
    super(read);
    const { power } = this.configuration;
    const can: Record<Capability, boolean> = {
      ssh: true,
      power: power?.off !== undefined,
      'power-cut': power?.cut !== undefined,
      'three-machines': clusterMachines(this.inventory).length >= 3,
      snapshot: false,
      'counted-edge': false,
    };
    this.capabilities = new Set((Object.keys(can) as Capability[]).filter((capability) => can[capability]));
  }

  protected async machinesReady(): Promise<Finding> {
    const { machines } = this.inventory;
    const answers = await Promise.all(machines.map((machine) => accepts(machine.address, sshPort(machine))));
    const silent = machines.filter((_, index) => answers[index] !== true).map(({ name }) => name);
    return {
      subject: 'machines of the inventory',
      status: silent.length === 0 ? 'met' : 'unmet',
      expected: 'SSH accepts connections on each',
      actual:
        silent.length === 0 ? `${machines.map(({ name }) => name).join(', ')} answer` : `silent: ${silent.join(', ')}`,
      source: `the SSH port of every machine in ${this.configuration.inventory}`,
    };
  }

  async power(machine: string | readonly string[], action: PowerAction): Promise<void> {
    await Promise.all([machine].flat().map((name) => this.powerOne(name, action)));
  }

  private async powerOne(machine: string, action: PowerAction): Promise<void> {
    const found = machineNamed(this.inventory.machines, machine);
    const { power } = this.configuration;
    const template = power?.[action];
    if (power === undefined || template === undefined)
      throw notCapable(this.name, action === 'cut' ? 'power-cut' : 'power');
    await switchMachine(found, action, template, power.seconds);
  }

  onMachine(machine: string, command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const found = machineNamed(this.inventory.machines, machine);
    return run('ssh', [...this.sshArguments(found), '--', ...this.asRoot(command)], options);
  }

  /** A user that is not root runs the whole line, pipes included, in root's shell. */
  private asRoot(command: readonly string[]): readonly string[] {
    if (sshAccess().user === 'root') return command;
    return ['sudo', '-n', 'sh', '-c', `'${command.join(' ').replaceAll("'", `'\\''`)}'`];
  }

  /** Only the sandbox's key, only recorded host keys, nothing of the operator's own ssh configuration. */
  private sshArguments(machine: Machine): string[] {
    const { user, key, knownHosts } = sshAccess();
    const set = [
      `UserKnownHostsFile=${knownHosts}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'IdentitiesOnly=yes',
      'BatchMode=yes',
      'ConnectTimeout=5',
      'LogLevel=ERROR',
    ];
    const options = set.flatMap((option) => ['-o', option]);
    return ['-F', 'none', '-i', key, '-p', String(sshPort(machine)), ...options, `${user}@${machine.address}`];
  }

  /** Looked up on every node: one of them may pull what the others do not. */
  protected async mirrors(): Promise<Mirrors> {
    const looks = await Promise.all(
      clusterMachines(this.inventory).map(({ name }) => this.onMachine(name, [mirrorScript], { allowFailure: true })),
    );
    if (looks.some(({ exitCode }) => exitCode !== 0)) return undefined;
    return new Set(looks.flatMap(({ stdout }) => readMirrors(stdout)));
  }
}
