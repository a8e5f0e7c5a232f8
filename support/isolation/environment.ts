import { existsSync, readFileSync, statSync } from 'node:fs';
import { judgeConnectionString, judgeEndpoint } from './endpoints';
import { judgeInventory, judgeKubeconfig } from './documents';
import type { Judge } from './policy';
import { scan } from './scan';
import { shellWords, judgeSshOptions } from './ssh';
import { type Verdict, gravest, refused, within } from './verdict';

/** Set by sshd and shells to say where the operator sits; no client connects to what they hold. */
const informational = /^(SSH_CLIENT|SSH_CONNECTION|SSH_TTY|HOST|HOSTNAME|OLDPWD|PWD|PS1|PROMPT_COMMAND|LS_COLORS|_)$/;
/** Where package clients fetch from, and through what: outside the target by nature, production never. */
const packageSources = /^(GOPROXY|GOSUMDB|GONOSUMDB|GOPRIVATE|NPM_CONFIG_.*|PIP_.*|UV_.*|NODE_EXTRA_CA_CERTS)$/i;
/** Variables that make a client go through a proxy. */
export const proxyVariables = /^(https?|all|ftp|socks|no)_proxy$/i;
/** Variables whose value is a host, host:port or URL by convention. */
const endpointVariables =
  /^(.*_)?(ADDR|ADDRESS|HOST|HOSTNAME|HOSTADDR|ENDPOINT|SERVER|SERVERS|URL|URI|BASE_URL)$|^PGHOST(ADDR)?$|^DOCKER_HOST$/;

/** What may be looked at beside the variables themselves. */
export interface EnvironmentOptions {
  /** Package clients may name registries and proxies outside the target. */
  packages?: boolean;
}

/** Judges one variable of an environment that a client or child will see. */
function judgeVariable(judge: Judge, name: string, value: string, options: EnvironmentOptions): Verdict[] {
  if (value === '' || informational.test(name) || /^no_proxy$/i.test(name)) return [];
  if (/^KUBECONFIG$/i.test(name)) {
    return value
      .split(':')
      .filter((file) => file !== '' && existsSync(file))
      .map((file) => judgeKubeconfig(judge, readFileSync(file, 'utf8'), file));
  }
  if (/^ANSIBLE_INVENTORY$/i.test(name)) return value.split(',').flatMap((file) => judgeInventoryPath(judge, file));
  if (/^(GIT_SSH_COMMAND|GIT_SSH|ANSIBLE_SSH_(COMMON_|EXTRA_)?ARGS)$/.test(name))
    return [
      judgeSshOptions(
        judge,
        shellWords(value)
          .filter((word) => !/(^|\/)ssh$/.test(word))
          .map((word) => `'${word}'`)
          .join(' '),
      ),
    ];
  if (/^(PGSERVICE|PGSERVICEFILE)$/.test(name))
    return [refused(name, 'unreadable', 'a service file decides where Postgres clients connect')];
  const { production, others } = scan(judge, value);
  if (production.length > 0) return production;
  if (packageSources.test(name)) return [];
  if (proxyVariables.test(name)) return options.packages ? [] : [judgeEndpoint(judge, value)];
  if (/^(postgres(ql)?:\/\/|.*\bhost(addr)?\s*=)/i.test(value)) return [judgeConnectionString(judge, value)];
  if (options.packages) return [];
  if (endpointVariables.test(name))
    return value
      .split(',')
      .map((one) => (isBareValue(one) ? judgeEndpoint(judge, one.trim()) : undefined))
      .filter((verdict) => verdict !== undefined);
  return others;
}

/** A value that can be read as a place: no white space, and not only a path or a word of the shell. */
function isBareValue(value: string): boolean {
  return value.trim() !== '' && !/\s/.test(value.trim()) && !value.startsWith('/');
}

/** Judges every variable of an environment. Messages name the variable; a value is shown only where it is an address. */
export function judgeEnvironment(
  judge: Judge,
  environment: Readonly<Record<string, string | undefined>>,
  options: EnvironmentOptions = {},
): Verdict {
  const verdicts = Object.entries(environment).flatMap(([name, value]) =>
    judgeVariable(judge, name, value ?? '', options).map((verdict) => within(`environment variable ${name}`, verdict)),
  );
  return gravest('environment', verdicts, 'no variable leads outside the target');
}

/**
 * Judges the shell this process was started from: production anywhere in it is refused. What else leads outside is not
 * used by any client here and not passed on to children, so it is left alone.
 */
export function judgeShell(judge: Judge, environment: Readonly<Record<string, string | undefined>>): Verdict {
  const verdict = judgeEnvironment(judge, environment);
  if (!verdict.allowed && verdict.kind.startsWith('production')) return verdict;
  return gravest('environment', [], 'no variable leads to production');
}

/** Judges an inventory argument: a file, a folder's name, or a comma-separated list of hosts as `ansible -i` takes it. */
export function judgeInventoryPath(judge: Judge, value: string): Verdict[] {
  const stat = statSync(value, { throwIfNoEntry: false });
  if (stat?.isFile()) {
    // An executable inventory is a program; what it prints is judged from `ansible-inventory --list`.
    const text = readFileSync(value, 'utf8');
    return [
      text.startsWith('#!')
        ? gravest(value, scan(judge, text).production, 'a program; judged by what it prints')
        : judgeInventory(judge, text, value),
    ];
  }
  if (stat !== undefined || !value.includes(',')) return [];
  return value
    .split(',')
    .filter((host) => host !== '')
    .map((host) => within('inventory', judgeEndpoint(judge, host)));
}
