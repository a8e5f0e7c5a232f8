import { readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { judgeEndpoint } from './endpoints';
import type { Judge } from './policy';
import { scan } from './scan';
import { type Verdict, gravest, refused, within } from './verdict';

/** Directives of ssh_config(5) whose value is a place that is connected to. */
const placeDirective = /^(hostname|proxyjump)$/i;
/** Directives whose value is a command line, or an address to forward to. */
const textDirective =
  /^(proxycommand|localcommand|knownhostscommand|localforward|remoteforward|dynamicforward|bindaddress)$/i;

/** One directive of an ssh configuration. */
function judgeDirective(judge: Judge, key: string, value: string): Verdict[] {
  if (/^none$/i.test(value)) return [];
  if (placeDirective.test(key)) {
    // %h stands for the host, which is judged by itself.
    return value
      .split(',')
      .filter((place) => !/%[hn]/.test(place))
      .map((place) => within(key, judgeEndpoint(judge, place.trim())));
  }
  if (!textDirective.test(key)) return [];
  const { production, others } = scan(judge, value);
  return [...production, ...others].map((verdict) => within(key, verdict));
}

/**
 * Judges the part of an ssh configuration that applies to `host`: HostName, ProxyJump, ProxyCommand, forwards. `Match`
 * blocks are taken to apply. Without a host every block is judged.
 */
export function judgeSshConfig(judge: Judge, text: string, host?: string, name = 'ssh configuration'): Verdict {
  const verdicts: Verdict[] = [];
  let applies = true;
  for (const line of text.split('\n')) {
    const [, key = '', raw = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    const value = raw.replace(/^"(.*)"$/, '$1');
    if (/^host$/i.test(key)) applies = host === undefined || matchesHost(value, host);
    else if (/^match$/i.test(key)) applies = true;
    else if (/^include$/i.test(key) && applies) {
      verdicts.push(
        refused(name, 'unreadable', `it includes ${value}, which is not known here; write its lines into the file`),
      );
    } else if (applies) verdicts.push(...judgeDirective(judge, key, value));
  }
  const verdict = gravest(name, verdicts, 'it leads nowhere but to the target');
  return verdict.allowed || verdict.subject === name ? verdict : within(name, verdict);
}

function matchesHost(patterns: string, host: string): boolean {
  const list = patterns.split(/\s+/).map((pattern) => pattern.replace(/^"|"$/g, ''));
  const matches = (pattern: string): boolean => globExpression(pattern).test(host);
  if (list.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return list.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

/** Options of ssh(1) that take a value in the next argument. */
const withValue = 'BbcDEeFIiJLlmOopQRSWw';

/** What an ssh, scp or sftp command line would connect to and through. */
export interface SshCommand {
  hosts: string[];
  jumps: string[];
  directives: [string, string][];
  configFile: string | undefined;
  /** What is said to the remote shell, after the host. */
  remote: string[];
}

/** Reads the arguments of ssh, scp or sftp. */
export function readSshCommand(program: string, args: readonly string[]): SshCommand {
  const command: SshCommand = { hosts: [], jumps: [], directives: [], configFile: undefined, remote: [] };
  const takesValue = program === 'ssh' ? withValue : 'cDFiJloPSX';
  const operands: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (program === 'ssh' && operands.length > 0) {
      command.remote.push(arg);
      continue;
    }
    if (arg === '--') continue;
    if (!arg.startsWith('-') || arg === '-') {
      operands.push(arg);
      continue;
    }
    const at = [...arg].findIndex((letter, position) => position > 0 && takesValue.includes(letter));
    if (at < 0) continue;
    const letter = arg[at] ?? '';
    const value = arg.slice(at + 1) || (args[(index += 1)] ?? '');
    if (letter === 'J') command.jumps.push(...value.split(','));
    if (letter === 'F') command.configFile = value;
    if (letter === 'W') command.hosts.push(value);
    if (letter === 'L' || letter === 'R' || letter === 'D') command.directives.push(['localforward', value]);
    if (letter === 'o') {
      const [, key = '', setting = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(value) ?? [];
      command.directives.push([key, setting]);
    }
  }
  if (program === 'ssh') command.hosts.push(...operands.slice(0, 1));
  else
    command.hosts.push(
      ...operands.filter((operand) => /^[^/]+:/.test(operand) || operand.includes('://') || program === 'sftp'),
    );
  return command;
}

/** Splits a text into words as a shell does: quotes join, and are dropped. */
export function shellWords(text: string): string[] {
  return [...text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/g)].map(([word]) =>
    word.replace(
      /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
      (_, double?: string, single?: string, escaped?: string) => double ?? single ?? escaped ?? '',
    ),
  );
}

/** Judges a string of ssh options, as `ansible_ssh_common_args` holds them. */
export function judgeSshOptions(judge: Judge, text: string): Verdict {
  return judgeSshCommand(judge, 'ssh', shellWords(text), false);
}

/**
 * Judges where an ssh, scp or sftp command line leads: host, jump hosts, proxy commands, forwards, its `-F` file, and
 * the user's own configuration where no `-F` keeps it out.
 */
export function judgeSshCommand(
  judge: Judge,
  program: string,
  args: readonly string[],
  withUserConfig = true,
): Verdict {
  const command = readSshCommand(program, args);
  const shown = [program, ...command.hosts].join(' ');
  const verdicts: Verdict[] = [
    ...command.hosts.map((host) => within(program, judgeEndpoint(judge, host))),
    ...command.jumps
      .filter((jump) => jump !== 'none')
      .map((jump) => within(`${program} -J`, judgeEndpoint(judge, jump))),
    ...command.directives.flatMap(([key, value]) => judgeDirective(judge, key, value)),
  ];
  const target = (command.hosts[0] ?? '').replace(/^.*@/, '').replace(/:.*$/, '');
  const files = command.configFile === undefined ? (withUserConfig ? defaultConfigs() : []) : [command.configFile];
  for (const file of files.filter((name) => name !== 'none')) {
    const text = readIfThere(file);
    if (text !== undefined) verdicts.push(judgeSshConfig(judge, expandIncludes(text, dirname(file)), target, file));
  }
  return gravest(shown, verdicts, 'it leads nowhere but to the target');
}

function defaultConfigs(): string[] {
  return [join(homedir(), '.ssh', 'config'), '/etc/ssh/ssh_config'];
}

/** Puts the text of included files in place of `Include` lines (a pattern may hold * in its last part). */
function expandIncludes(text: string, folder: string, depth = 0): string {
  if (depth > 8) return text;
  return text.replace(/^\s*Include\s+(.*?)\s*$/gim, (_, patterns: string) =>
    shellWords(patterns)
      .map((pattern) => resolve(folder, pattern.replace(/^~(?=\/)/, homedir())))
      .flatMap((pattern) => matchingFiles(pattern))
      .map((file) => expandIncludes(readIfThere(file) ?? '', folder, depth + 1))
      .join('\n'),
  );
}

function matchingFiles(pattern: string): string[] {
  if (!/[*?]/.test(basename(pattern))) return [pattern];
  const expression = globExpression(basename(pattern));
  try {
    return readdirSync(dirname(pattern))
      .filter((name) => expression.test(name))
      .map((name) => join(dirname(pattern), name));
  } catch {
    return []; // As ssh: a pattern without a match includes nothing.
  }
}

function globExpression(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
    'i',
  );
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // ssh treats a missing user configuration as empty and refuses a missing -F file by itself.
  }
}
