import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { parse } from 'yaml';
import { z } from 'zod';
import { run } from '../../support/command';
import { eventually } from '../../support/eventually';
import { redactor } from '../../support/evidence/redaction';
import { runMainAndExit } from '../../support/command-line';
import { OperatorError, reason } from '../../support/failure';
import { readInventory } from '../../support/inventory';
import { assertAllowed } from '../../support/isolation';
import { projectRoot } from '../../support/paths';
import { Rehearsal } from '../../support/promotion/rehearsal';
import { readGiteaAdmin } from '../../support/sandbox-secrets';

/**
 * Tries the workflow docs/pull-requests/gitea.yml against the lab's own Gitea: a pull request on a protected branch is blocked,
 * then green. Gitea, its branch protection, comments and merge are real. The runner is a stand-in: this program runs the
 * workflow's own steps with bash and reports the job's status, because act_runner is not on this machine. What the drills
 * would leave in the ledger is written by the trial, into a ledger of its own.
 */
const status = 'promotion / promotion (pull_request)';
const name = 'promotion-trial';

const workflowShape = z.object({
  jobs: z.object({
    promotion: z.object({
      env: z.record(z.string(), z.string()),
      steps: z.array(z.object({ name: z.string(), run: z.string(), if: z.string().optional() })),
    }),
  }),
});

const help = `npm run promotion-trial: tries docs/pull-requests/gitea.yml against the lab's own Gitea.

Examples:
  npm run promotion-trial

Exit code: 0 the pull request was blocked and then green, 1 it was not.`;

const emptiness = z.object({ empty: z.boolean() });

async function main(): Promise<number> {
  if (process.argv.includes('--help')) return (console.log(help), 0);
  const { endpoints, giteaOrg } = readInventory();
  const { token } = readGiteaAdmin();
  assertAllowed(endpoints.gitea);
  redactor.register(token);
  const http = axios.create({
    baseURL: `${endpoints.gitea}/api/v1`,
    headers: { Authorization: `token ${token}` },
    proxy: false,
    maxRedirects: 0,
    validateStatus: () => true,
  });
  const ask = async (method: string, url: string, data?: object): Promise<{ status: number; data: unknown }> => {
    const asked = http.request<unknown>({ method, url, ...(data === undefined ? {} : { data }) });
    const answer = await asked.catch((thrown: unknown) => {
      throw failed(`ask Gitea for ${method} ${url}`, reason(thrown));
    });
    return { status: answer.status, data: answer.data };
  };
  const repo = `/repos/${giteaOrg}/${name}`;
  const folder = mkdtempSync(join(tmpdir(), 'gitea-trial-'));
  const checks: [string, string, string][] = [];
  const check = (what: string, expected: string, seen: string): void => {
    checks.push([what, expected, seen]);
    console.log(
      `${expected === seen ? 'ok    ' : 'WRONG '} ${what}: ${seen}${expected === seen ? '' : `, expected ${expected}`}`,
    );
  };
  try {
    await ask('DELETE', repo);
    const made = await ask('POST', `/orgs/${giteaOrg}/repos`, { name, private: true, default_branch: 'main' });
    if (made.status !== 201) throw failed('create the repository', JSON.stringify(made.data));
    const rehearsal = await new Rehearsal(folder).begin();
    await rehearsal.commit('Sync by hand', { 'argocd/values.yaml': 'gitea_applications: { cms: {} }\n' });
    const remote = `${endpoints.gitea}/${giteaOrg}/${name}.git`;
    await push(rehearsal, remote, token);
    // Gitea takes note of a push after it has answered it; until then the repository is empty and has no pull requests.
    await eventually(
      'Gitea knows both branches',
      async () => {
        const [whole, branch] = [await ask('GET', repo), await ask('GET', `${repo}/branches/change`)];
        const known = branch.status === 200 && emptiness.safeParse(whole.data).data?.empty === false;
        return {
          subject: `repository ${name}`,
          status: known ? 'met' : 'unmet',
          expected: 'not empty, with branch change',
          actual: `${JSON.stringify(emptiness.safeParse(whole.data).data)}, branch change: ${branch.status}`,
          source: `${endpoints.gitea}/api/v1${repo}`,
        };
      },
      'api',
    );
    const protection = {
      branch_name: 'main',
      rule_name: 'main',
      enable_status_check: true,
      status_check_contexts: [status],
    };
    await ask('POST', `${repo}/branch_protections`, {
      ...protection,
      apply_to_admins: true,
      block_admin_merge_override: true,
    });
    const opened = await ask('POST', `${repo}/pulls`, { head: 'change', base: 'main', title: 'Sync by hand' });
    if (opened.status !== 201) throw failed('open the pull request', JSON.stringify(opened.data));
    const pull = z
      .object({ number: z.number(), head: z.object({ sha: z.string() }), base: z.object({ sha: z.string() }) })
      .parse(opened.data);
    const job = new Job(join(folder, 'work'), rehearsal.ledger, {
      server: endpoints.gitea,
      repository: `${giteaOrg}/${name}`,
      token,
      number: String(pull.number),
      base: pull.base.sha,
      head: pull.head.sha,
    });
    const merge = async (): Promise<string> =>
      String((await ask('POST', `${repo}/pulls/${pull.number}/merge`, { Do: 'merge' })).status);
    const judged = async (): Promise<string> => {
      const state = (await job.run()) ? 'success' : 'failure';
      await ask('POST', `${repo}/statuses/${pull.head.sha}`, { context: status, state });
      return state;
    };
    const comments = async (): Promise<string[]> => {
      const { data } = await ask('GET', `${repo}/issues/${pull.number}/comments`);
      return z
        .array(z.object({ body: z.string() }))
        .parse(data)
        .map(({ body }) => body);
    };
    check('the job without evidence', 'failure', await judged());
    check('comments', '1', String((await comments()).length));
    check('the comment', 'NOT YET', /Promotion: (.*)/.exec((await comments())[0] ?? '')?.[1] ?? 'none');
    check('merging a blocked pull request', '405', await merge());
    await rehearsal.survive();
    check('the job with evidence', 'success', await judged());
    check('comments, the same one rewritten', '1', String((await comments()).length));
    check('the comment', 'PROMOTE', /Promotion: (.*)/.exec((await comments())[0] ?? '')?.[1] ?? 'none');
    check('merging it now', '200', await merge());
  } finally {
    await ask('DELETE', repo);
    rmSync(folder, { recursive: true, force: true });
  }
  const wrong = checks.filter(([, expected, seen]) => expected !== seen).length;
  console.log(`${checks.length - wrong} passed, ${wrong} failed`);
  return wrong === 0 ? 0 : 1;
}

