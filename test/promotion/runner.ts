import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureComponents } from '../../sandbox/forge/forge';
import { progressReporter } from '../../sandbox/progress';
import { childEnvironment, run } from '../../support/command';
import { eventually } from '../../support/eventually';
import { OperatorError } from '../../support/failure';
import type { Finding } from '../../support/finding';
import { forgeProgram, projectRoot } from '../../support/paths';
import type { TrialRepository } from './api';

/** The runner's user: a number that nobody has, so that what its processes send can be told from all else. */
const user = 64_207;
const table = 'promotion_trial';
const suite = '/srv/sandbox-acceptance';

/** Where a runner lives. */
export interface RunnerPlace {
  /** A folder of its own: credential, log, and the jobs' work. */
  home: string;
  /** The ledger that jobs find in the suite. */
  ledger: string;
}

/**
 * A runner of one repository on this machine, in host mode: a user of its own without privileges, in namespaces of its own, that
 * reaches the sandbox's Gitea and nothing else. Everything it starts ends with it.
 */
export class TrialRunner {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly place: RunnerPlace,
    private readonly gitea: URL,
  ) {}

  /** Builds the component where it is missing, fences the user in, and registers the runner. */
  static async register(
    repository: TrialRepository,
    place: RunnerPlace,
    labels: readonly string[],
  ): Promise<TrialRunner> {
    await ensureComponents(['actions-runner'], { onProgress: progressReporter(process.stderr) });
    const runner = new TrialRunner(place, new URL(repository.endpoint));
    mkdirSync(join(place.home, 'user'), { recursive: true, mode: 0o700 });
    // What the workflow calls is the operator's checkout, which git otherwise refuses to another user.
    await run('git', ['config', '--file', join(place.home, 'user', '.gitconfig'), 'safe.directory', suite]);
    // Where the job finds the ledger; in a fresh clone no run has made it yet.
    mkdirSync(join(projectRoot, 'reports', 'ledger'), { recursive: true, mode: 0o700 });
    await fence(runner.gitea);
    await run(
      forgeProgram('actions-runner'),
      [
        ...['register', '-home', place.home, '-instance', repository.endpoint],
        ...['-name', repository.name, '-labels', labels.join(',')],
      ],
      { input: `${await repository.registrationToken()}\n` },
    );
    await runner.own();
    return runner;
  }

  /** Gives the runner's user what was written for it by this one. */
  async own(): Promise<void> {
    await run('chown', ['-R', `${user}:${user}`, this.place.home, this.place.ledger]);
  }

  /** Starts it, and waits until it asks for jobs. */
  async start(): Promise<void> {
    const program = forgeProgram('actions-runner');
    const actions = `actions/checkout@v4=${suite}/sandbox/runner/actions/checkout`;
    // What is wrong before the runner itself can write its log.
    const errors = openSync(this.errors(), 'a');
    this.child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL'],
        ...[join(projectRoot, 'test', 'promotion', 'confine.sh')],
        ...['run', '-home', '/srv/runner', '-poll', '500ms', '-timeout', '5m', '-action', actions],
      ],
      {
        env: childEnvironment({
          HOME_FOLDER: this.place.home,
          SUITE_FOLDER: projectRoot,
          LEDGER_FOLDER: this.place.ledger,
          PROGRAM: program,
          RUNNER_UID: String(user),
        }),
        stdio: ['ignore', 'ignore', errors],
      },
    );
    closeSync(errors);
    const before = this.log().split('waiting for jobs').length;
    await eventually(
      'the runner asks for jobs',
      async () => {
        const alive = this.child?.exitCode === null && this.child.signalCode === null;
        const waits = this.log().split('waiting for jobs').length > before;
        return { ...this.finding(waits, 'waiting for jobs', this.lastWords()), final: !alive };
      },
      'boot',
    );
  }

  /** SIGKILL, as when the power is pulled: nobody says anything any more. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const [runner] = childrenOf(child.pid ?? 0);
    process.kill(runner ?? child.pid ?? 0, 'SIGKILL');
    await gone;
  }

  /** Waits until none of its user's processes is left but the runner itself, when it runs. */
  async alone(): Promise<void> {
    const allowed = this.child === undefined ? 0 : 1;
    await eventually(
      'the job’s processes are gone',
      async () => {
        const running = processesOf(user);
        return this.finding(running.length <= allowed, `${allowed} processes`, running.join('; '));
      },
      'api',
    );
  }

  /** Waits until a job runs so many processes with such a command line. */
  async runs(what: string, count: number): Promise<void> {
    await eventually(
      `the job runs ${count} times ${what}`,
      async () => {
        const running = processesOf(user);
        return this.finding(running.filter((line) => line === what).length === count, what, running.join('; '));
      },
      'api',
    );
  }

  /** Command lines of what runs as the runner's user. */
  processes(): string[] {
    return processesOf(user);
  }

  /** What it wrote about itself: which jobs began and ended. */
  log(): string {
    try {
      return readFileSync(join(this.place.home, 'log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** Mode of the file with its credential, octal. */
  credentialMode(): string {
    return (statSync(join(this.place.home, 'runner.json')).mode & 0o777).toString(8);
  }

  /** Tries to reach a place as the runner's user. @returns whether it could. */
  async reaches(url: string): Promise<boolean> {
    const { hostname, port } = new URL(url);
    const { exitCode } = await run(
      'setpriv',
      [
        ...[`--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'bash', '-c'],
        `exec 3<> /dev/tcp/${hostname}/${port}`,
      ],
      { allowFailure: true, timeoutMs: 5_000 },
    );
    return exitCode === 0;
  }

  /** Where its user's processes were refused to send to so far: "10.77.0.10 tcp 5000". */
  async refused(): Promise<string[]> {
    const places: string[] = [];
    for (const set of ['refused', 'refused6']) {
      const { stdout } = await run('nft', ['list', 'set', 'inet', table, set]);
      const elements = /elements = \{([^}]*)\}/.exec(stdout)?.[1] ?? '';
      places.push(...elements.split(',').flatMap((one) => one.trim().replaceAll(' . ', ' ') || []));
    }
    return places;
  }

  private errors(): string {
    return `${this.place.home}.errors`;
  }

  private lastWords(): string {
    const text = `${readFileSync(this.errors(), 'utf8')}${this.log()}`;
    return text.trim().split('\n').at(-1) ?? '';
  }

  private finding(met: boolean, expected: string, actual: string): Finding {
    const source = join(this.place.home, 'log');
    return { subject: 'the runner', status: met ? 'met' : 'unmet', expected, actual, source };
  }
}

/** Lets the runner's user send to Gitea and to nowhere else; also not to this machine. */
async function fence(gitea: URL): Promise<void> {
  await unfence();
  const rules = `table inet ${table} {
  set refused { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 1024; }
  set refused6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 1024; }
  chain fenced {
    ip daddr ${gitea.hostname} tcp dport ${gitea.port || '80'} accept
    add @refused { ip daddr . meta l4proto . th dport }
    add @refused6 { ip6 daddr . meta l4proto . th dport }
    reject
  }
  chain output {
    type filter hook output priority 0; policy accept;
    meta skuid ${user} goto fenced
  }
}
`;
  await run('nft', ['-f', '-'], { input: rules });
}

/** Takes the fence away, also one that a killed trial left. */
export async function unfence(): Promise<void> {
  const { exitCode, stderr } = await run('nft', ['delete', 'table', 'inet', table], { allowFailure: true });
  if (exitCode === 0 || stderr.includes('No such file or directory')) return;
  throw new OperatorError({
    attempted: `remove the table ${table}`,
    seen: stderr,
    next: `remove it by hand: nft delete table inet ${table}`,
  });
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Command lines of a user's processes, as this machine sees them. */
function processesOf(uid: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        if (!new RegExp(`^Uid:\\s+${uid}\\s`, 'm').test(status) || /^State:\s+[ZX]/m.test(status)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
      } catch {
        // It ended while it was looked at.
        return [];
      }
    });
}
