import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../support/command';
import { sourceOf } from '../../support/evidence/ledger';
import { entries } from '../../support/evidence/ledger/find';
import { worst } from '../../support/finding';
import type { Inventory } from '../../support/inventory';
import { shielded } from '../../support/interruption';
import { projectRoot } from '../../support/paths';
import { verdictKept } from '../../support/promotion/expectations';
import { Rehearsal } from '../../support/promotion/rehearsal';
import { readGiteaAdmin } from '../../support/sandbox-secrets';
import { TrialRepository, type Pull, type WorkflowRun } from './api';
import type { Checks } from './checks';
import { says, type Planted } from './planted';
import { TrialRunner, unfence } from './runner';

/** Which of the two workflows is tried, and where a repository has it. */
export interface Wiring {
  kind: 'gitea' | 'github';
  /** The workflow's file in this project. */
  file: string;
  /** Its place in the repository. */
  path: string;
  /** The status it sets, which the branch protection asks for. */
  context: string;
}

export const wirings: Readonly<Record<Wiring['kind'], Wiring>> = {
  gitea: {
    kind: 'gitea',
    file: 'gitea.yml',
    path: '.gitea/workflows/promotion.yml',
    context: 'promotion / promotion (pull_request_target)',
  },
  github: {
    kind: 'github',
    file: 'github.yml',
    path: '.github/workflows/promotion.yml',
    context: 'promotion / promotion (pull_request)',
  },
};

const workflow = 'promotion.yml';
const prefix = 'promotion-trial-';

/** What a branch brings along that would rather not be judged. */
const easy = `name: promotion
on: [pull_request, pull_request_target]
jobs:
  promotion:
    runs-on: sandbox
    steps: [{ run: 'true' }]
`;

/** A job that says what must be hidden, and holds until it is ended; a commit with \`Go on\` lets it through. */
const holding = `name: hold
on: { push: { branches: [hold] } }
jobs:
  hold:
    runs-on: sandbox
    env: { TOKEN: '\${{ github.token }}', SECRET: '\${{ secrets.TRIAL }}' }
    steps:
      - name: show what must be hidden
        run: |
          echo "token $TOKEN and $(head -n 1 <<< "$SECRET")"
          echo "$SECRET"
          echo "the token has the hash $(printf %s "$TOKEN" | sha256sum | cut -d ' ' -f 1)"
      - if: "!contains(github.event.head_commit.message, 'Go on')"
        run: |
          setsid nohup sleep 86399 > /dev/null 2>&1 &
          sleep 86399
`;

/** One repository on the sandbox's Gitea with one runner, for as long as a trial takes. */
export class Trial {
  private runner: TrialRunner | undefined;

  private constructor(
    readonly repository: TrialRepository,
    readonly checks: Checks,
    private readonly folder: string,
    private readonly rehearsal: Rehearsal,
    private readonly wiring: Wiring,
    private readonly planted: Planted | undefined,
  ) {}

  /** Runs `story` in a repository that is made for it, and removes everything that was made. */
  static async with(
    inventory: Inventory,
    wiring: Wiring,
    checks: Checks,
    story: (trial: Trial) => Promise<void>,
    planted?: Planted,
  ): Promise<void> {
    await sweep(inventory);
    const folder = mkdtempSync(join(tmpdir(), prefix));
    const rehearsal = new Rehearsal(folder);
    const repository = repositoryOf(inventory, wiring.kind);
    const trial = new Trial(repository, checks, folder, rehearsal, wiring, planted);
    try {
      await trial.begin();
      await story(trial);
    } finally {
      await shielded(() => trial.end());
    }
  }

  /** The repository with the workflow on main, its protection, and a runner that waits. */
  private async begin(): Promise<void> {
    const { repository, rehearsal, wiring, planted, folder } = this;
    await repository.make();
    await rehearsal.begin();
    const own = readFileSync(join(projectRoot, 'docs', 'pull-requests', wiring.file), 'utf8');
    await rehearsal.git('checkout', '--quiet', 'main');
    await rehearsal.commit('Judge pull requests', { [wiring.path]: planted?.workflow?.(own) ?? own });
    await this.push('main');
    if (planted?.unprotected !== true) await repository.protect(planted?.asks ?? wiring.context);
    mkdirSync(rehearsal.ledger, { mode: 0o700 });
    const place = { home: join(folder, 'runner'), ledger: rehearsal.ledger };
    const runner = await TrialRunner.register(repository, place, ['sandbox', 'self-hosted']);
    this.runner = runner;
    await runner.start();
  }

