import { basename } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { judgeConnectionString, judgeEndpoint } from './endpoints';
import { judgeKubeconfig } from './documents';
import { judgeEnvironment, judgeInventoryPath } from './environment';
import { judgeGitCommand } from './git';
import type { Judge } from './policy';
import { scan } from './scan';
import { judgeSshCommand } from './ssh';
import { type Verdict, gravest, within } from './verdict';

/** A command about to be started. */
export interface Command {
  file: string;
  args: readonly string[];
  /** The whole environment of the child. */
  env: Readonly<Record<string, string | undefined>>;
  cwd?: string;
}

/** Programs that configure this kernel or move files and open no connection: an address is data to them. */
const local = new Set([
  'ip',
  'nft',
  'iptables',
  'ip6tables',
  'iptables-save',
  'ipset',
  'tc',
  'bridge',
  'sysctl',
  'conntrack',
  'ss',
  'grep',
  'rg',
  'sed',
  'awk',
  'cat',
  'tee',
  'printf',
  'echo',
  'tar',
  'cp',
  'mv',
  'ln',
  'openssl-req',
]);
/** Clients of package registries, which lie outside by nature. Production is refused to them as to all others. */
const packageClients = new Set([
  'go',
  'npm',
  'npx',
  'pip',
  'pip3',
  'apt-get',
  'apt',
  'mmdebstrap',
  'debootstrap',
  'uv',
]);
/** Programs that start the program in their arguments. */
const wrappers = new Set([
  'env',
  'nsenter',
  'unshare',
  'sudo',
  'setpriv',
  'runuser',
  'nice',
  'ionice',
  'timeout',
  'chroot',
  'setsid',
  'stdbuf',
  'time',
  'nohup',
  'chrt',
  'taskset',
  'prlimit',
]);
/** Programs whose plain arguments are places to connect to. */
const talkers = new Set([
  'curl',
  'wget',
  'nc',
  'ncat',
  'telnet',
  'ping',
  'mysql',
  'redis-cli',
  'dig',
  'nslookup',
  'host',
]);
const sshPrograms = new Set(['ssh', 'scp', 'sftp']);
/** Options whose value is a place, whatever the program. */
const placeOption =
  /^--?(host|hostname|server|address|addr|url|endpoints?|proxy|connect|connect-to|registry|etcd-servers|jump|kube-apiserver|repo(?:sitory)?-url)$/;

/** True for a client of package registries, `python -m pip` included. */
export function isPackageClient(file: string, args: readonly string[]): boolean {
  const { program, rest } = unwrap(file, args);
  if (packageClients.has(program)) return true;
  return /^python[\d.]*$/.test(program) && rest[0] === '-m' && (rest[1] === 'pip' || rest[1] === 'venv');
}

/** The program that really runs, looked for behind wrappers such as nsenter and env. */
export function unwrap(file: string, args: readonly string[]): { program: string; rest: readonly string[] } {
  const program = basename(file);
  if (program === 'ip' && args[0] === 'netns' && args[1] === 'exec') return unwrap(args[3] ?? '', args.slice(4));
  if (!wrappers.has(program)) return { program, rest: args };
  const known = (word: string): boolean => {
    const name = basename(word);
    return (
      local.has(name) ||
      packageClients.has(name) ||
      wrappers.has(name) ||
      talkers.has(name) ||
      sshPrograms.has(name) ||
      specific.has(name)
    );
  };
  const at = args.findIndex((word) => !word.startsWith('-') && known(word));
  return at < 0 ? { program, rest: args } : unwrap(args[at] ?? '', args.slice(at + 1));
}

type Specific = (judge: Judge, rest: readonly string[], command: Command) => Verdict[];

const specific = new Map<string, Specific>([
  ['git', (judge, rest, command) => [judgeGitCommand(judge, rest, command.cwd ?? process.cwd())]],
  ...['psql', 'pg_dump', 'pg_dumpall', 'pg_restore', 'pg_isready', 'pg_basebackup', 'createdb', 'dropdb'].map(
    (name): [string, Specific] => [name, judgePostgresTool],
  ),
  ...['kubectl', 'helm', 'argocd', 'kubelet', 'k9s'].map((name): [string, Specific] => [name, judgeKubernetesTool]),
  ...['ansible', 'ansible-playbook', 'ansible-inventory', 'ansible-console', 'ansible-pull'].map(
    (name): [string, Specific] => [name, judgeAnsible],
  ),
]);

