import childProcess from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import net, { isIP } from 'node:net';
import { constants } from 'node:os';
import { judgeCommand } from './commands';
import { judgeEndpoint } from './endpoints';
import { cannotInstall, check, patch, putInForce } from './in-force';
import type { Judge } from './policy';
import { leavesByDefaultRoute } from './routes';
import { type LooseLookup, guardLookups, guardResolvers, wrapOnce } from './second-line-names';
import { RefusedByBoundary, type Verdict, allowed, refused } from './verdict';

export { secondLineRefusals } from './in-force';

/**
 * Puts the second line under this process: every socket, datagram, name look-up, proxied HTTP request and child process
 * of Node is judged at the moment it happens, whatever library asked for it. Installing again only changes the judge.
 * It does not reach into native code of add-ons, nor into child processes of other programs.
 */
export function installSecondLine(judge: () => Judge): void {
  if (!putInForce(judge)) return;
  guardLookups();
  guardResolvers();
  guardSockets();
  guardDatagrams();
  guardHandles();
  guardProxiedRequests();
  guardChildren();
  syncBuiltinESMExports();
}

interface ConnectOptions {
  host?: string;
  path?: string | null;
  lookup?: LooseLookup;
  [key: string]: unknown;
}

function guardSockets(): void {
  type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket;
  const original = net.Socket.prototype.connect as unknown as Connect;
  const guarded: Connect = function (...args) {
    const normalized = Array.isArray(args[0]) ? (args[0] as unknown[]) : normalizeConnect(args);
    const options = normalized[0] as ConnectOptions;
    if (typeof options.path === 'string' && options.path !== '') return original.apply(this, args);
    const bad = check('socket', (judge) => judgeConnection(judge, options.host ?? 'localhost'));
    if (bad !== undefined) {
      // As net does for a failed look-up: fail in the next tick, when the caller has put its listeners on.
      Reflect.set(this, 'connecting', true);
      process.nextTick(() => this.destroy(new RefusedByBoundary(bad, 'connect to')));
      return this;
    }
    if (options.lookup !== undefined) {
      const confined = { ...options, lookup: wrapOnce(options.lookup) };
      normalized[0] = confined;
    }
    return original.apply(
      this,
      Array.isArray(args[0]) ? args : normalized.filter((part) => part !== null && part !== undefined),
    );
  };
  patch(net.Socket.prototype, 'connect', guarded);
}

/** As net's own normalisation: (options[, cb]), (port[, host][, cb]) or (path[, cb]). */
function normalizeConnect(args: readonly unknown[]): unknown[] {
  const callback = args.find((arg) => typeof arg === 'function');
  const [first, second] = args;
  if (first !== null && typeof first === 'object') return [first, callback];
  if (typeof first === 'string' && Number.isNaN(Number(first))) return [{ path: first }, callback];
  return [{ port: first, ...(typeof second === 'string' ? { host: second } : {}) }, callback];
}

function guardDatagrams(): void {
  const create = dgram.createSocket;
  patch(dgram, 'createSocket', (...args: Parameters<typeof create>) => {
    const [options, listener] = args;
    const given = (typeof options === 'string' ? { type: options } : options) as dgram.SocketOptions;
    const lookup = wrapOnce((given.lookup ?? dns.lookup) as unknown as LooseLookup);
    return create({ ...given, lookup: lookup as unknown as NonNullable<dgram.SocketOptions['lookup']> }, listener);
  });
}

/** A permitted address is refused as well when only the default route leads there: the packet would leave this machine. */
function judgeConnection(judge: Judge, host: string): Verdict {
  const verdict = judge.host(host);
  if (!verdict.allowed || !leavesByDefaultRoute(host)) return verdict;
  return refused(verdict.subject, 'outside', 'no route but the default one leads there; the target is not up');
}

interface Binding {
  TCP?: { prototype: Record<string, unknown> };
  UDP?: { prototype: Record<string, unknown> };
}

