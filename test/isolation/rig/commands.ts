import { spawn } from 'node:child_process';
import { run } from '../../../support/command';
import type { Attempt } from './attempt';
import { plantedHostsName } from './namespace';

function child(file: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(file, args, { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', ...env } })
      .once('error', reject)
      .once('close', () => resolve());
  });
}

const sshOptions = [
  '-F',
  'none',
  '-o',
  'BatchMode=yes',
  '-o',
  'ConnectTimeout=2',
  '-o',
  'StrictHostKeyChecking=no',
  '-o',
  'UserKnownHostsFile=/dev/null',
];
const curl = ['--silent', '--insecure', '--max-time', '2'];
const bounded = { timeoutMs: 5000, allowFailure: true };

/** What is started as a command, by the project's own runner and behind its back. */
export const commands: Attempt[] = [
  {
    name: 'ssh',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.201:22',
    act: () => run('ssh', [...sshOptions, 'root@192.168.1.201', 'true'], bounded),
  },
  {
    name: 'ssh ProxyJump',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.202:22',
    act: () => run('ssh', [...sshOptions, '-o', 'ProxyJump=root@192.168.1.202', 'root@10.77.0.201', 'true'], bounded),
  },
  {
    name: 'ssh ProxyCommand',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.203:22',
    act: () =>
      run(
        'ssh',
        [
          ...sshOptions,
          '-o',
          'ProxyCommand=ssh -o StrictHostKeyChecking=no -o ConnectTimeout=2 -W %h:%p root@3232235979',
          'root@10.77.0.201',
          'true',
        ],
        bounded,
      ),
  },
  {
    name: 'git over http',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.202:3000',
    act: () => run('git', ['ls-remote', 'http://192.168.1.202:3000/arcodange-org/erp.git'], bounded),
  },
  {
    name: 'git over ssh',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.202:22',
    act: () =>
      run('git', ['ls-remote', 'git@192.168.1.202:arcodange-org/erp.git'], {
        ...bounded,
        env: { GIT_SSH_COMMAND: `ssh ${sshOptions.join(' ')}` },
      }),
  },
  {
    name: 'git, rewritten remote',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.202:3000',
    act: () =>
      run(
        'git',
        [
          '-c',
          'url.http://192.168.1.202:3000/.insteadOf=http://10.77.0.202:3000/',
          'ls-remote',
          'http://10.77.0.202:3000/erp.git',
        ],
        bounded,
      ),
  },
  {
    name: 'curl',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.203:443',
    act: () => run('curl', [...curl, 'https://0xC0.0xA8.0x1.0xCB/'], bounded),
  },
  {
    name: 'curl, name in /etc/hosts',
    line: 'first',
    kind: 'resolves-to-refused',
    reaches: '192.168.1.201:80',
    act: () => run('curl', [...curl, `http://${plantedHostsName}/`], bounded),
  },
  {
    name: 'curl, proxy in its environment',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.203:80',
    act: () =>
      run('curl', [...curl, 'http://10.77.0.201/'], { ...bounded, env: { http_proxy: 'http://192.168.1.203:80' } }),
  },
  {
    name: 'shell script',
    line: 'first',
    kind: 'production-address',
    reaches: '192.168.1.201:80',
    act: () => run('sh', ['-c', `curl ${curl.join(' ')} http://192.168.1.201/`], bounded),
  },
  {
    name: 'curl started by a library',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:80',
    act: () => child('curl', [...curl, 'http://192.168.1.201/']),
  },
  {
    name: 'environment given by a library',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:80',
    act: () => child('curl', [...curl, 'http://10.77.0.201/'], { http_proxy: 'http://192.168.1.202:80' }),
  },
];
