import { type HostReading, readHost } from './addresses';
import { type Judge, isProductionAddress, isProductionName, printable } from './policy';
import { type Verdict, gravest, refused } from './verdict';

/** Schemes whose URLs name no host. */
const hostless = new Set(['data', 'about', 'blob', 'mailto', 'urn']);
/** Schemes that name something on this machine. */
const local = new Set(['file', 'unix', 'ipc', 'npipe']);

/** The hosts a text in URL, host:port, user@host or scp form may be taken to name; empty when it names none. */
export interface HostCandidates {
  hosts: string[];
  /** The text names a path, a socket file or nothing on a network. */
  local: boolean;
}

/**
 * Every host any common client would read out of `text`. Clients disagree about backslashes, several `@` and what ends
 * the authority (WHATWG against RFC 3986); all their answers are returned, and all must be permitted.
 */
export function hostCandidates(text: string): HostCandidates {
  // Every client drops these before it reads the scheme (WHATWG URL, step 1 and 2).
  const clean = text.replace(/[\t\r\n]/g, '').trim();
  const schemed = /^([a-z][a-z0-9+.-]*):[\\/]{1,}/i.exec(clean);
  const scheme = schemed?.[1]?.toLowerCase();
  if (scheme !== undefined && local.has(scheme)) {
    const host = /^[a-z]+:\/\/([^/]+)\//i.exec(clean)?.[1];
    return host === undefined || host === '' ? { hosts: [], local: true } : { hosts: [host], local: false };
  }
  // ":8200" is a port of this machine, as listeners write it.
  if (/^:\d+$/.test(clean)) return { hosts: [], local: true };
  const hostlessScheme = /^([a-z]+):/i.exec(clean)?.[1]?.toLowerCase();
  if (scheme === undefined && hostlessScheme !== undefined && hostless.has(hostlessScheme))
    return { hosts: [], local: true };
  const rest = scheme === undefined ? clean.replace(/^[\\/]{2,}/, '') : clean.slice(schemed?.[0].length);
  if (scheme === undefined && /^[./~]/.test(clean) && rest === clean) return { hosts: [], local: true };
  const found = new Set<string>();
  // Where the authority ends: RFC 3986, WHATWG (a backslash is a slash), careless clients (only a slash ends it).
  for (const end of [/[/?#]/, /[/\\?#]/, /\//]) {
    // A backslash matters to those who do not take it for a slash only when a user's @ follows it.
    const parts = (rest.split(end)[0] ?? '').replace(/\\[^@]*$/, '').split('@');
    // An encoded @ belongs to the password before a real one, and hides a second host after it.
    for (const host of (parts.pop() ?? '').split(/%40/i)) addHost(found, host, scheme);
    for (const part of parts) if (looksLikeAddress(part)) addHost(found, part, scheme);
    if (parts.length > 1) addHost(found, parts[1] ?? '', scheme);
  }
  const whatwg = urlHost(clean);
  if (whatwg !== undefined && whatwg !== '') found.add(whatwg);
  return { hosts: [...found], local: false };
}

/** A user name that is itself an address is there to deceive: it is judged like a host. */
function looksLikeAddress(userinfo: string): boolean {
  return userinfo.split(':').some((part) => {
    const reading = readHost(part);
    return reading.kind === 'ipv6' || (reading.kind === 'ipv4' && /[.x]/i.test(part)) || isProductionText(reading);
  });
}

function isProductionText(reading: HostReading): boolean {
  if (reading.kind === 'ipv4')
    return [reading.address, ...reading.alternatives].some(
      (address) => address !== undefined && isProductionAddress(address),
    );
  return reading.kind === 'name' && isProductionName(reading.name);
}

function urlHost(text: string): string | undefined {
  if (!/^(https?|wss?|ftp):/i.test(text)) return undefined;
  try {
    return new URL(text).hostname;
  } catch {
    return undefined;
  }
}

/** Adds the host of `host`, `host:port`, `[v6]:port`, `host:path` (scp) or a comma-separated list of them. */
function addHost(found: Set<string>, text: string, scheme: string | undefined): void {
  for (const one of text.split(',')) {
    if (one === '' && scheme !== undefined) continue;
    const bracketed = /^(\[[^\]]*\])(?::.*)?$/.exec(one) ?? /^(%5b.*?%5d)(?::.*)?$/i.exec(one);
    if (bracketed?.[1] !== undefined) found.add(bracketed[1]);
    else if ((one.match(/:/g) ?? []).length > 1 && readHost(one).kind === 'ipv6') found.add(one);
    else found.add(one.split(/:|%3a/i)[0] ?? '');
  }
}

/** Judges a host, host:port, URL or scp-like location in whatever spelling. A path on this machine is permitted. */
export function judgeEndpoint(judge: Judge, text: string): Verdict {
  const shown = printable(redactUserinfo(text));
  const { hosts, local: stays } = hostCandidates(text);
  if (stays) return gravest(shown, [], 'it stays on this machine');
  if (hosts.length === 0) return refused(shown, 'unreadable', 'it names no host');
  const verdicts = hosts.map((host) => judge.host(host));
  const verdict = gravest(shown, verdicts, verdicts[0]?.reason ?? '');
  return { ...verdict, subject: shown };
}

/** A URL's password is never shown: only the user, and only when it carries no colon. */
export function redactUserinfo(text: string): string {
  return text.replace(/([\\/]{2}[^/\\@:]*):[^/\\@]*@/g, '$1:***@');
}

/**
 * Judges a Postgres connection string, URI or key=value, with several hosts, `hostaddr` and `service` taken into account
 * (libpq, section 34.1.1). A string without a host means the local socket.
 */
export function judgeConnectionString(judge: Judge, text: string): Verdict {
  const shown = printable(redactUserinfo(text).replace(/(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)/gi, '$1***'));
  const places: string[] = [];
  if (/^[a-z][a-z0-9+]*:\/\//i.test(text)) {
    const [main = '', query = ''] = text.split('?', 2);
    const authority = main.replace(/^[^:]*:\/\//, '').split('/')[0] ?? '';
    if (authority !== '' && !/@$/.test(authority)) places.push(`postgres://${authority}/`);
    for (const [key, value] of new URLSearchParams(query))
      if (/^(host|hostaddr)$/i.test(key)) places.push(...value.split(','));
    if (/(^|&)service=/i.test(query)) return refused(shown, 'unreadable', 'a service file decides where it leads');
  } else {
    for (const [, key, quoted, bare] of text.matchAll(/([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))/gi)) {
      const value = quoted ?? bare ?? '';
      if (/^(host|hostaddr)$/i.test(key ?? '')) places.push(...value.split(','));
      if (/^service$/i.test(key ?? '')) return refused(shown, 'unreadable', 'a service file decides where it leads');
    }
  }
  const verdicts = places.filter((place) => place !== '').map((place) => judgeEndpoint(judge, place));
  return { ...gravest(shown, verdicts, verdicts[0]?.reason ?? 'it names no host: the local socket'), subject: shown };
}