/** The last place before the kernel: the handles' own connect and send, with the address they are about to use. */
function guardHandles(): void {
  const bindingOf = Reflect.get(process, 'binding') as (name: string) => Binding;
  const tcp = bindingOf('tcp_wrap').TCP?.prototype;
  const udp = bindingOf('udp_wrap').UDP?.prototype;
  if (tcp === undefined || udp === undefined) throw cannotInstall('the socket handles');
  for (const name of ['connect', 'connect6']) guardHandle(tcp, name, 1);
  for (const name of ['connect', 'connect6']) guardHandle(udp, name, 0);
  // send(req, list, count, port, address, hasCallback) with an address, send(req, list, count, hasCallback) when connected.
  for (const name of ['send', 'send6']) guardHandle(udp, name, 4);
}

function guardHandle(prototype: Record<string, unknown>, name: string, position: number): void {
  const original = prototype[name];
  if (typeof original !== 'function') throw cannotInstall(`the handle's ${name}`);
  prototype[name] = function (this: unknown, ...args: unknown[]): unknown {
    const address = args[position];
    const bad =
      typeof address === 'string' && isIP(address.replace(/%.*$/, '')) !== 0
        ? check('socket', (judge) => judgeConnection(judge, address))
        : undefined;
    return bad === undefined ? (Reflect.apply(original, this, args) as unknown) : -constants.errno.EACCES;
  };
}

/** A proxy on this machine is a permitted address that leads anywhere: what it is asked for is judged as well. */
function guardProxiedRequests(): void {
  type OnSocket = (this: http.ClientRequest, ...args: unknown[]) => void;
  const original = Reflect.get(http.ClientRequest.prototype, 'onSocket') as OnSocket;
  const guarded: OnSocket = function (...args) {
    const asked = this.method === 'CONNECT' || /^[a-z][a-z0-9+.-]*:\/\//i.test(this.path) ? this.path : undefined;
    const bad = asked === undefined ? undefined : check('proxied request', (judge) => judgeEndpoint(judge, asked));
    // Destroyed before it gets its socket: nothing of it is written, and the socket goes back unused.
    if (bad !== undefined) this.destroy(new RefusedByBoundary(bad, 'ask a proxy for'));
    original.apply(this, args);
  };
  Reflect.set(http.ClientRequest.prototype, 'onSocket', guarded);
}

interface SpawnOptions {
  file?: string;
  args?: string[];
  cwd?: string;
  envPairs?: string[];
}

/** Children of any library: a command or environment that leads to production is refused before it starts. */
function guardChildren(): void {
  const refuse = (options: SpawnOptions): void => {
    const [name = '', ...args] = options.args ?? [];
    const command = {
      file: options.file ?? name,
      args,
      env: readPairs(options.envPairs),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    };
    const bad = check('child process', (judge) => {
      const verdict = judgeCommand(judge, command);
      // What merely lies outside is the first line's to refuse: it knows which commands may fetch packages.
      return verdict.allowed || verdict.kind.startsWith('production')
        ? verdict
        : allowed(verdict.subject, 'it does not lead to production');
    });
    if (bad !== undefined) throw new RefusedByBoundary(bad, 'start');
  };
  type Spawn = (this: childProcess.ChildProcess, options: SpawnOptions) => unknown;
  const prototype = childProcess.ChildProcess.prototype;
  const original = Reflect.get(prototype, 'spawn') as Spawn;
  const guarded: Spawn = function (options) {
    refuse(options);
    return original.call(this, options);
  };
  Reflect.set(prototype, 'spawn', guarded);
  const binding = (Reflect.get(process, 'binding') as (name: string) => { spawn: (options: SpawnOptions) => unknown })(
    'spawn_sync',
  );
  const originalSync = binding.spawn;
  binding.spawn = (options) => {
    refuse(options);
    return originalSync(options);
  };
}

/** `NAME=value` pairs as the kernel takes them; without any, the child inherits this process's environment. */
function readPairs(pairs: readonly string[] | undefined): Record<string, string | undefined> {
  if (pairs === undefined) return process.env;
  return Object.fromEntries(
    pairs.map((pair): [string, string] => [
      pair.slice(0, Math.max(pair.indexOf('='), 0)),
      pair.slice(pair.indexOf('=') + 1),
    ]),
  );
}
