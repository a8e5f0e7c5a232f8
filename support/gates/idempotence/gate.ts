import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ansibleEnvironment, ensureAnsible } from '../../ansible/environment';
import { run } from '../../command';
import { layOutRootModules } from '../../factory/checkout';
import { readFactoryApps, renderRepositories } from '../../factory/repositories';
import type { Finding } from '../../finding';
import { readInventory, type Inventory } from '../../inventory';
import { cacheHome, factoryHome } from '../../paths';
import { judged, type GateResult, type Judged } from '../result';
import { jsonEvents, readRun } from './events';
import { judgeRun } from './judge';
import { conditionsOf, hostsMeant, PlaybookFolder } from './playbooks';

export interface IdempotenceOptions {
  /** The factory whose playbooks are judged (default: FACTORY, or the reference factory). */
  factory?: string;
  inventory?: Inventory;
  /** Sees each line that ansible-playbook prints, for progress. */
  onLine?: (line: string) => void;
}

/** Findings that the one sentence names. */
const mostNamed = 6;

/** Whole minutes are normal: a check of every stage on a busy two-core host. Milliseconds. */
const timeoutMs = 600_000;

/** A task tagged `never` changes hosts only when somebody asks for its tag: it is looked at like every other. */
const everyTask = ['--tags', 'all,never'];

/**
 * The idempotence gate (seed 002, "changed=0"): `ansible-playbook --check --diff` on the converged lab changes nothing,
 * and really looks: every host is reached, every task runs or is decided by what was found. Changes nothing.
 * @param playbook one of the factory's, or every one when left away.
 * @returns a result a playbook.
 */
export async function idempotenceGate(
  playbook: string | undefined,
  options: IdempotenceOptions = {},
): Promise<GateResult[]> {
  const factory = options.factory ?? factoryHome;
  const folder = new PlaybookFolder(join(factory, 'ansible'));
  const inventory = options.inventory ?? readInventory();
  const results: GateResult[] = [];
  const scratch = await mkdtemp(join(tmpdir(), 'gate-idempotence-'));
  try {
    const environment = playbookInputs(factory, inventory, scratch);
    for (const one of playbook === undefined ? folder.all() : [folder.named(playbook)]) {
      const look = (): Promise<Judged> => check(factory, one, folder, inventory, environment, options.onLine);
      results.push(await judged('idempotence', one, look));
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return results;
}

/** What the playbooks learn from the operator's side by environment variable, as `lab up` gives it to them. */
function playbookInputs(factory: string, inventory: Inventory, scratch: string): Record<string, string> {
  const repositories = join(scratch, 'repositories');
  const checkout = join(scratch, 'tofu');
  renderRepositories(repositories, factory);
  layOutRootModules(checkout, { factory, inventory });
  return {
    RENDERED_REPOSITORIES: repositories,
    TOFU_CHECKOUT: checkout,
    TOFU_CONFIGURATION: join(cacheHome, 'tofu', 'tofurc'),
    FACTORY_APPS: readFactoryApps(factory)
      .map(({ name }) => name)
      .join(' '),
  };
}

async function check(
  factory: string,
  playbook: string,
  folder: PlaybookFolder,
  inventory: Inventory,
  environment: Record<string, string>,
  onLine: IdempotenceOptions['onLine'],
): Promise<Judged> {
  const ansible = await ensureAnsible();
  const home = join(factory, 'ansible');
  const env = await ansibleEnvironment(ansible, {
    ...environment,
    ...jsonEvents,
    ANSIBLE_CONFIG: join(home, 'ansible.cfg'),
  });
  const arguments_ = ['--check', '--diff', ...everyTask, join(home, playbook)];
  const ran = await run(join(ansible, 'bin', 'ansible-playbook'), arguments_, {
    cwd: home,
    env,
    timeoutMs,
    allowFailure: true,
    ...(onLine === undefined ? {} : { onLine }),
  });
  const outcome = readRun(playbook, ran.stdout, ran.stderr);
  const meantFor = (play: Parameters<typeof hostsMeant>[0]): string[] | undefined => hostsMeant(play, inventory);
  const { findings, diff } = judgeRun(outcome, {
    playbook,
    registered: folder.registered(),
    conditions: conditionsOf,
    meantFor,
  });
  if (ran.exitCode !== 0 && findings.every(({ status }) => status === 'met'))
    findings.push(unexplained(playbook, ran.exitCode));
  return { summary: summary(playbook, findings), findings, detail: diff };
}

function unexplained(playbook: string, exitCode: number): Finding {
  const hint = 'run the playbook with --check by hand and read its output.';
  return {
    subject: playbook,
    status: 'unknown',
    expected: 'exit code 0',
    actual: `exit code ${exitCode}`,
    source: 'ansible-playbook',
    hint,
  };
}

function summary(playbook: string, findings: readonly Finding[]): string {
  const red = findings.filter(({ status }) => status === 'unmet');
  const unknown = findings.filter(({ status }) => status === 'unknown');
  const open = red.length > 0 ? red : unknown;
  if (open.length > 0) {
    const named = open.slice(0, mostNamed).map(({ subject, actual }) => `${subject}: ${actual}`);
    const more = open.length > mostNamed ? ` and ${open.length - mostNamed} more` : '';
    const verdict = red.length > 0 ? 'is not idempotent' : 'cannot be judged';
    return `${playbook} ${verdict}: ${named.join('; ')}${more}.`;
  }
  const plays = findings.filter(({ subject }) => subject.startsWith('play ')).length;
  return `${playbook} has nothing to change: ${plays} plays, changed=0 on every host.`;
}
