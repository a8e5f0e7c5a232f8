import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { judgeEndpoint } from './endpoints';
import { type Judge, printable } from './policy';
import { scan } from './scan';
import { type Verdict, gravest, refused, within } from './verdict';

/** Git subcommands that talk to another repository. */
const talks = new Set([
  'clone',
  'fetch',
  'pull',
  'push',
  'ls-remote',
  'remote',
  'submodule',
  'archive',
  'send-pack',
  'fetch-pack',
  'http-push',
  'daemon',
  'lfs',
]);

interface GitConfig {
  /** remote name → its URLs, push URLs included. */
  remotes: Map<string, string[]>;
  /** [base, prefix]: a URL that starts with prefix is rewritten to start with base. */
  rewrites: [string, string][];
  proxies: string[];
}

/**
 * Judges a git remote: URL, scp-like location, path, or a transport helper (`ext::` runs a command and is refused).
 * @param config rewrites that git would apply first.
 */
export function judgeGitRemote(judge: Judge, location: string, config?: Pick<GitConfig, 'rewrites'>): Verdict {
  const shown = printable(location);
  const helper = /^([a-z0-9-]+)::/i.exec(location)?.[1];
  if (helper !== undefined)
    return refused(shown, 'unreadable', `the transport helper ${helper} decides where it leads`);
  const forms = [
    location,
    ...(config?.rewrites ?? [])
      .filter(([, prefix]) => location.startsWith(prefix))
      .map(([base, prefix]) => base + location.slice(prefix.length)),
  ];
  const verdicts = forms.map((form) =>
    isPath(form) ? gravest(printable(form), [], 'a path on this machine') : judgeEndpoint(judge, form),
  );
  return gravest(shown, verdicts, verdicts[0]?.reason ?? '');
}

/** As git: a colon before the first slash makes it scp-like; otherwise, without a scheme, it is a path. */
function isPath(location: string): boolean {
  return !location.includes('://') && !/^[^/]*:/.test(location);
}

/** Judges a git command line: every remote it names or, naming none, every remote of the repository it runs in. */
export function judgeGitCommand(judge: Judge, args: readonly string[], cwd: string): Verdict {
  let folder = cwd;
  let index = 0;
  const settings: string[] = [];
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '-C') folder = resolve(folder, args[(index += 1)] ?? '');
    else if (arg === '-c' || arg === '--config-env') settings.push(args[(index += 1)] ?? '');
    else if (arg === '--git-dir' || arg === '--work-tree' || arg === '--namespace') index += 1;
    else if (!arg.startsWith('-')) break;
  }
  const [subcommand = '', ...rest] = args.slice(index);
  const shown = `git ${subcommand}`;
  const verdicts = settings.flatMap((setting) => judgeSetting(judge, setting));
  if (!talks.has(subcommand)) return gravest(shown, verdicts, 'it talks to no other repository');
  const config = readConfig(folder);
  for (const setting of settings) addSetting(config, setting);
  const operands = rest.filter((word) => !word.startsWith('-'));
  const named = operands.filter(
    (word, at) =>
      config.remotes.has(word) || (!isPath(word) && (at === 0 || subcommand === 'remote' || word.includes('://'))),
  );
  const locations =
    named.length > 0
      ? named.flatMap((word) => config.remotes.get(word) ?? [word])
      : operands.length > 0 && subcommand === 'clone'
        ? operands.slice(0, 1)
        : [...config.remotes.values()].flat();
  // Adding or listing remotes sends nothing; a later fetch or push is judged again.
  verdicts.push(...locations.map((location) => within(shown, judgeGitRemote(judge, location, config))));
  verdicts.push(
    ...config.proxies
      .filter((proxy) => proxy !== '')
      .map((proxy) => within('git http.proxy', judgeEndpoint(judge, proxy))),
  );
  return gravest(shown, verdicts, "every remote it may use is the target's own");
}

function judgeSetting(judge: Judge, setting: string): Verdict[] {
  const { production, others } = scan(judge, setting);
  return [...production, ...others].map((verdict) => within('git -c', verdict));
}

/** Takes a `-c key=value` into account: it overrides the files. */
function addSetting(config: GitConfig, setting: string): void {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/.exec(setting) ?? [];
  const remote = /^remote\.(.+)\.(?:push)?url$/i.exec(key)?.[1];
  if (remote !== undefined) config.remotes.set(remote, [...(config.remotes.get(remote) ?? []), value]);
  const base = /^url\.(.+)\.(?:push)?insteadof$/i.exec(key)?.[1];
  if (base !== undefined) config.rewrites.push([base, value]);
  if (/^(http\.(.+\.)?|remote\..+\.)proxy$/i.test(key)) config.proxies.push(value);
}

/** The remotes, rewrites and proxies in the configuration files git would read in `folder`. */
function readConfig(folder: string): GitConfig {
  const config: GitConfig = { remotes: new Map(), rewrites: [], proxies: [] };
  const own = repositoryConfig(folder);
  for (const file of [
    '/etc/gitconfig',
    join(homedir(), '.config', 'git', 'config'),
    join(homedir(), '.gitconfig'),
    ...(own === undefined ? [] : [own]),
  ]) {
    let section = '';
    for (const line of readIfThere(file).split('\n')) {
      const [, name, subsection] = /^\s*\[([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line) ?? [];
      if (name !== undefined) section = subsection === undefined ? name : `${name}.${subsection}`;
      const [, key, value] = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined)
        addSetting(config, `${section}.${key}=${value.replace(/^"(.*)"$/, '$1')}`);
    }
  }
  return config;
}

function repositoryConfig(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const own = join(at, '.git');
    const candidate = join(isThere(own) ? linkedFolder(own) : own, 'config');
    if (isThere(candidate)) return candidate;
    if (isThere(join(at, 'HEAD')) && isThere(join(at, 'config'))) return join(at, 'config');
    if (dirname(at) === at) return undefined;
  }
}

/** A worktree's or submodule's `.git` is a file that names the folder (gitrepository-layout(5)). */
function linkedFolder(file: string): string {
  const folder = resolve(dirname(file), /^gitdir:\s*(.*?)\s*$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '.git');
  const common = join(folder, 'commondir');
  return isThere(common) ? resolve(folder, readFileSync(common, 'utf8').trim()) : folder;
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function readIfThere(file: string): string {
  return isThere(file) ? readFileSync(file, 'utf8') : '';
}
