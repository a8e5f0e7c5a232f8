import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import type { Inventory } from '../inventory';
import { assertAllowed } from '../isolation';
import { ProductError, answered } from '../product-error';
import { withTransport } from '../transport';
import { readGiteaAdmin } from '../sandbox-secrets';

const repository = z.object({
  name: z.string(),
  full_name: z.string(),
  default_branch: z.string(),
  empty: z.boolean(),
});
const entry = z.object({ name: z.string(), path: z.string(), type: z.string() });
const file = z.object({ path: z.string(), sha: z.string(), content: z.string() });
const commit = z.object({ commit: z.object({ sha: z.string() }) });
const branch = z.object({ commit: z.object({ id: z.string() }) });

export type Repository = z.infer<typeof repository>;

/** A file to commit: new, replaced (with the sha it has now) or removed. */
export type FileChange =
  | { operation: 'create'; path: string; text: string }
  | { operation: 'update'; path: string; text: string; sha: string }
  | { operation: 'delete'; path: string; sha: string };

/** Gitea's REST API as the suite uses it, within one organisation. Absent things are `undefined`. */
export class GiteaClient {
  private readonly http: AxiosInstance;

  constructor(
    readonly endpoint: string,
    readonly organisation: string,
    token: string,
  ) {
    assertAllowed(endpoint);
    redactor.register(token);
    this.http = axios.create({
      baseURL: `${endpoint}/api/v1`,
      headers: { Authorization: `token ${token}` },
      timeout: 15_000,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  async version(): Promise<string> {
    return z.object({ version: z.string() }).parse(await this.ask({ method: 'GET', url: '/version' })).version;
  }

  async repositories(): Promise<Repository[]> {
    const found = await this.ask({ method: 'GET', url: `/orgs/${this.organisation}/repos`, params: { limit: 50 } });
    return z.array(repository).parse(found);
  }

  async repository(name: string): Promise<Repository | undefined> {
    const found = await this.optional({ method: 'GET', url: `/repos/${this.organisation}/${name}` });
    return found === undefined ? undefined : repository.parse(found);
  }

  async createRepository(name: string): Promise<void> {
    const data = { name, private: true, default_branch: 'main', auto_init: false };
    await this.ask({ method: 'POST', url: `/orgs/${this.organisation}/repos`, data });
  }

  async deleteRepository(name: string): Promise<void> {
    await this.optional({ method: 'DELETE', url: `/repos/${this.organisation}/${name}` });
  }

  /** The commit a branch points to. */
  async head(name: string, branchName = 'main'): Promise<string | undefined> {
    const found = await this.optional({
      method: 'GET',
      url: `/repos/${this.organisation}/${name}/branches/${branchName}`,
    });
    return found === undefined ? undefined : branch.parse(found).commit.id;
  }

  /** Names in a folder of a repository's default branch. */
  async folder(name: string, path: string): Promise<string[] | undefined> {
    const found = await this.optional({ method: 'GET', url: `/repos/${this.organisation}/${name}/contents/${path}` });
    return found === undefined
      ? undefined
      : z
          .array(entry)
          .catch([])
          .parse(found)
          .map((item) => item.name);
  }

  /** A file of a repository's default branch: its text and the sha a change must name. */
  async file(name: string, path: string): Promise<{ text: string; sha: string } | undefined> {
    const found = await this.optional({ method: 'GET', url: `/repos/${this.organisation}/${name}/contents/${path}` });
    if (found === undefined) return undefined;
    const { content, sha } = file.parse(found);
    return { text: Buffer.from(content, 'base64').toString('utf8'), sha };
  }

  /** One commit on the default branch. Returns its sha. */
  async commit(name: string, message: string, changes: FileChange[]): Promise<string> {
    const files = changes.map((change) => ({
      operation: change.operation,
      path: change.path,
      ...('text' in change ? { content: Buffer.from(change.text, 'utf8').toString('base64') } : {}),
      ...('sha' in change ? { sha: change.sha } : {}),
    }));
    const data = { branch: 'main', message, files };
    const made = await this.ask({ method: 'POST', url: `/repos/${this.organisation}/${name}/contents`, data });
    return commit.parse(made).commit.sha;
  }

  protected async optional(request: AxiosRequestConfig): Promise<unknown> {
    try {
      return await this.ask(request);
    } catch (thrown) {
      if (answered(thrown, '404')) return undefined;
      throw thrown;
    }
  }

  protected async ask(request: AxiosRequestConfig): Promise<unknown> {
    const response = await withTransport(() => this.http.request<unknown>(request));
    if (response.status < 300) return response.data;
    const message = z.object({ message: z.string() }).safeParse(response.data).data?.message ?? 'no reason given';
    throw new ProductError('Gitea', String(response.status), `${request.method ?? ''} ${request.url ?? ''}`, message);
  }
}

/** The sandbox's Gitea as its operator. @throws OperatorError when the credential is missing. */
export function connectGitea(inventory: Inventory): GiteaClient {
  return new GiteaClient(inventory.endpoints.gitea, inventory.giteaOrg, readGiteaAdmin().token);
}
