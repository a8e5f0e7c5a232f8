import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { reason } from '../failure';
import { judgeEndpoint } from './endpoints';
import type { Judge } from './policy';
import { scan } from './scan';
import { judgeSshOptions } from './ssh';
import { type Verdict, gravest, refused, within } from './verdict';

const kubeconfigShape = z
  .object({
    clusters: z
      .array(
        z
          .object({
            name: z.string(),
            cluster: z.object({ server: z.string(), 'proxy-url': z.string().optional() }).loose(),
          })
          .loose(),
      )
      .min(1),
    users: z.array(z.object({ name: z.string(), user: z.unknown() }).loose()).nullish(),
  })
  .loose();

/** Judges every cluster, proxy and credential helper of a kubeconfig: a context switch away is still within reach. */
export function judgeKubeconfig(judge: Judge, text: string, name = 'kubeconfig'): Verdict {
  const documents = readYaml(text);
  if (typeof documents === 'string') return refused(name, 'unreadable', documents);
  const verdicts: Verdict[] = [];
  for (const document of documents) {
    const parsed = kubeconfigShape.safeParse(document);
    if (!parsed.success) return refused(name, 'unreadable', `it is no kubeconfig: ${firstIssue(parsed.error)}`);
    for (const { name: cluster, cluster: at } of parsed.data.clusters) {
      verdicts.push(within(`${name}, cluster ${cluster}`, judgeEndpoint(judge, at.server)));
      if (at['proxy-url'] !== undefined)
        verdicts.push(within(`${name}, proxy of cluster ${cluster}`, judgeEndpoint(judge, at['proxy-url'])));
    }
    for (const user of parsed.data.users ?? []) {
      const found = strings(user.user).flatMap(([, value]) => [
        ...scan(judge, value).production,
        ...scan(judge, value).others,
      ]);
      verdicts.push(...found.map((verdict) => within(`${name}, user ${user.name}`, verdict)));
    }
  }
  return gravest(name, verdicts, `all ${verdicts.length} places it names are the target's own`);
}

/** Variables of an Ansible inventory that decide where a connection goes. */
const connectionHost =
  /^ansible_(ssh_|winrm_|psrp_|network_)?host$|^(delegate_to|jump_host|bastion|ansible_psrp_proxy)$/i;
const sshArguments = /^ansible_(ssh|scp|sftp)_(common_|extra_)?args$/i;

/**
 * Judges an Ansible inventory: the file in YAML or INI, or what `ansible-inventory --list` printed. Every host's address
 * must be the target's own; production must not be mentioned anywhere, because any variable can become an address.
 */
export function judgeInventory(judge: Judge, text: string, name = 'inventory'): Verdict {
  const mention = scan(judge, stripComments(text)).production[0];
  if (mention !== undefined) return within(name, mention);
  const documents = looksLikeIni(text) ? iniPairs(text) : readYaml(text);
  if (typeof documents === 'string') return refused(name, 'unreadable', documents);
  const verdicts: Verdict[] = [];
  for (const [path, value] of documents.flatMap((document) => strings(document))) {
    const key = path.at(-1) ?? '';
    const place = `${name}, ${path.slice(-2).join('.')}`;
    if (/\{\{/.test(value)) continue; // A template: the callback plugin judges it rendered, before the first task.
    if (connectionHost.test(key)) verdicts.push(within(place, judgeEndpoint(judge, value)));
    if (sshArguments.test(key)) verdicts.push(within(place, judgeSshOptions(judge, value)));
  }
  return gravest(name, verdicts, "every address it names is the target's own");
}

function looksLikeIni(text: string): boolean {
  return /^\s*\[[\w:.-]+\]\s*$/m.test(text) && !/^\s*[{]/.test(text);
}

/** The `key=value` pairs of an INI inventory as one object a line. */
function iniPairs(text: string): Record<string, unknown>[] {
  return stripComments(text)
    .split('\n')
    .map((line) => ({
      [line.trim().split(/\s+/)[0] ?? '']: Object.fromEntries(
        [...line.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))/g)].map(([, key = '', a, b, c]) => [
          key,
          a ?? b ?? c ?? '',
        ]),
      ),
    }));
}

function stripComments(text: string): string {
  return text.replace(/(^|\s)[#;].*$/gm, '$1');
}

function readYaml(text: string): unknown[] | string {
  try {
    const documents = parseAllDocuments(text);
    if (!Array.isArray(documents) || documents.length === 0) return 'it is empty';
    const [wrong] = documents.flatMap((document) => document.errors);
    return wrong === undefined
      ? documents.map((document) => document.toJS() as unknown)
      : `it does not parse: ${wrong.message.split('\n')[0] ?? ''}`;
  } catch (thrown) {
    return `it does not parse: ${reason(thrown)}`;
  }
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`;
}

/** Every string in a document with the path of keys that leads to it. */
function strings(node: unknown, path: readonly string[] = []): [readonly string[], string][] {
  if (typeof node === 'string') return [[path, node]];
  if (typeof node === 'number' || typeof node === 'bigint') return [[path, String(node)]];
  if (Array.isArray(node)) return node.flatMap((item: unknown) => strings(item, path));
  if (node !== null && typeof node === 'object')
    return Object.entries(node).flatMap(([key, value]) => strings(value, [...path, key]));
  return [];
}
