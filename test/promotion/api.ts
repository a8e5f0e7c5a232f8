import { z } from 'zod';
import type { Finding } from '../../support/finding';
import { eventually } from '../../support/eventually';
import { OperatorError } from '../../support/failure';
import { GiteaClient } from '../../support/gitea/client';
import { ProductError } from '../../support/product-error';

const pullShape = z.object({ number: z.number(), head: z.object({ sha: z.string() }) });
const runShape = z.object({
  id: z.number(),
  path: z.string(),
  head_sha: z.string(),
  status: z.string(),
  conclusion: z.string().optional(),
});
const jobShape = z.object({ id: z.number(), status: z.string(), conclusion: z.string().optional() });
const statusShape = z.object({
  id: z.number(),
  context: z.string(),
  status: z.string(),
  target_url: z.string(),
  /** Nobody for what Actions itself sets. */
  creator: z.object({ login: z.string() }).nullable(),
});

export type Pull = z.infer<typeof pullShape>;
/** One run of a workflow. `conclusion` is there once it is completed. */
export type WorkflowRun = z.infer<typeof runShape>;

/** How long a run of a workflow may take from the event to its end, in milliseconds: seconds on an idle machine. */
const runBudget = { ms: 90_000 };

/** One repository of the sandbox's Gitea: its pull requests, and the runs of its workflows. */
export class TrialRepository extends GiteaClient {
  /** Its path in the API. */
  readonly path: string;
  /** Where git reaches it. */
  readonly remote: string;

  constructor(
    endpoint: string,
    organisation: string,
    readonly name: string,
    token: string,
  ) {
    super(endpoint, organisation, token);
    this.path = `/repos/${organisation}/${name}`;
    this.remote = `${endpoint}/${organisation}/${name}.git`;
  }

  /** Makes the repository, with Actions, in the place of one that an earlier trial left. */
  async make(): Promise<void> {
    await this.remove();
    await this.createRepository(this.name);
    const made = await this.ask({ method: 'PATCH', url: this.path, data: { has_actions: true } });
    if (z.object({ has_actions: z.boolean() }).parse(made).has_actions) return;
    throw new OperatorError({
      attempted: 'have workflows run in a repository',
      where: this.endpoint,
      expected: '[actions] ENABLED in the configuration of Gitea',
      seen: 'that it is not',
      next: 'bring the lab to what this checkout says: `npm run lab -- up`.',
    });
  }

  /** Removes it, with its runs, runners and secrets. */
  async remove(): Promise<void> {
    await this.deleteRepository(this.name);
  }

  /** Waits until Gitea has taken note of a push, which it does after it has answered it. */
  async knows(branch: string, sha: string): Promise<void> {
    await eventually(
      `Gitea knows ${sha.slice(0, 8)} as ${branch}`,
      async () => {
        // Asked for a branch of an empty repository, Gitea 1.25 breaks down.
        const empty = (await this.repository(this.name))?.empty !== false;
        const head = empty ? 'an empty repository' : ((await this.head(this.name, branch)) ?? 'no such branch');
        return this.finding(head === sha, sha, head);
      },
      'api',
    );
  }

  /** From now on nothing is merged into main unless the status is there and good, for administrators neither. */
  async protect(context: string): Promise<void> {
    await this.ask({
      method: 'POST',
      url: `${this.path}/branch_protections`,
      data: {
        branch_name: 'main',
        rule_name: 'main',
        enable_status_check: true,
        status_check_contexts: [context],
        // What was judged before main went on was judged against another base.
        block_on_outdated_branch: true,
        apply_to_admins: true,
        block_admin_merge_override: true,
      },
    });
  }

  async open(branch: string, title: string): Promise<Pull> {
    const data = { head: branch, base: 'main', title };
    return pullShape.parse(await this.ask({ method: 'POST', url: `${this.path}/pulls`, data }));
  }

  /** Closes a pull request and opens it again: Gitea 1.25 has no API to run a workflow again, and this makes it run. */
  async reopen({ number }: Pull): Promise<void> {
    for (const state of ['closed', 'open'])
      await this.ask({ method: 'PATCH', url: `${this.path}/pulls/${number}`, data: { state } });
  }

  /** @returns HTTP status and Gitea's words. */
  async merge({ number }: Pull): Promise<{ code: string; says: string }> {
    try {
      await this.ask({ method: 'POST', url: `${this.path}/pulls/${number}/merge`, data: { Do: 'merge' } });
      return { code: '200', says: 'merged' };
    } catch (thrown) {
      if (thrown instanceof ProductError) return { code: thrown.code, says: thrown.answer };
      throw thrown;
    }
  }