function judgePostgresTool(judge: Judge, rest: readonly string[]): Verdict[] {
  return [
    ...optionValues(rest, ['-h']).map((value) => judgeEndpoint(judge, value)),
    ...[...optionValues(rest, ['-d', '--dbname']), ...rest.filter((word) => !word.startsWith('-'))]
      .filter((word) => /:\/\/|\b(host|hostaddr|service)\s*=/i.test(word))
      .map((word) => judgeConnectionString(judge, word)),
  ];
}

function judgeKubernetesTool(judge: Judge, rest: readonly string[]): Verdict[] {
  return [
    ...optionValues(rest, ['-s']).map((value) => judgeEndpoint(judge, value)),
    ...optionValues(rest, ['--kubeconfig'])
      .filter((file) => existsSync(file))
      .map((file) => judgeKubeconfig(judge, readFileSync(file, 'utf8'), file)),
  ];
}

function judgeAnsible(judge: Judge, rest: readonly string[]): Verdict[] {
  return optionValues(rest, ['-i', '--inventory', '--inventory-file']).flatMap((value) =>
    judgeInventoryPath(judge, value),
  );
}

/** The values of options, written `-o value`, `-ovalue`, `--option value` or `--option=value`. */
function optionValues(words: readonly string[], names: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    if (names.includes(word)) return [words[index + 1] ?? ''];
    const long = names.find((name) => name.startsWith('--') && word.startsWith(`${name}=`));
    if (long !== undefined) return [word.slice(long.length + 1)];
    const short = names.find((name) => /^-[a-z]$/i.test(name) && word.startsWith(name) && !word.startsWith('--'));
    return short === undefined ? [] : [word.slice(short.length)];
  });
}

/** The places named by options such as `--server=...`, whatever the program. */
function placeValues(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [, option = '', value] = /^(--?[\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (!placeOption.test(option)) return [];
    const found = value ?? words[index + 1] ?? '';
    return found === '' || found.startsWith('-') || /^[/.~]/.test(found) ? [] : found.split(',');
  });
}

function judgeWords(
  judge: Judge,
  program: string,
  rest: readonly string[],
  command: Command,
  packages: boolean,
): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const word of rest) {
    const { production, others } = scan(judge, word);
    verdicts.push(...production, ...(packages ? [] : others));
  }
  if (packages) return verdicts;
  if (sshPrograms.has(program)) verdicts.push(judgeSshCommand(judge, program, rest));
  verdicts.push(...(specific.get(program)?.(judge, rest, command) ?? []));
  if (specific.has(program) || talkers.has(program))
    verdicts.push(...placeValues(rest).map((place) => judgeEndpoint(judge, place)));
  if (talkers.has(program)) {
    // A plain word with a dot or a port is a place to these; option values that are files or headers hold neither alone.
    const places = rest.filter(
      (word, index) =>
        /^(\w+:\/\/\S+|[\w.-]+(\.[\w-]+|:\d+)(\/\S*)?)$/.test(word) &&
        !/^-/.test(rest[index - 1] ?? '') &&
        !word.startsWith('-'),
    );
    verdicts.push(...places.map((place) => judgeEndpoint(judge, place)));
  }
  return verdicts;
}

/**
 * Judges a command before it is started: its arguments (addresses in any spelling, URLs, ssh, git, Ansible, Kubernetes
 * and Postgres options, files they point to) and the environment it would get. What it reads from standard input is not judged.
 * @param packageEnvironment its environment may name package sources and proxies outside the target.
 */
export function judgeCommand(
  judge: Judge,
  command: Command,
  packageEnvironment = isPackageClient(command.file, command.args),
): Verdict {
  const { program, rest } = unwrap(command.file, command.args);
  const shown = `command ${program}`;
  if (local.has(program)) return gravest(shown, [], 'it opens no connection');
  const packages = isPackageClient(command.file, command.args);
  const verdicts = [
    judgeEnvironment(judge, command.env, { packages: packageEnvironment }),
    ...judgeWords(judge, program, rest, command, packages).map((verdict) => within(shown, verdict)),
  ];
  return gravest(
    shown,
    verdicts,
    packages ? 'a package client; production is not named' : 'nothing it is given leads outside the target',
  );
}