async function push({ repo }: Rehearsal, remote: string, token: string): Promise<void> {
  // By the configuration of the environment: a token has no place in arguments.
  const env = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: token ${token}`,
  };
  await run('git', ['-C', repo, 'push', '--quiet', remote, 'main', 'change'], { env });
}

interface PullRequest {
  server: string;
  repository: string;
  token: string;
  number: string;
  base: string;
  head: string;
}

/** The stand-in of a runner: one job of the workflow, its steps run as they stand. */
class Job {
  constructor(
    private readonly folder: string,
    private readonly ledger: string,
    private readonly pull: PullRequest,
  ) {}

  /** @returns whether every step ended well. */
  async run(): Promise<boolean> {
    const file = join(projectRoot, 'docs', 'pull-requests', 'gitea.yml');
    const { env, steps } = workflowShape.parse(parse(readFileSync(file, 'utf8'))).jobs.promotion;
    const values = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, this.expand(value)]));
    await run('mkdir', ['-p', this.folder]);
    let good = true;
    for (const step of steps) {
      if (!good && step.if !== 'always()') continue;
      const { exitCode, stdout, stderr } = await run('bash', ['-e', '-o', 'pipefail', '-s'], {
        cwd: this.folder,
        input: step.run,
        env: { ...values, SUITE: projectRoot, EVIDENCE_LEDGER: this.ledger },
        allowFailure: true,
        timeoutMs: 300_000,
      });
      console.log(redactor.text(`  ${step.name}: exit ${exitCode}${exitCode > 2 ? `\n${stdout}\n${stderr}` : ''}`));
      good &&= exitCode === 0;
    }
    return good;
  }

  /** Expressions of the workflow that a runner fills in. */
  private expand(text: string): string {
    const { server, repository, token, number, base, head } = this.pull;
    const known: Record<string, string> = {
      'github.token': token,
      'github.server_url': server,
      'github.repository': repository,
      'github.event.pull_request.number': number,
      'github.event.pull_request.base.sha': base,
      'github.event.pull_request.head.sha': head,
    };
    return text.replace(/\$\{\{ ([\w.]+) \}\}/g, (_, expression: string) => {
      const value = known[expression];
      if (value === undefined) throw failed('run the workflow', `nobody fills in ${expression}`);
      return value;
    });
  }
}

function failed(attempted: string, seen: string): OperatorError {
  return new OperatorError({ attempted, seen, next: 'see that the lab is up: `npm run lab -- status`.' });
}

runMainAndExit(main);
