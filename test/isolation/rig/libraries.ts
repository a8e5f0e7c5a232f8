import dgram from 'node:dgram';
import { lookup } from 'node:dns';
import { connect } from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import axios from 'axios';
import nodeVault from 'node-vault';
import { Client } from 'pg';
import type { Attempt } from './attempt';
import { plantedHostsName, rebindingName } from './namespace';

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

/** What libraries do that know nothing of the boundary. */
export const libraries: Attempt[] = [
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
  { name: 'HTTP/2', line: 'second', kind: 'production-address', reaches: '192.168.1.202:3000', act: http2Session },
  { name: 'worker thread', line: 'second', kind: 'production-address', reaches: '192.168.1.201:22', act: fromWorker },
  {
    name: 'Kubernetes client',
    line: 'second',
    kind: 'production-address',
    reaches: '192.168.1.201:6443',
    act: listNamespaces,
  },
];

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

/** A worker has modules of its own: the second line must be in it as well. */
function fromWorker(): Promise<void> {
  const script =
    "require('node:net').connect(22, '192.168.1.201').once('error', (e) => { throw e; }).on('data', () => {})";
  return new Promise((resolve, reject) => {
    new Worker(script, { eval: true }).once('error', reject).once('exit', () => resolve());
  });
}

function http2Session(): Promise<void> {
  return new Promise((resolve, reject) => {
    connect('http://192.168.1.202:3000')
      .once('error', reject)
      .once('close', () => resolve());
  });
}

async function listNamespaces(): Promise<unknown> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig('https://192.168.1.201:6443'));
  return config.makeApiClient(CoreV1Api).listNamespace();
}
