import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { run } from '../../support/command';
import type { Inventory, Machine } from '../../support/inventory';
import { sandboxSecrets } from '../../support/paths';
import { machineHome } from './layout';

/** The operator's SSH key for the sandbox and the host keys it trusts. */
export const operatorKey = join(sandboxSecrets, 'ssh', 'id_ed25519');
export const knownHosts = join(sandboxSecrets, 'ssh', 'known_hosts');

/** Makes the operator's SSH key for the sandbox, once. */
export async function ensureOperatorKey(): Promise<void> {
  mkdirSync(sandboxSecrets, { recursive: true, mode: 0o700 });
  chmodSync(sandboxSecrets, 0o700);
  mkdirSync(join(sandboxSecrets, 'ssh'), { recursive: true, mode: 0o700 });
  if (!existsSync(operatorKey)) await newKey(operatorKey, 'sandbox operator');
}

/**
 * Puts the secrets of a lab that is no more aside as `sandbox.previous`: Vault's key shares, certificates and tokens are
 * of no use to a new one and must not be taken for its own. The SSH key stays.
 */
export async function setSecretsAside(): Promise<void> {
  // Nothing but the key: a kill interrupted this before, and what it put aside is not to be overwritten.
  if (!existsSync(sandboxSecrets) || readdirSync(sandboxSecrets).every((entry) => entry === 'ssh')) return;
  const previous = `${sandboxSecrets}.previous`;
  rmSync(previous, { recursive: true, force: true });
  renameSync(sandboxSecrets, previous);
  mkdirSync(join(sandboxSecrets, 'ssh'), { recursive: true, mode: 0o700 });
  chmodSync(sandboxSecrets, 0o700);
  for (const file of ['id_ed25519', 'id_ed25519.pub']) {
    if (existsSync(join(previous, 'ssh', file)))
      await run('cp', ['--archive', join(previous, 'ssh', file), join(sandboxSecrets, 'ssh', file)]);
  }
}

async function newKey(file: string, comment: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
}

/** A runit service: `run` and `log/run` under /etc/lab-service/NAME, its log by svlogd in /data/log/NAME. */
function writeService(machine: string, name: string, script: string): void {
  const { upper, data } = machineHome(machine);
  const folder = join(upper, 'etc', 'lab-service', name);
  mkdirSync(join(folder, 'log'), { recursive: true });
  const log = join(data, 'log', name);
  mkdirSync(log, { recursive: true });
  // svlogd(8): at most 10 files of 1 MB each, so that no log fills the disk.
  writeFileSync(join(log, 'config'), 's1000000\nn10\n');
  writeFileSync(join(folder, 'run'), `#!/bin/sh\nexec 2>&1\n${script}\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'log', 'run'), `#!/bin/sh\nmkdir -p /data/log/${name}\nexec svlogd /data/log/${name}\n`, {
    mode: 0o755,
  });
}

/**
 * Writes what a machine must hold before its first boot: names, the SSH service, its host key and the operator's key. The
 * rest is Ansible's. Only for a machine that is off: the overlay's upper folder must not change under a mounted overlay.
 */
export async function prepareMachine(inventory: Inventory, machine: Machine): Promise<void> {
  const { upper, work, data } = machineHome(machine.name);
  for (const folder of [upper, work, data, join(upper, 'etc', 'ssh', 'sshd_config.d')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(upper, 'etc', 'hostname'), `${machine.name}\n`);
  writeFileSync(join(upper, 'etc', 'hosts'), hostsFile(inventory));
  // What /etc/hosts does not hold is asked of the lab's own name server, which refuses every zone but its own at once.
  writeFileSync(join(upper, 'etc', 'resolv.conf'), resolverConfig(inventory));
  mkdirSync(join(upper, 'root', '.ssh'), { recursive: true, mode: 0o700 });
  chmodSync(join(upper, 'root'), 0o700);
  writeFileSync(join(upper, 'root', '.ssh', 'authorized_keys'), readFileSync(`${operatorKey}.pub`), { mode: 0o600 });
  const hostKey = join(upper, 'etc', 'ssh', 'ssh_host_ed25519_key');
  if (!existsSync(hostKey)) await newKey(hostKey, machine.name);
  writeFileSync(join(upper, 'etc', 'ssh', 'sshd_config.d', '00-lab.conf'), sshdConfig);
  writeService(machine.name, 'sshd', 'exec /usr/sbin/sshd -D -e');
}

function resolverConfig(inventory: Inventory): string {
  return `nameserver ${inventory.nameServer}\noptions timeout:1 attempts:1\n`;
}

const sshdConfig = `# The lab's machines: root by the operator's key and nothing else.
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 100
MaxSessions 100
`;

/** Records the machines' host keys, so that SSH never asks and never trusts blindly. */
export function writeKnownHosts(inventory: Inventory): void {
  const lines = inventory.machines.map((machine) => {
    const key = readFileSync(join(machineHome(machine.name).upper, 'etc', 'ssh', 'ssh_host_ed25519_key.pub'), 'utf8');
    return `${machine.name},${machine.address} ${key.split(' ').slice(0, 2).join(' ')}`;
  });
  writeFileSync(knownHosts, `${lines.join('\n')}\n`, { mode: 0o600 });
}

/** /etc/hosts of every machine: the machines, and each endpoint of the inventory as NAME.DOMAIN. */
export function hostsFile(inventory: Inventory): string {
  const machines = inventory.machines.map(
    (machine) => `${machine.address} ${machine.name} ${machine.name}.${inventory.domain}`,
  );
  const endpoints = Object.entries(inventory.endpoints).map(
    ([name, endpoint]) => `${endpointHost(endpoint)} ${name}.${inventory.domain}`,
  );
  return ['127.0.0.1 localhost', ...machines, ...endpoints, ''].join('\n');
}

function endpointHost(endpoint: string): string {
  return endpoint.includes('://') ? new URL(endpoint).hostname : (endpoint.split(':')[0] ?? '');
}

/** Arguments for ssh(1) to a machine as its operator: only the sandbox's key, only recorded host keys. */
export function sshArguments(machine: Machine, options: { terminal?: boolean } = {}): string[] {
  const set = [
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'ConnectTimeout=5',
    'LogLevel=ERROR',
  ];
  return [
    '-F',
    'none',
    '-i',
    operatorKey,
    ...set.flatMap((option) => ['-o', option]),
    ...(options.terminal ? ['-t'] : []),
    `root@${machine.address}`,
  ];
}
