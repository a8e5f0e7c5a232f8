import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childEnvironment } from '../../../support/command';
import { ansibleGuardEnvironment } from '../../../support/isolation/ansible';
import { cacheHome } from '../../../support/paths';
import { packetsTowardsProduction } from './namespace';

/** One run of the real ansible-playbook, without the first line of the boundary: the callback plugin is alone. */
export interface GuardedPlay {
  name: string;
  exitCode: number;
  /** Hosts the output names as aborted before their first task. */
  aborted: string[];
  /** Tasks that ran, by the files they leave. */
  tasksRun: number;
  packets: number;
  output: string;
}

const inventories = {
  production:
    'all: { vars: { ansible_connection: ssh }, hosts: { lab1: { ansible_host: 10.77.0.201, ansible_connection: local }, lab2: { ansible_host: 192.168.1.202 } } }',
  template:
    'all: { vars: { net: 192.168.1 }, hosts: { lab1: { ansible_connection: local }, lab2: { ansible_host: "{{ net }}.202" } } }',
  jump: 'all: { hosts: { lab1: { ansible_connection: local }, lab2: { ansible_host: 10.77.0.202, ansible_ssh_common_args: "-o ProxyJump=root@0xc0a801ca" } } }',
  variable: 'all: { vars: { postgres_host: 192.168.1.202 }, hosts: { lab1: { ansible_connection: local } } }',
  sandbox: 'all: { hosts: { lab1: { ansible_host: 10.77.0.201, ansible_connection: local } } }',
};

const ownPlay = (folder: string): string => `- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: touch ${folder}/ran-{{ inventory_hostname }}
`;
const delegated = (folder: string): string => `- hosts: lab1
  gather_facts: false
  tasks:
    - ansible.builtin.command: touch ${folder}/ran-delegated
      delegate_to: 192.168.1.202
      vars: { ansible_connection: ssh }
`;

function ansibleBin(): string | undefined {
  const root = join(cacheHome, 'ansible');
  const folders = existsSync(root) ? readdirSync(root).filter((name) => existsSync(join(root, name, 'complete'))) : [];
  return folders[0] === undefined ? undefined : join(root, folders[0], 'bin');
}

/** Plays on inventories that hold production, with and without i_mean_prod. Empty when Ansible is not installed. */
export async function guardedPlays(): Promise<GuardedPlay[]> {
  const bin = ansibleBin();
  if (bin === undefined) return [];
  const plays: GuardedPlay[] = [];
  for (const [name, inventory, playbook, extra] of [
    ['an address in the inventory', inventories.production, ownPlay, []],
    ['a templated address', inventories.template, ownPlay, []],
    ['a jump host', inventories.jump, ownPlay, []],
    ['a variable', inventories.variable, ownPlay, []],
    ['a delegated task', inventories.sandbox, delegated, []],
    ['the sandbox alone', inventories.sandbox, ownPlay, []],
    ['i_mean_prod=true', inventories.production, ownPlay, ['-e', 'i_mean_prod=true']],
  ] as const) {
    plays.push(await play(bin, name, inventory, playbook, extra));
  }
  return plays;
}

async function play(
  bin: string,
  name: string,
  inventory: string,
  playbook: (folder: string) => string,
  extra: readonly string[],
): Promise<GuardedPlay> {
  const folder = mkdtempSync(join(tmpdir(), 'rig-'));
  writeFileSync(join(folder, 'hosts.yml'), inventory);
  writeFileSync(join(folder, 'play.yml'), playbook(folder));
  writeFileSync(
    join(folder, 'ansible.cfg'),
    '[defaults]\ninterpreter_python = /usr/bin/python3\nlocalhost_warning = False\n',
  );
  const before = await packetsTowardsProduction();
  const env = childEnvironment({
    ANSIBLE_CONFIG: join(folder, 'ansible.cfg'),
    ANSIBLE_TIMEOUT: '2',
    ANSIBLE_HOST_KEY_CHECKING: 'False',
    ANSIBLE_LOCAL_TEMP: folder,
    ...ansibleGuardEnvironment(),
  });
  const child = spawn(
    join(bin, 'ansible-playbook'),
    ['-i', join(folder, 'hosts.yml'), join(folder, 'play.yml'), ...extra],
    { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = await new Promise<number>((resolve, reject) =>
    child.once('error', reject).once('close', (code) => resolve(code ?? -1)),
  );
  return {
    name,
    exitCode,
    aborted: [...output.matchAll(/^fatal: \[([^\]]+)\]: ABORTED before its first task/gm)].map(
      (match) => match[1] ?? '',
    ),
    tasksRun: readdirSync(folder).filter((file) => file.startsWith('ran-')).length,
    packets: (await packetsTowardsProduction()) - before,
    output: output.slice(-2000),
  };
}
