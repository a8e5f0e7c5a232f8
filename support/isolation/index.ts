import { lookup } from 'node:dns/promises';
import { type Command, judgeCommand } from './commands';
import { judgeInventory, judgeKubeconfig } from './documents';
import { hostCandidates, judgeConnectionString, judgeEndpoint } from './endpoints';
import { judgeEnvironment } from './environment';
import { judgeGitRemote } from './git';
import { readHost } from './addresses';
import { localAnswers, refuseNameServers } from './names';
import { Judge, currentJudge, printable } from './policy';
import { boundaryIsBroken } from './rig';
import { judgeSshConfig } from './ssh';
import { RefusedByBoundary, type Verdict, allowed, gravest, refused } from './verdict';

export type { Command } from './commands';
export { type Policy, Judge, policyFrom, production, productionAddresses } from './policy';
export { type Refused, type RefusalKind, type Verdict, RefusedByBoundary, refusalExitCode } from './verdict';

/** What can be judged. A plain string is an address, host, host:port, URL or Postgres connection string. */
export type Subject =
  | string
  | { connectionString: string }
  | { gitRemote: string }
  | { kubeconfig: string; name?: string }
  | { inventory: string; name?: string }
  | { sshConfig: string; host?: string; name?: string }
  | { environment: Readonly<Record<string, string | undefined>> }
  | { command: Command };

export interface JudgeOptions {
  /** Confines the caller: `erp-sandbox` permits hosts named erp-sandbox.* only (seed 004, host-guard). */
  scope?: 'erp-sandbox';
  /** Another policy than that of the target in use. */
  judge?: Judge;
}

/** Narrows a judge to hosts named `<scope>.*`: an address says nothing about the instance behind it. */
class ScopedJudge extends Judge {
  constructor(
    outer: Judge,
    private readonly scope: string,
  ) {
    super(outer.policy);
  }

  override host(text: string): Verdict {
    const verdict = super.host(text);
    if (!verdict.allowed) return verdict;
    const reading = readHost(text);
    const meant = reading.kind === 'name' && reading.name.startsWith(`${this.scope}.`);
    return meant ? verdict : refused(verdict.subject, 'wrong-scope', `only ${this.scope}.* is meant here`);
  }
}

/**
 * The one place that decides whether something may be used. Pure: it sends nothing and looks no name up.
 * Anything that is not on the target's allow-list is refused; production with a reason of its own.
 */
export function judge(subject: Subject, options: JudgeOptions = {}): Verdict {
  if (boundaryIsBroken())
    return allowed(
      typeof subject === 'string' ? printable(subject) : 'anything',
      'the boundary is broken on purpose, inside the proof rig',
    );
  const outer = options.judge ?? currentJudge();
  const by = options.scope === undefined ? outer : new ScopedJudge(outer, options.scope);
  if (typeof subject === 'string') return judgeText(by, subject);
  if ('connectionString' in subject) return judgeConnectionString(by, subject.connectionString);
  if ('gitRemote' in subject) return judgeGitRemote(by, subject.gitRemote);
  if ('kubeconfig' in subject) return judgeKubeconfig(by, subject.kubeconfig, subject.name);
  if ('inventory' in subject) return judgeInventory(by, subject.inventory, subject.name);
  if ('sshConfig' in subject) return judgeSshConfig(by, subject.sshConfig, subject.host, subject.name);
  if ('environment' in subject) return judgeEnvironment(by, subject.environment);
  return judgeCommand(by, subject.command);
}

function judgeText(by: Judge, text: string): Verdict {
  const connection =
    /^(postgres(ql)?|pgsql|mysql):\/\//i.test(text) || /(^|\s)(host|hostaddr|service|dbname)\s*=/i.test(text);
  return connection ? judgeConnectionString(by, text) : judgeEndpoint(by, text);
}

/**
 * Refuses by throwing. Call it where a client or connection is built.
 * @throws RefusedByBoundary (an OperatorError with exit code 3) with the reason.
 */
export function assertAllowed(subject: Subject, options: JudgeOptions = {}): void {
  const verdict = judge(subject, options);
  if (!verdict.allowed) throw new RefusedByBoundary(verdict);
}

/** Looks a name up: every address it has. Replaceable in tests. */
export type Resolver = (name: string) => Promise<string[]>;

/** Asks nobody when the inventory or /etc/hosts knows, and no name server outside the target. */
function systemResolver(by: Judge): Resolver {
  return async (name) => {
    const known = localAnswers(by, name);
    if (known.length > 0) return known;
    if (refuseNameServers(by, name) !== undefined) throw new Error('the name server lies outside the target');
    return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
  };
}

/**
 * As `judge` for a string, and looks up the names it permits: a name that answers with a refused address is refused.
 * Names that are refused anyway are not looked up, so no question about them leaves this machine.
 */
export async function judgeResolved(
  text: string,
  options: JudgeOptions & { resolver?: Resolver } = {},
): Promise<Verdict> {
  const verdict = judge(text, options);
  if (!verdict.allowed || boundaryIsBroken()) return verdict;
  const by = options.judge ?? currentJudge();
  const names = hostCandidates(text).hosts.flatMap((host) => {
    const reading = readHost(host);
    return reading.kind === 'name' ? [reading.name] : [];
  });
  const answers = await Promise.all(
    names.map((name) => judgeAnswers(by, name, options.resolver ?? systemResolver(by))),
  );
  return gravest(
    verdict.subject,
    [...answers, verdict],
    answers.length === 0 ? verdict.reason : (answers[0]?.reason ?? verdict.reason),
  );
}

async function judgeAnswers(by: Judge, name: string, resolver: Resolver): Promise<Verdict> {
  let addresses: string[];
  try {
    addresses = await resolver(name);
  } catch (thrown) {
    if (thrown instanceof RefusedByBoundary) return thrown.verdict;
    return allowed(name, 'a name of the target; it does not resolve here');
  }
  const bad = addresses.map((address) => by.host(address)).find((verdict) => !verdict.allowed);
  if (bad !== undefined) return refused(name, 'resolves-to-refused', `it resolves to ${bad.subject}: ${bad.reason}`);
  return allowed(name, `a name of the target, at ${addresses.join(', ')}`);
}
