import axios from 'axios';
import NodeVault from 'node-vault';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import type { Inventory } from '../inventory';
import { assertAllowed } from '../isolation';
import { ProductError, answered } from '../product-error';
import { withTransport } from '../transport';
import { readClusterKeys } from '../sandbox-secrets';

const errorResponse = z.object({
  response: z.object({
    statusCode: z.number(),
    body: z
      .object({ errors: z.array(z.string()) })
      .partial()
      .catch({}),
  }),
});
const loginResponse = z.object({
  auth: z.object({
    client_token: z.string(),
    accessor: z.string(),
    policies: z.array(z.string()),
    lease_duration: z.number(),
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
});
const health = z.object({ initialized: z.boolean(), sealed: z.boolean(), version: z.string() }).loose();
const leaseResponse = z.object({
  lease_id: z.string(),
  lease_duration: z.number(),
  renewable: z.boolean(),
  data: z.object({ username: z.string(), password: z.string() }),
});
const keys = z.object({ data: z.object({ keys: z.array(z.string()) }) });

/** A login's outcome: the token (secret), and what it may do. */
export interface VaultLogin {
  token: string;
  policies: string[];
  ttlSeconds: number;
}

/** Database credentials of a lease. The password is a secret. */
export interface CredentialLease {
  leaseId: string;
  username: string;
  password: string;
  ttlSeconds: number;
  renewable: boolean;
}

/** Vault's HTTP API as the suite uses it. Absent paths are `undefined`; other refusals are `ProductError`s. */
export class VaultClient {
  private readonly vault: NodeVault.client;

  /** @param token a Vault token; without one only health and logins are possible. */
  constructor(
    readonly endpoint: string,
    token?: string,
  ) {
    assertAllowed(endpoint);
    if (token !== undefined) redactor.register(token);
    this.vault = NodeVault({ endpoint, 'request-promise': { defaults: () => send } });
    // node-vault takes what is not given from the caller's shell (VAULT_TOKEN, VAULT_NAMESPACE, VAULT_PREFIX).
    Object.assign(this.vault, { token: token ?? '', namespace: '', pathPrefix: '' });
  }

  /** The same Vault as another identity. */
  as(token: string): VaultClient {
    return new VaultClient(this.endpoint, token);
  }

  /** Seal status and version; answers also when sealed. */
  async health(): Promise<{ initialized: boolean; sealed: boolean; version: string }> {
    return health.parse(await this.ask('GET', 'sys/health'));
  }

  /** Whether Vault is sealed; answers in every state, and without a token. */
  async sealStatus(): Promise<{ initialized: boolean; sealed: boolean }> {
    const shape = z.object({ initialized: z.boolean(), sealed: z.boolean() });
    return shape.parse(await this.ask('GET', 'sys/seal-status'));
  }

  async read<T>(path: string, shape: z.ZodType<T>): Promise<T | undefined> {
    const found = await this.optional('GET', path);
    return found === undefined ? undefined : z.object({ data: shape }).parse(found).data;
  }

  async list(path: string): Promise<string[]> {
    const found = await this.optional('LIST', path);
    return found === undefined ? [] : keys.parse(found).data.keys;
  }

  async write(path: string, data: object): Promise<void> {
    await this.ask('POST', path, data);
  }

  async delete(path: string): Promise<void> {
    await this.optional('DELETE', path);
  }

  /** Logs in with a JWT at an auth mount (`gitea_jwt` for CI, `kubernetes` for ServiceAccounts). */
  async loginWithJwt(mount: string, role: string, jwt: string): Promise<VaultLogin> {
    const { auth } = loginResponse.parse(await this.ask('POST', `auth/${mount}/login`, { role, jwt }));
    redactor.register(auth.client_token);
    return { token: auth.client_token, policies: auth.policies, ttlSeconds: auth.lease_duration };
  }

  /** Makes a token that has these policies and no others, and dies after `ttl` such as `2h`. The answer is a secret. */
  async makeToken<T>(policies: string[], ttl: string, shape: z.ZodType<T>): Promise<T> {
    const token = { policies, ttl, explicit_max_ttl: ttl, no_default_policy: false, renewable: false };
    return shape.parse(await this.ask('POST', 'auth/token/create-orphan', token));
  }

  /** What policies, and nothing else, allow on each path: Vault judges a token made for the question. */
  async capabilities(policies: string[], paths: string[]): Promise<Record<string, string[]>> {
    const token = { policies, ttl: '60s', no_default_policy: true };
    const made = loginResponse.parse(await this.ask('POST', 'auth/token/create-orphan', token));
    const { accessor } = made.auth;
    try {
      const answer = await this.ask('POST', 'sys/capabilities-accessor', { accessor, paths });
      const { data } = z.object({ data: z.record(z.string(), z.unknown()) }).parse(answer);
      return Object.fromEntries(paths.map((path) => [path, z.array(z.string()).catch([]).parse(data[path])]));
    } finally {
      await this.ask('POST', 'auth/token/revoke-accessor', { accessor });
    }
  }

  /** What a token is and when it was made, by its accessor; undefined when it has expired meanwhile. */
  async lookUpAccessor<T>(id: string, shape: z.ZodType<T>): Promise<T | undefined> {
    try {
      const found = await this.ask('POST', 'auth/token/lookup-accessor', { accessor: id });
      return z.object({ data: shape }).parse(found).data;
    } catch (thrown) {
      if (answered(thrown, '403', '404')) return undefined;
      // Of one that expires while it is asked for, Vault says this.
      if (answered(thrown, '400') && /invalid accessor/.test(thrown.message)) return undefined;
      throw thrown;
    }
  }

  /** Leases database credentials. */
  async leaseCredentials(path: string): Promise<CredentialLease> {
    const lease = leaseResponse.parse(await this.ask('GET', path));
    redactor.register(lease.data.password);
    return {
      leaseId: lease.lease_id,
      username: lease.data.username,
      password: lease.data.password,
      ttlSeconds: lease.lease_duration,
      renewable: lease.renewable,
    };
  }

  /** Ids of the leases under a path such as `postgres/creds/canary`. */
  async leases(path: string): Promise<string[]> {
    return this.list(`sys/leases/lookup/${path}`);
  }

  /** Revokes every lease under a path and waits until it is done. */
  async revokeLeases(path: string): Promise<void> {
    await this.ask('POST', `sys/leases/revoke-prefix/${path}`, { sync: true });
  }

  async revokeSelf(): Promise<void> {
    await this.ask('POST', 'auth/token/revoke-self');
  }

  /** Gives one key share; unsealed when the answer says so. */
  async unseal(share: string): Promise<boolean> {
    return !z.object({ sealed: z.boolean() }).parse(await this.ask('POST', 'sys/unseal', { key: share })).sealed;
  }

  private async optional(method: string, path: string): Promise<unknown> {
    try {
      return await this.ask(method, path);
    } catch (thrown) {
      if (answered(thrown, '404')) return undefined;
      throw thrown;
    }
  }

  private ask(method: string, path: string, json?: object): Promise<unknown> {
    const request = { method, path: `/${path}`, ...(json === undefined ? {} : { json }) };
    return withTransport(() =>
      this.vault.request(request).then(
        (body: unknown) => body,
        (thrown: unknown) => {
          const refusal = errorResponse.safeParse(thrown).data?.response;
          if (refusal === undefined) throw thrown;
          const words = refusal.body.errors?.join('; ').replaceAll(/\s+/g, ' ') || 'no reason given';
          throw new ProductError('Vault', String(refusal.statusCode), `${method} ${path}`, words, thrown);
        },
      ),
    );
  }
}

/** What node-vault hands to its transport. */
interface VaultRequest {
  method: string;
  uri: string;
  headers?: Record<string, string>;
  json?: unknown;
}

/** node-vault's transport: axios without the proxy of the caller's shell, every status an answer. */
async function send(request: VaultRequest): Promise<{ statusCode: number; body: unknown; request: { path: string } }> {
  const response = await axios.request<unknown>({
    method: request.method,
    url: request.uri,
    headers: request.headers ?? {},
    data: request.json,
    timeout: 10_000,
    maxRedirects: 0,
    proxy: false,
    validateStatus: () => true,
  });
  return { statusCode: response.status, body: response.data, request: { path: new URL(request.uri).pathname } };
}

/** The sandbox's Vault with its root token. @throws OperatorError when the keys file is missing. */
export function connectVault(inventory: Inventory): VaultClient {
  return new VaultClient(inventory.endpoints.vault, readClusterKeys().root_token);
}