  private async end(): Promise<void> {
    try {
      await this.runner?.kill();
      await unfence();
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
      await this.repository.remove();
    }
  }

  /** A pull request is blocked for want of evidence; with the evidence it is green, and merged. */
  async blockedThenGreen(): Promise<void> {
    const { repository, checks, rehearsal } = this;
    const runner = this.running();
    checks.is('mode of the runner’s credential', '600', runner.credentialMode());
    await this.branch('change', { 'argocd/values.yaml': 'gitea_applications: { cms: {} }\n' });
    const [pull, blocked] = await this.judged('change');
    checks.is(says.blocked, 'failure, by a job', blocked);
    const first = await repository.comments(pull);
    checks.is(says.comments, '1', String(first.length));
    checks.is('the comment', 'NOT YET', verdictIn(first));
    checks.is('the verdict in the ledger', 'met', worst(verdictKept(rehearsal, 'red')));
    const [suite, entry] = [
      await sourceOf('suite', projectRoot),
      [...entries(rehearsal.ledger, () => true)].at(-1)?.entry,
    ];
    const by = entry?.sources.find(({ role }) => role === 'suite')?.commit;
    checks.is('by the commit of the suite', suite.commit ?? 'none', by ?? 'none');
    const refused = await repository.merge(pull);
    checks.is(says.refused, '405', refused.code);
    checks.is('because', 'true', String(/status checks/.test(refused.says)));
    await rehearsal.survive();
    await runner.own();
    const before = await repository.youngest(workflow);
    await repository.reopen(pull);
    checks.is('the job with evidence', 'success, by a job', await this.ended(pull, before));
    const then = await repository.comments(pull);
    checks.is('comments, the same one rewritten', '1', String(then.length));
    checks.is('the comment', 'PROMOTE', verdictIn(then));
    checks.is(says.merged, '200', (await repository.merge(pull)).code);
  }

  /** A branch that brings a workflow which says yes to everything is judged by that of its base. */
  async rewritten(): Promise<void> {
    await this.branch('easy', { [this.wiring.path]: easy, 'argocd/values.yaml': 'gitea_applications: { erp: {} }\n' });
    const [pull, status] = await this.judged('easy');
    this.checks.is(says.rewritten, 'failure, by a job', status);
    this.checks.is('merging it', '405', (await this.repository.merge(pull)).code);
  }

  /** A job that is cancelled ends, with everything it started; so does one whose runner is killed. */
  async broken(): Promise<void> {
    const { repository, checks } = this;
    const runner = this.running();
    const secret = `${randomBytes(12).toString('hex')}\n${randomBytes(12).toString('hex')}`;
    await repository.keepSecret('TRIAL', secret);
    await this.branch('hold', { '.gitea/workflows/hold.yml': holding });
    const held = await this.holding(0);
    checks.is('processes of a job that holds', 'true', String(runner.processes().length > 3));
    // Another push cancels what runs for the one before.
    await this.branchOn('hold', { 'argocd/values.yaml': 'gitea_applications: { one: {} }\n' });
    checks.is('the job that was cancelled', 'cancelled', await repository.conclusion(held));
    const next = await this.holding(held.id);
    // The runner does one job at a time: it is done with the one before, and Gitea has the end of its log.
    const log = await repository.log(held);
    checks.is(
      'processes that the cancelled job left behind',
      'were ended',
      /left behind (were ended)/.exec(log)?.[1] ?? '',
    );
    this.hidden(log, secret);
    await runner.kill();
    await runner.alone();
    checks.is('processes once the runner is killed', '0', String(runner.processes().length));
    const began = performance.now();
    await runner.start();
    checks.is('the job whose runner was killed', 'failure', await repository.conclusion(next));
    checks.is('said within 30 s', 'true', String(performance.now() - began < 30_000));
    await this.branchOn('hold', { 'argocd/values.yaml': 'gitea_applications: { two: {} }\n' }, 'Go on');
    const last = await repository.run('hold.yml', next.id, 'completed');
    checks.is('the job after it', 'success', await repository.conclusion(last));
    await runner.alone();
  }