  async comments({ number }: Pull): Promise<string[]> {
    const found = await this.ask({ method: 'GET', url: `${this.path}/issues/${number}/comments` });
    const shape = z.array(z.object({ body: z.string(), user: z.object({ login: z.string() }) }));
    return shape.parse(found).map(({ body }) => body);
  }

  /** A token with which a runner of this repository, and of no other, can be registered. */
  async registrationToken(): Promise<string> {
    const found = await this.ask({ method: 'POST', url: `${this.path}/actions/runners/registration-token` });
    return z.object({ token: z.string().min(1) }).parse(found).token;
  }

  async keepSecret(name: string, value: string): Promise<void> {
    await this.ask({ method: 'PUT', url: `${this.path}/actions/secrets/${name}`, data: { data: value } });
  }

  /** Runs of one workflow file, the last first. */
  async runs(workflow: string): Promise<WorkflowRun[]> {
    const found = await this.ask({ method: 'GET', url: `${this.path}/actions/runs`, params: { limit: 50 } });
    const { workflow_runs: runs } = z.object({ workflow_runs: z.array(runShape).nullable() }).parse(found);
    return (runs ?? []).filter(({ path }) => path.split('@')[0] === workflow).sort((a, b) => b.id - a.id);
  }

  /** Waits for a run of the workflow that is younger than `after`. @param state what it must have reached. */
  async run(workflow: string, after: number, state: 'in_progress' | 'completed'): Promise<WorkflowRun> {
    let seen: WorkflowRun | undefined;
    await eventually(
      `a run of ${workflow} after run ${after} is ${state}`,
      async () => {
        [seen] = await this.runs(workflow);
        const young = seen !== undefined && seen.id > after;
        return this.finding(young && seen?.status === state, state, young ? (seen?.status ?? '') : 'no such run');
      },
      runBudget,
    );
    if (seen === undefined) throw new Error('a run was seen and is gone');
    return seen;
  }

  /** The id of the youngest run, 0 when there is none. */
  async youngest(workflow: string): Promise<number> {
    return (await this.runs(workflow))[0]?.id ?? 0;
  }

  /** How a run ended, waited for. */
  async conclusion({ id }: WorkflowRun): Promise<string> {
    let concluded = '';
    await eventually(
      `run ${id} has ended`,
      async () => {
        const found = await this.ask({ method: 'GET', url: `${this.path}/actions/runs/${id}` });
        const { status, conclusion } = runShape.parse(found);
        concluded = conclusion ?? '';
        return this.finding(status === 'completed', 'completed', status);
      },
      runBudget,
    );
    return concluded;
  }

  /** The log of a run's first job, as Gitea keeps it. */
  async log({ id }: WorkflowRun): Promise<string> {
    const found = await this.ask({ method: 'GET', url: `${this.path}/actions/runs/${id}/jobs` });
    const [job] = z.object({ jobs: z.array(jobShape) }).parse(found).jobs;
    if (job === undefined) throw this.lacking(`a job of run ${id}`);
    return String(await this.ask({ method: 'GET', url: `${this.path}/actions/jobs/${job.id}/logs` }));
  }

  /** Waits for a status of a commit to be decided. @returns it with who set it: "failure, by a job", "success, by operator". */
  async settled(sha: string, context: string): Promise<string> {
    let seen = 'none';
    await eventually(
      `status "${context}" is decided`,
      async () => {
        seen = await this.status(sha, context);
        return this.finding(!/^(none|pending)/.test(seen), 'a status that is not pending', seen);
      },
      runBudget,
    );
    return seen;
  }

  private async status(sha: string, context: string): Promise<string> {
    const found = await this.ask({
      method: 'GET',
      url: `${this.path}/commits/${sha}/statuses`,
      params: { limit: 50 },
    });
    // Their times are whole seconds; they are numbered as they were set.
    const [last] = z
      .array(statusShape)
      .parse(found)
      .filter((one) => one.context === context)
      .sort((a, b) => b.id - a.id);
    if (last === undefined) return 'none';
    const job = last.creator === null && /\/actions\/runs\/\d+\/jobs\/\d+$/.test(last.target_url);
    return `${last.status}, by ${job ? 'a job' : (last.creator?.login ?? 'nobody')}`;
  }

  private finding(met: boolean, expected: string, actual: string): Finding {
    const source = `${this.endpoint}/api/v1${this.path}`;
    return { subject: `repository ${this.name}`, status: met ? 'met' : 'unmet', expected, actual, source };
  }

  private lacking(what: string): OperatorError {
    return new OperatorError({
      attempted: `find ${what}`,
      where: this.path,
      seen: 'nothing',
      next: 'see that the lab is up: `npm run lab -- status`.',
    });
  }
}
