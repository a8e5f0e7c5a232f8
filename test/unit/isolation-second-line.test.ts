import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import axios from 'axios';

/**
 * The kernel is out of reach in this file: before the second line goes on, the handles' own connect and send are replaced
 * by ones that count and fail for anything but loopback. A refusal that failed would be counted, and send nothing.
 */
type Handle = Record<string, (...args: unknown[]) => unknown>;
const binding = Reflect.get(process, 'binding') as (name: string) => Record<string, { prototype: Handle }>;
let reachedKernel = 0;
for (const [name, kind, method, at] of [
  ['tcp_wrap', 'TCP', 'connect', 1],
  ['tcp_wrap', 'TCP', 'connect6', 1],
  ['udp_wrap', 'UDP', 'connect', 0],
  ['udp_wrap', 'UDP', 'send', 4],
] as const) {
  const prototype = binding(name)[kind]?.prototype;
  const original = prototype?.[method];
  if (prototype === undefined || original === undefined) throw new Error(`no ${kind}.${method} in this Node.js`);
  prototype[method] = function (...args) {
    if (/^(127\.|::1$)/.test(String(args[at]))) return Reflect.apply(original, this, args);
    reachedKernel += 1;
    return -101;
  };
}

// After the stubs, so that the second line wraps them.
import { installSecondLine, secondLineRefusals } from '../../support/isolation/second-line';
import { Judge } from '../../support/isolation';

installSecondLine(() => new Judge({ networks: ['10.77.0.0/24'], names: [], domains: ['arcodange.lab'] }));

const web = http.createServer((request, response) => {
  const to = /^\/to\/(.*)$/.exec(request.url ?? '')?.[1];
  if (to === undefined) response.end('here');
  else response.writeHead(302, { location: `http://${to}/` }).end();
});
const listening = new Promise<number>((resolve) =>
  web.listen(0, '127.0.0.1', () => resolve((web.address() as AddressInfo).port)),
);
after(() => {
  web.close();
  web.closeAllConnections();
});

const refusal = /isolation boundary refuses it/;

function connecting(options: net.NetConnectOpts): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(options);
    socket.once('error', reject).once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

test('loopback works as before, by fetch, axios, name and raw socket', async () => {
  const port = await listening;
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here');
  assert.equal(await (await fetch(`http://localhost:${port}/`)).text(), 'here');
  assert.equal((await axios.get<string>(`http://localhost:${port}/`)).data, 'here');
  await connecting({ port, host: 'localhost' });
  assert.equal((await dns.promises.lookup('localhost', { family: 4 })).address, '127.0.0.1');
  assert.ok(Array.isArray(await dns.promises.lookup('localhost', { all: true })));
});

test('sockets to refused hosts fail with the reason, and nothing reaches the kernel', async () => {
  const port = await listening;
  for (const host of [
    '192.168.1.201',
    '0xc0a801c9',
    '::ffff:192.168.1.202',
    'www.arcodange.fr',
    'example.org',
    '10.78.0.1',
  ]) {
    await assert.rejects(connecting({ host, port: 80 }), refusal, host);
  }
  await assert.rejects(fetch('http://192.168.1.201/'), (thrown: Error) =>
    refusal.test(String(Reflect.get(thrown.cause as object, 'message'))),
  );
  await assert.rejects(fetch(`http://127.0.0.1:${port}/to/192.168.1.201`), (thrown: Error) =>
    refusal.test(String(Reflect.get(thrown.cause as object, 'message'))),
  );
  await assert.rejects(axios.get(`http://127.0.0.1:${port}/to/arcodange.fr`), refusal);
  await assert.rejects(axios.get('http://10.77.0.201/', { proxy: { host: '192.168.1.203', port: 3128 } }), refusal);
  assert.equal(reachedKernel, 0);
});

test('a proxy on this machine is not asked for production', async () => {
  const port = await listening;
  await assert.rejects(axios.get('http://192.168.1.201/', { proxy: { host: '127.0.0.1', port } }), refusal);
  const request = http.request({ host: '127.0.0.1', port, method: 'CONNECT', path: '192.168.1.201:443' });
  await assert.rejects(
    new Promise((resolve, reject) => request.once('error', reject).once('connect', resolve).end()),
    refusal,
  );
});

test('an answer that turns out to be production is refused at the look-up, also at the second one', async () => {
  const port = await listening;
  const answers = ['127.0.0.1', '192.168.1.202'];
  const lookup: net.LookupFunction = (_name, _options, answer) =>
    answer(null, [{ address: answers.shift() ?? '', family: 4 }]);
  await connecting({ port, host: 'erp.arcodange.lab', lookup });
  await assert.rejects(connecting({ port, host: 'erp.arcodange.lab', lookup }), /resolves-to-refused/);
  assert.equal(reachedKernel, 0);
});

test('names that are refused are not looked up, and name servers outside are not asked', async () => {
  await assert.rejects(dns.promises.lookup('arcodange.fr'), refusal);
  await assert.rejects(
    new Promise((resolve, reject) =>
      dns.lookup('example.org', (error) => (error ? reject(error) : resolve(undefined))),
    ),
    refusal,
  );
  const resolver = new dns.promises.Resolver();
  resolver.setServers(['9.9.9.9']);
  await assert.rejects(resolver.resolve4('erp.arcodange.lab'), { code: 'ECONNREFUSED' });
});

test('datagrams to refused hosts are not sent', async () => {
  const sender = dgram.createSocket('udp4');
  await assert.rejects(
    new Promise((resolve, reject) =>
      sender.send('x', 53, '192.168.1.201', (error) => (error ? reject(error) : resolve(undefined))),
    ),
    refusal,
  );
  sender.close();
  assert.equal(reachedKernel, 0);
});

test('children that would lead to production do not start; others do', async () => {
  assert.throws(() => execFileSync('true', ['http://192.168.1.201/']), refusal);
  assert.throws(() => execFileSync('true', { env: { VAULT_ADDR: 'https://192.168.1.201:8200' } }), refusal);
  assert.throws(() => spawn('sh', ['-c', 'true ssh root@192.168.1.201']), refusal);
  execFileSync('true', ['https://example.org/'], { env: { PATH: process.env['PATH'] } });
});

test('every refusal is on record, for the report', () => {
  const places = new Set(secondLineRefusals().map(({ at }) => at));
  assert.deepEqual([...places].sort(), ['child process', 'name look-up', 'proxied request', 'socket']);
});
