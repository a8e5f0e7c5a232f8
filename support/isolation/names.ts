import { readFileSync } from 'node:fs';
import type { Judge } from './policy';
import { type Refused, refused } from './verdict';

/**
 * The addresses of a name that can be told without asking a name server: the inventory's machines first (pinned, whatever
 * else answers for them), then /etc/hosts.
 */
export function localAnswers(judge: Judge, name: string, hostsFile = '/etc/hosts'): string[] {
  const plain = name.toLowerCase().replace(/\.+$/, '');
  const pinned = judge.policy.pins?.[plain];
  if (pinned !== undefined) return [pinned];
  if (plain === 'localhost' || plain.endsWith('.localhost')) return ['127.0.0.1', '::1']; // RFC 6761, section 6.3
  return readLines(hostsFile)
    .map((line) => line.replace(/#.*$/, '').trim().toLowerCase().split(/\s+/))
    .filter(([address = '', ...names]) => address !== '' && names.includes(plain))
    .map(([address = '']) => address);
}

/**
 * Refuses to ask name servers outside the target: even the question would leave, and a name server of the production
 * network may answer for a name of the lab with a production address. Undefined when every server is permitted.
 */
export function refuseNameServers(judge: Judge, name: string, resolvConf = '/etc/resolv.conf'): Refused | undefined {
  const servers = readLines(resolvConf).flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  const bad = servers.map((server) => judge.host(server)).find((verdict) => !verdict.allowed);
  if (bad === undefined || bad.allowed) return undefined;
  const kind = bad.kind.startsWith('production') ? bad.kind : 'outside';
  return refused(
    name,
    kind,
    `neither the inventory nor /etc/hosts knows it, and the name server ${bad.subject} lies outside the target`,
  );
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return []; // Without the file the system's own defaults hold: no hosts, and a name server on this machine.
  }
}
