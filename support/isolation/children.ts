import { lookup } from 'node:dns/promises';
import { readHost } from './addresses';
import { type Command, isPackageClient, judgeCommand, unwrap } from './commands';
import { proxyVariables } from './environment';
import { localAnswers, refuseNameServers } from './names';
import { Judge, currentJudge } from './policy';
import { boundaryIsBroken } from './rig';
import { RefusedByBoundary, type Verdict, refused } from './verdict';

/** Names that only a cluster's own DNS knows; nobody outside can answer for them. */
const clusterOnly = /(^|\.)(svc|cluster\.local)$|^kubernetes(\.default)?$/;
/** Interpreters: what runs in them may be this project's own code, which is confined by itself and fetches packages. */
const interpreters = /^(node|sh|bash|python[\d.]*)$/;

/**
 * The judge for places a child process connects to. A child resolves names by itself and no socket of its is judged
 * here, so a name must be answered by /etc/hosts with a permitted address, or by a permitted name server.
 */
export class ChildJudge extends Judge {
  /** Names whose answer a permitted name server has to be asked for. */
  readonly toLookUp = new Set<string>();

  constructor(
    private readonly outer: Judge,
    private readonly files: { hosts?: string; resolvConf?: string } = {},
  ) {
    super(outer.policy);
  }

  override byNameOnly(): Judge {
    return this.outer;
  }

  override host(text: string): Verdict {
    const verdict = super.host(text);
    const reading = readHost(text);
    if (!verdict.allowed || reading.kind !== 'name' || clusterOnly.test(reading.name)) return verdict;
    const { pins: _, ...unpinned } = this.outer.policy;
    const answers = localAnswers(new Judge(unpinned), reading.name, this.files.hosts);
    if (answers.length > 0) return judgeAnswers(this.outer, reading.name, answers) ?? verdict;
    const noServer = refuseNameServers(this.outer, reading.name, this.files.resolvConf);
    if (noServer === undefined) this.toLookUp.add(reading.name);
    return noServer ?? verdict;
  }
}

function judgeAnswers(judge: Judge, name: string, addresses: readonly string[]): Verdict | undefined {
  const bad = addresses.map((address) => judge.host(address)).find((verdict) => !verdict.allowed);
  return bad === undefined
    ? undefined
    : refused(name, 'resolves-to-refused', `it resolves to ${bad.subject}: ${bad.reason}`);
}

/**
 * The first line for a child process: judges its arguments, the files they name and its environment, and returns the
 * environment to start it with. Proxies of this shell are passed to package clients and interpreters only.
 * @throws RefusedByBoundary before anything is started.
 */
export async function confinedEnvironment(
  command: Command & { env: Record<string, string> },
  judge?: Judge,
): Promise<Record<string, string>> {
  if (boundaryIsBroken()) return command.env;
  const by = new ChildJudge(judge ?? currentJudge());
  const fetches =
    isPackageClient(command.file, command.args) || interpreters.test(unwrap(command.file, command.args).program);
  const inherited = ([name, value]: [string, string]): boolean =>
    proxyVariables.test(name) && process.env[name] === value;
  const env = Object.fromEntries(Object.entries(command.env).filter((pair) => fetches || !inherited(pair)));
  // Judged with what is dropped as well: a proxy at production is refused, not passed over in silence.
  const verdicts = [
    judgeCommand(by, { ...command, env }, fetches),
    judgeCommand(by.byNameOnly(), { file: 'true', args: [], env: command.env }, true),
  ];
  for (const verdict of verdicts) if (!verdict.allowed) throw new RefusedByBoundary(verdict, 'start');
  for (const name of by.toLookUp) {
    const addresses = await lookup(name, { all: true })
      .then((found) => found.map(({ address }) => address))
      .catch(() => []);
    const bad = judgeAnswers(by.byNameOnly(), name, addresses);
    if (bad !== undefined && !bad.allowed) throw new RefusedByBoundary(bad, 'start a command with');
  }
  return env;
}