  /** The runner's user reaches Gitea and nothing else, and nothing else was tried by any job. */
  async fenced(inventory: Inventory): Promise<void> {
    const { checks } = this;
    const runner = this.running();
    checks.is('what else than Gitea jobs tried to reach', 'nothing', (await runner.refused()).join(', ') || 'nothing');
    checks.is('Gitea can be reached by the runner', 'true', String(await runner.reaches(inventory.endpoints.gitea)));
    checks.is('the registry of the lab cannot', 'false', String(await runner.reaches(inventory.endpoints.registry)));
    const place = new URL(inventory.endpoints.registry);
    checks.is('and was refused', `${place.hostname} tcp ${place.port}`, (await runner.refused()).at(0) ?? 'nothing');
  }

  private hidden(log: string, secret: string): void {
    const { checks } = this;
    checks.is('the log shows what was hidden', '*** and ***', /^.*token (.* and .*?)\s*$/m.exec(log)?.[1] ?? 'nothing');
    const lines = secret.split('\n').filter((line) => log.includes(line));
    checks.is('lines of the secret in the log', '0', String(lines.length));
    // The job says the hash of its token: none of the words of the log may be what it is the hash of.
    const hash = /token has the hash ([0-9a-f]{64})/.exec(log)?.[1] ?? '';
    const words = log.match(/[0-9a-f]{40}/g) ?? [];
    const shown = words.filter((word) => createHash('sha256').update(word).digest('hex') === hash);
    checks.is('the token’s hash is known', '64', String(hash.length));
    checks.is('the token in the log', '0', String(shown.length));
  }

  /** A run of the holding workflow after `after`, once it holds. */
  private async holding(after: number): Promise<WorkflowRun> {
    const found = await this.repository.run('hold.yml', after, 'in_progress');
    await this.running().runs('sleep 86399', 2);
    return found;
  }

  /** Opens a pull request. @returns it with the status it has when the workflow has run for it. */
  private async judged(branch: string): Promise<[Pull, string]> {
    const before = await this.repository.youngest(workflow);
    const pull = await this.repository.open(branch, `Change by ${branch}`);
    return [pull, await this.ended(pull, before)];
  }

  private async ended(pull: Pull, after: number): Promise<string> {
    await this.repository.run(workflow, after, 'completed');
    return this.repository.settled(pull.head.sha, this.planted?.sets ?? this.wiring.context);
  }

  /** A branch from main with one commit. */
  private async branch(name: string, files: Record<string, string>): Promise<void> {
    await this.rehearsal.git('checkout', '--quiet', '-B', name, 'main');
    await this.branchOn(name, files);
  }

  private async branchOn(name: string, files: Record<string, string>, message = 'Change it'): Promise<void> {
    await this.rehearsal.commit(message, files);
    await this.push(name);
  }

  private async push(branch: string): Promise<void> {
    // By the configuration of the environment: a token has no place in arguments.
    const env = {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: token ${readGiteaAdmin().token}`,
    };
    await run('git', ['-C', this.rehearsal.repo, 'push', '--quiet', this.repository.remote, branch], { env });
    await this.repository.knows(branch, await this.rehearsal.git('rev-parse', branch));
  }

  private running(): TrialRunner {
    if (this.runner === undefined) throw new Error('the trial has not begun');
    return this.runner;
  }
}

function repositoryOf({ endpoints, giteaOrg }: Inventory, kind: Wiring['kind']): TrialRepository {
  return new TrialRepository(endpoints.gitea, giteaOrg, `promotion-trial-${kind}`, readGiteaAdmin().token);
}

/** Removes what a trial left that was killed. */
async function sweep(inventory: Inventory): Promise<void> {
  await unfence();
  for (const kind of ['gitea', 'github'] as const) await repositoryOf(inventory, kind).remove();
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith(prefix)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
}

function verdictIn(comments: readonly string[]): string {
  return /Promotion: (.*)/.exec(comments[0] ?? '')?.[1] ?? 'none';
}
