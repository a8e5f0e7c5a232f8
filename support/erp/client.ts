import axios, { type AxiosInstance } from 'axios';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import { OperatorError } from '../failure';
import { assertAllowed } from '../isolation';
import type { KubernetesClient } from '../kubernetes/client';
import { servedHosts } from '../kubernetes/ingresses';
import type { InstanceNames } from '../naming';
import { ProductError } from '../product-error';
import { withTransport } from '../transport';
import { assertSandboxUrl } from './guard';
import { sandbox } from './instances';

const base = '/api/index.php';
const failure = z.object({ error: z.object({ code: z.number(), message: z.string() }) });

/** Kinds of objects that the agent works with. */
export const collections = ['thirdparties', 'products', 'invoices', 'supplierinvoices', 'payments'] as const;
export type Collection = (typeof collections)[number];

/** An object as Dolibarr gives it: numbers as text, times as seconds since 1970. */
export const erpObject = z.object({ id: z.string() }).loose();
export type ErpObject = z.infer<typeof erpObject>;

export interface ListOptions {
  /** Dolibarr's universal search syntax: `(t.ref:like:'FA%') and (t.fk_statut:=:1)`. */
  filter?: string;
  /** Column, such as `t.ref`. */
  sort?: string;
  /** Objects a request (default 500). */
  limit?: number;
}

/** Reads one instance's REST API (Dolibarr 20). It has no way to write. */
export class ErpReader {
  protected readonly http: AxiosInstance;

  /** @param address where the host name leads, as `http://10.43.0.1`: the lab has no name service for instances. */
  constructor(
    readonly host: string,
    readonly address: string,
    key: string,
  ) {
    assertAllowed(address);
    redactor.register(key);
    this.http = axios.create({
      baseURL: `${address}${base}`,
      headers: { DOLAPIKEY: key, Host: host },
      timeout: 20_000,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  /** Dolibarr's version. */
  async status(): Promise<string> {
    const shape = z.object({ success: z.object({ dolibarr_version: z.string() }) });
    return shape.parse(await this.send('GET', '/status')).success.dolibarr_version;
  }

  /** All objects of a kind, page after page, ordered by id unless said otherwise. */
  async list(collection: Collection, options: ListOptions = {}): Promise<ErpObject[]> {
    const limit = options.limit ?? 500;
    const found: ErpObject[] = [];
    for (let page = 0; ; page += 1) {
      const params = {
        limit,
        page,
        sortfield: options.sort ?? 't.rowid',
        ...(options.filter === undefined ? {} : { sqlfilters: options.filter }),
      };
      const objects = z.array(erpObject).parse(await this.send('GET', `/${collection}`, undefined, params));
      found.push(...objects);
      if (objects.length < limit) return found;
    }
  }

  async get(collection: Collection, id: string | number): Promise<ErpObject> {
    return erpObject.parse(await this.send('GET', `/${collection}/${id}`));
  }

  async payments(invoice: string | number): Promise<Record<string, unknown>[]> {
    return z.array(z.record(z.string(), z.unknown())).parse(await this.send('GET', `/invoices/${invoice}/payments`));
  }

  /** A document of an invoice. @param file path in the folder of the invoices, as `FA2604-1470/FA2604-1470.pdf`. */
  async document(file: string): Promise<Buffer> {
    const shape = z.object({ content: z.string(), encoding: z.literal('base64') });
    const params = { modulepart: 'invoice', original_file: file };
    const { content } = shape.parse(await this.send('GET', '/documents/download', undefined, params));
    return Buffer.from(content, 'base64');
  }

  protected async send(method: string, url: string, data?: object, params?: object): Promise<unknown> {
    const request = {
      method,
      url,
      ...(data === undefined ? {} : { data }),
      ...(params === undefined ? {} : { params }),
    };
    const ask = (): Promise<{ status: number; data: unknown }> => this.http.request<unknown>(request);
    // A write that got no answer may have been done: it is never sent again.
    const response = method === 'GET' ? await withTransport(ask) : await ask();
    if (response.status < 300) return response.data;
    const words = failure.safeParse(response.data).data?.error.message ?? 'no reason given';
    throw new ProductError('The ERP', String(response.status), `${method} ${this.host}${base}${url}`, words);
  }
}

/** Reads and writes the sandbox. There is no such client for any other instance (ADR-0003: host guard). */
export class SandboxErp extends ErpReader {
  constructor(host: string, address: string, key: string) {
    assertSandboxUrl(`http://${host}/`);
    super(host, address, key);
  }

  /** @returns the new object's id. */
  async create(collection: Collection, fields: object): Promise<number> {
    return z.number().parse(await this.send('POST', `/${collection}`, fields));
  }

  async update(collection: Collection, id: number | string, fields: object): Promise<ErpObject> {
    return erpObject.parse(await this.send('PUT', `/${collection}/${id}`, fields));
  }

  async validate(collection: 'invoices' | 'supplierinvoices', id: number | string): Promise<ErpObject> {
    return erpObject.parse(await this.send('POST', `/${collection}/${id}/validate`, {}));
  }

  async pay(invoice: number | string, fields: object = {}): Promise<number> {
    return z.number().parse(await this.send('POST', `/invoices/${invoice}/payments`, fields));
  }

  /** Puts a document of an invoice in the place of one that may be there; `folder` is the invoice's reference, or any other. */
  async putDocument(folder: string, filename: string, content: Buffer): Promise<void> {
    const filecontent = content.toString('base64');
    const fields = { modulepart: 'invoice', subdir: folder, filename, filecontent, fileencoding: 'base64' };
    await this.send('POST', '/documents/upload', { ...fields, overwriteifexists: 1 });
  }

  async removeDocument(file: string): Promise<void> {
    await this.send('DELETE', '/documents', undefined, { modulepart: 'invoice', original_file: file });
  }

  async remove(collection: Collection, id: number | string): Promise<void> {
    await this.send('DELETE', `/${collection}/${id}`);
  }
}

/**
 * Where an instance's host name leads: the Service behind the Ingress of that name in the instance's own namespace.
 * @throws OperatorError when there is none.
 */
export async function locate(kubernetes: KubernetesClient, names: InstanceNames): Promise<string> {
  const [routes, services] = await Promise.all([
    servedHosts(kubernetes, names.instance),
    kubernetes.services(names.instance),
  ]);
  const behind = routes.filter(({ host }) => host === names.host).flatMap((route) => route.services);
  const service = services.find(({ metadata }) => behind.includes(metadata?.name ?? ''));
  const address = service?.spec?.clusterIP;
  if (address === undefined) {
    throw new OperatorError({
      attempted: `find ${names.host}`,
      where: `ingresses of ${names.instance}`,
      expected: 'one for that name, with a Service behind it',
      seen: behind.length === 0 ? `${routes.length} for other names` : `no Service ${behind.join(', ')}`,
      next: 'converge the sandbox: `npm run lab -- up`.',
    });
  }
  return `http://${address}:${service?.spec?.ports?.[0]?.port ?? 80}`;
}

/** The sandbox for writing. @throws RefusedByBoundary for any other host */
export async function connectSandboxErp(kubernetes: KubernetesClient, key: string): Promise<SandboxErp> {
  return new SandboxErp(sandbox.host, await locate(kubernetes, sandbox), key);
}

/** Either instance for reading. */
export async function connectErpReader(
  kubernetes: KubernetesClient,
  names: InstanceNames,
  key: string,
): Promise<ErpReader> {
  return new ErpReader(names.host, await locate(kubernetes, names), key);
}
