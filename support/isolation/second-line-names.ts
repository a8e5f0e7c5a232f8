import dns from 'node:dns';
import { isIP } from 'node:net';
import { readHost } from './addresses';
import { cannotInstall, check, inForce, patch } from './in-force';
import { localAnswers, refuseNameServers } from './names';
import { type Refused, RefusedByBoundary, allowed, refused } from './verdict';

type LookupCallback = (error: Error | null, address?: string | dns.LookupAddress[], family?: number) => void;
export type LooseLookup = (name: string, options: unknown, callback: LookupCallback) => void;

/** A look-up that refuses names before they are asked for, and answers that are refused addresses after. */
function judgedLookup(original: LooseLookup): LooseLookup {
  return (name, options, callback) => {
    const before = refuseLookup(name, original === systemLookup);
    if (before !== undefined) {
      process.nextTick(callback, new RefusedByBoundary(before, 'look up'));
      return;
    }
    const known = original === systemLookup ? knownAnswers(name, options) : undefined;
    if (known !== undefined) {
      const [first] = known;
      const bad = judgeAnswers(
        name,
        known.map((one) => one.address),
      );
      if (bad !== undefined) process.nextTick(callback, new RefusedByBoundary(bad, 'connect to'));
      else if (first === undefined) process.nextTick(callback, noAddress(name));
      else if (wantsAll(options)) process.nextTick(callback, null, known);
      else process.nextTick(callback, null, first.address, first.family);
      return;
    }
    original(name, options, (error, address, family) => {
      const bad = error === null ? judgeAnswers(name, answersOf(address)) : undefined;
      if (bad === undefined) callback(error, address, family);
      else callback(new RefusedByBoundary(bad, 'connect to'));
    });
  };
}

const systemLookup = dns.lookup as unknown as LooseLookup;

/** Refuses a name that is not the target's, or that only a name server outside the target could answer for. */
function refuseLookup(name: string, bySystem: boolean): Refused | undefined {
  return check('name look-up', (judge) => {
    const verdict = judge.host(name);
    if (
      !verdict.allowed ||
      !bySystem ||
      isIP(name) !== 0 ||
      readHost(name).kind !== 'name' ||
      localAnswers(judge, name).length > 0
    )
      return verdict;
    return refuseNameServers(judge, name) ?? verdict;
  });
}

/** What is known without asking anybody, in the order and family asked for; undefined when nothing is. */
function knownAnswers(name: string, options: unknown): dns.LookupAddress[] | undefined {
  const judge = inForce();
  if (judge === undefined || isIP(name) !== 0) return undefined;
  const addresses = localAnswers(judge, name);
  if (addresses.length === 0) return undefined;
  const family =
    typeof options === 'number' ? options : Number((options as { family?: unknown } | undefined)?.family ?? 0);
  return addresses
    .map((address) => ({ address, family: isIP(address) }))
    .filter((one) => family === 0 || Number.isNaN(family) || one.family === family);
}

function wantsAll(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'all' in options && options.all === true;
}

function noAddress(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname: name,
  });
}

function answersOf(address: string | dns.LookupAddress[] | undefined): string[] {
  if (address === undefined) return [];
  return typeof address === 'string' ? [address] : address.map((one) => one.address);
}

function judgeAnswers(name: string, addresses: readonly string[]): Refused | undefined {
  return check('name look-up', (judge) => {
    const bad = addresses.map((address) => judge.host(address)).find((verdict) => !verdict.allowed);
    if (bad === undefined || bad.allowed) return allowed(name, 'all its answers are permitted');
    return refused(name, 'resolves-to-refused', `it resolves to ${bad.subject}: ${bad.reason}`);
  });
}

const wrapped = new WeakSet<LooseLookup>();

/** A library's own look-up, confined; a confined one is left as it is. */
export function wrapOnce(lookup: LooseLookup): LooseLookup {
  if (wrapped.has(lookup)) return lookup;
  const guarded = judgedLookup(lookup);
  wrapped.add(guarded);
  return guarded;
}

/** Confines dns.lookup and dns.promises.lookup, which net, http and fetch use. */
export function guardLookups(): void {
  const guarded = wrapOnce(systemLookup);
  const lookup = ((name: string, options: unknown, callback?: LookupCallback) =>
    callback === undefined
      ? guarded(name, {}, options as LookupCallback)
      : guarded(name, options, callback)) as LooseLookup;
  wrapped.add(lookup);
  // util.promisify(dns.lookup) resolves to an object, by this symbol.
  const custom = Symbol.for('nodejs.util.promisify.custom');
  Object.defineProperty(lookup, custom, { value: lookupPromise });
  patch(dns, 'lookup', lookup);
  function lookupPromise(name: string, options: unknown = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      guarded(name, options, (error, address, family) => {
        if (error !== null) reject(error);
        else resolve(Array.isArray(address) ? address : { address, family });
      });
    });
  }
  patch(dns.promises, 'lookup', lookupPromise);
}

/** The c-ares resolver asks its servers by sockets of its own: only permitted servers may be asked. */
export function guardResolvers(): void {
  const handle: unknown = Reflect.get(new dns.Resolver(), '_handle');
  if (handle === null || typeof handle !== 'object') throw cannotInstall('the resolver handle');
  const prototype = Object.getPrototypeOf(handle) as Record<string, unknown>;
  const queries = Object.getOwnPropertyNames(prototype).filter((name) => /^(query|getHostByAddr)/.test(name));
  if (queries.length === 0) throw cannotInstall('the resolver queries');
  for (const name of queries) {
    const original = prototype[name] as (this: { getServers(): [string, number][] }, ...args: unknown[]) => number;
    prototype[name] = function (this: { getServers(): [string, number][] }, ...args: unknown[]): unknown {
      const bad = this.getServers()
        .map(([server]) => check('name look-up', (judge) => judge.host(server)))
        .find((verdict) => verdict !== undefined);
      // c-ares' own word for it: the caller gets ECONNREFUSED and no packet has left.
      return bad === undefined ? original.apply(this, args) : 'ECONNREFUSED';
    };
  }
}
