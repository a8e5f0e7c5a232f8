import dgram from 'node:dgram';
import { appendFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { productionAddresses } from '../../../support/isolation';

/** The ports production really serves: ssh, https, Gitea, Postgres, Kubernetes, Vault; 80 for redirects, 53 for datagrams. */
export const productionPorts = [22, 80, 443, 3000, 5432, 6443, 8200];

/** What listens inside the rig. It lives in a process without the boundary: production is not ours. */
export interface Listeners {
  /** A permitted web server on this machine that redirects to production, forwards as a proxy, or answers. */
  web: { port: number };
  close(): void;
}

async function listening(server: net.Server, port: number, host: string): Promise<net.AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server.address() as net.AddressInfo;
}

/**
 * Opens the listeners on every production address and real port, the permitted web server and the lying name server.
 * @param journal file that gets `address:port` of every connection and datagram that arrives, a line each, in order.
 */
export async function openListeners(rebindingName: string, journal: string): Promise<Listeners> {
  const arrived = (place: string): void => appendFileSync(journal, `${place}\n`);
  const servers: { close(): void }[] = [];
  for (const address of productionAddresses) {
    for (const port of productionPorts) {
      const server = net.createServer((socket) => {
        arrived(`${address}:${port}`);
        socket.on('error', () => undefined);
        socket.end('HTTP/1.1 418 production\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      });
      await listening(server, port, address);
      servers.push(server);
    }
    const datagrams = dgram.createSocket('udp4').on('message', () => arrived(`${address}:53/udp`));
    await new Promise<void>((resolve) => datagrams.bind(53, address, resolve));
    servers.push(datagrams);
  }
  const web = permittedWeb();
  const { port } = await listening(web, 0, '127.0.0.1');
  servers.push(web, await lyingNameServer(rebindingName));
  return { web: { port }, close: () => servers.forEach((server) => server.close()) };
}

/** Redirects `/to/HOST:PORT`, and forwards absolute-form requests and CONNECT as an open proxy does. */
function permittedWeb(): http.Server {
  const server = http.createServer((request, response) => {
    const target = /^\/to\/(.*)$/.exec(request.url ?? '')?.[1];
    if (target !== undefined) response.writeHead(302, { location: `http://${target}/` }).end();
    else if (/^http:/.test(request.url ?? '')) forward(new URL(request.url ?? '').host, response);
    else response.end('permitted');
  });
  server.on('connect', (request, socket) => forward(request.url ?? '', socket));
  return server;
}

function forward(place: string, end: { end(): void }): void {
  const [host = '', port = '80'] = place.split(':');
  net
    .connect(Number(port), host)
    .on('error', () => end.end())
    .on('close', () => end.end())
    .end();
}

/** Answers A questions for `name` with 127.0.0.1 the first time and with a production machine from then on; others with nothing. */
async function lyingNameServer(name: string): Promise<dgram.Socket> {
  let asked = 0;
  const server = dgram.createSocket('udp4');
  server.on('message', (question, from) => {
    const end = question.indexOf(0, 12) + 5;
    const isA = question.readUInt16BE(end - 4) === 1;
    const about = question
      .subarray(12, end - 5)
      .toString('latin1')
      .toLowerCase()
      .includes(name.split('.')[0] ?? '');
    const answer =
      isA && about ? ((asked += 1), asked === 1 ? '127.0.0.1' : (productionAddresses[1] ?? '')) : undefined;
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8580, 2);
    header.writeUInt16BE(answer === undefined ? 0 : 1, 6);
    header.writeUInt32BE(0, 8);
    const record =
      answer === undefined
        ? []
        : [Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]), Buffer.from(answer.split('.').map(Number))];
    server.send(Buffer.concat([header, question.subarray(12, end), ...record]), from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(53, '127.0.0.1', resolve));
  return server;
}
