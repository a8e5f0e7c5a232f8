import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { lookup } from 'node:dns';
import net from 'node:net';
import tls from 'node:tls';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import axios from 'axios';
import nodeVault from 'node-vault';
import { Client } from 'pg';
import { run } from '../../../support/command';
import type { RefusalKind } from '../../../support/isolation';
import { plantedHostsName, rebindingName } from './namespace';

/** One way to reach production that a person, a library or a mistake could take. */
export interface Attempt {
  name: string;
  /** Which line is expected to stop it: the judged command (first) or the socket itself (second). */
  line: 'first' | 'second';
  /** The reason it must be refused for. */
  kind: RefusalKind;
  /** Where it arrives when nothing stops it. */
  reaches: string;
  act(web: { port: number }): Promise<unknown>;
}

const kubeconfig = (server: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  });

function socket(open: () => net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    open()
      .once('error', reject)
      .once('close', () => resolve())
      .on('data', () => undefined);
  });
}

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

/** What libraries do that know nothing of the boundary. */
const libraries: Attempt[] = [
  {
    name: 'raw socket',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:22',
    act: () => socket(() => net.connect(22, '192.168.1.201')),
  },
  {
    name: 'raw socket, hexadecimal',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:22',
    act: () => socket(() => net.connect(22, '0xc0a801c9')),
  },
  {
    name: 'raw socket, octal and short',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:22',
    act: () => socket(() => net.connect(22, '0300.0250.0712')),
  },
  {
    name: 'raw socket, IPv4-mapped',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.203:22',
    act: () => socket(() => net.connect(22, '::ffff:c0a8:1cb')),
  },
  {
    name: 'TLS socket',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:443',
    act: () => socket(() => tls.connect({ host: '192.168.1.201', port: 443, rejectUnauthorized: false })),
  },
  {
    name: 'name in /etc/hosts',
    line: 'second',
    kind: 'resolves-to-refused',
    reaches: '192.168.1.201:22',
    act: () => socket(() => net.connect(22, plantedHostsName)),
  },
  {
    name: "a library's own look-up",
    line: 'second',
    kind: 'resolves-to-refused',
    reaches: '192.168.1.202:22',
    act: () =>
      socket(() =>
        net.connect({
          port: 22,
          host: 'erp.arcodange.lab',
          lookup: (_name, _options, answer) => answer(null, [{ address: '192.168.1.202', family: 4 }]),
        }),
      ),
  },
  { name: 'DNS rebinding', line: 'second', kind: 'resolves-to-refused', reaches: '192.168.1.202:3000', act: rebind },
  { name: 'datagram', line: 'second', kind: 'production-address', reaches: '192.168.1.201:53/udp', act: sendDatagram },
  {
    name: 'fetch',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.203:443',
    act: () => fetch('https://192.168.1.203/'),
  },
  {
    name: 'fetch, redirected',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:3000',
    act: ({ port }) => fetch(`http://127.0.0.1:${port}/to/192.168.1.202:3000`),
  },
  {
    name: 'axios',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:3000',
    act: () => axios.get('http://192.168.1.202:3000/', { timeout: 2000, proxy: false }),
  },
  {
    name: 'axios, redirected',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:3000',
    act: ({ port }) => axios.get(`http://127.0.0.1:${port}/to/3232235978:3000`, { timeout: 2000, proxy: false }),
  },
  {
    name: 'axios, a proxy at production',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.203:80',
    act: () => axios.get('http://10.77.0.201/', { timeout: 2000, proxy: { host: '192.168.1.203', port: 80 } }),
  },
  {
    name: 'axios, through a proxy on this machine',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:80',
    act: ({ port }) => axios.get('http://192.168.1.201:80/', { timeout: 2000, proxy: { host: '127.0.0.1', port } }),
  },
  {
    name: 'pg',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.202:5432',
    act: () =>
      new Client({ connectionString: 'postgres://u@192.168.1.202:5432/erp', connectionTimeoutMillis: 2000 }).connect(),
  },
  {
    name: 'node-vault',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:8200',
    act: () => nodeVault({ endpoint: 'http://192.168.1.201:8200', requestOptions: { timeout: 2000 } }).health(),
  },
  {
    name: 'Kubernetes client',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:6443',
    act: listNamespaces,
  },
];

/** What is started as a command, by the project's own runner and behind its back. */
const commands: Attempt[] = [
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

export const attempts: readonly Attempt[] = [...libraries, ...commands];

/** The first look-up is answered with a permitted address, the second with production's. */
async function rebind(): Promise<void> {
  await new Promise<void>((resolve) => lookup(rebindingName, { family: 4 }, () => resolve()));
  await socket(() => net.connect({ port: 3000, host: rebindingName, family: 4 }));
}

function sendDatagram(): Promise<void> {
  const sender = dgram.createSocket('udp4');
  return new Promise<void>((resolve, reject) => {
    sender.send('question', 53, '192.168.1.201', (error) => (error === null ? resolve() : reject(error)));
  }).finally(() => sender.close());
}

async function listNamespaces(): Promise<unknown> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig('https://192.168.1.201:6443'));
  return config.makeApiClient(CoreV1Api).listNamespace();
}
