import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import axios, { type AxiosInstance } from 'axios';
import { z } from 'zod';
import type { Inventory } from '../inventory';
import { assertAllowed } from '../isolation';
import { ProductError } from '../product-error';
import { withTransport } from '../transport';

const listing = z.object({
  items: z.array(z.object({ name: z.string(), size: z.coerce.number(), updated: z.string() })).optional(),
  nextPageToken: z.string().optional(),
});

/** An object of a bucket. */
export interface BucketObject {
  name: string;
  size: number;
  updated: string;
}

/** One bucket behind the Google Cloud Storage JSON API (fake-gcs-server in the sandbox). */
export class BucketClient {
  private readonly http: AxiosInstance;

  constructor(
    readonly endpoint: string,
    readonly bucket: string,
  ) {
    assertAllowed(endpoint);
    this.http = axios.create({
      baseURL: endpoint,
      timeout: 30_000,
      maxRedirects: 0,
      proxy: false,
      validateStatus: () => true,
    });
  }

  /** Objects whose name begins with a prefix, by name. */
  async list(prefix = ''): Promise<BucketObject[]> {
    const objects: BucketObject[] = [];
    for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
      const params: Record<string, string> = { prefix, ...(pageToken === '' ? {} : { pageToken }) };
      const response = await this.send('GET', `/storage/v1/b/${this.bucket}/o`, { params });
      const page: z.infer<typeof listing> = listing.parse(response);
      objects.push(...(page.items ?? []));
      pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
    }
    return objects.sort((one, other) => one.name.localeCompare(other.name));
  }

  async get(name: string): Promise<Buffer> {
    const url = `/storage/v1/b/${this.bucket}/o/${encodeURIComponent(name)}`;
    const body = await this.send('GET', url, { params: { alt: 'media' }, responseType: 'arraybuffer' });
    return z.instanceof(Buffer).parse(body);
  }

  async put(name: string, content: Buffer): Promise<void> {
    const url = `/upload/storage/v1/b/${this.bucket}/o`;
    const headers = { 'Content-Type': 'application/octet-stream' };
    await this.send('POST', url, { params: { uploadType: 'media', name }, data: content, headers });
  }

  /** Puts a file, however large, without holding it in memory. */
  async putFile(name: string, file: string): Promise<void> {
    const response = await this.http.request<unknown>({
      method: 'POST',
      url: `/upload/storage/v1/b/${this.bucket}/o`,
      params: { uploadType: 'media', name },
      data: createReadStream(file),
      headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(statSync(file).size) },
      maxBodyLength: Infinity,
      timeout: 0,
    });
    this.accept(response.status, `PUT ${name}`);
  }

  /**
   * Writes an object to a new file that only its owner may read, without holding it in memory.
   * @returns the SHA-256 of what came, in hex.
   */
  async getFile(name: string, file: string): Promise<string> {
    const url = `/storage/v1/b/${this.bucket}/o/${encodeURIComponent(name)}`;
    const response = await withTransport(() =>
      this.http.request<Readable>({ method: 'GET', url, params: { alt: 'media' }, responseType: 'stream', timeout: 0 }),
    );
    if (response.status >= 300) response.data.resume();
    this.accept(response.status, `GET ${name}`);
    const hash = createHash('sha256');
    response.data.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(response.data, createWriteStream(file, { mode: 0o600 }));
    return hash.digest('hex');
  }

  private accept(status: number, request: string): void {
    if (status < 300) return;
    throw new ProductError('The bucket', String(status), request, `bucket ${this.bucket}`);
  }

  /** Removes an object; one that is not there is no error. */
  async delete(name: string): Promise<void> {
    await this.send('DELETE', `/storage/v1/b/${this.bucket}/o/${encodeURIComponent(name)}`, {}, [404]);
  }

  private async send(
    method: string,
    url: string,
    options: { params?: object; data?: Buffer; headers?: Record<string, string>; responseType?: 'arraybuffer' },
    tolerated: number[] = [],
  ): Promise<unknown> {
    const response = await withTransport(() => this.http.request<unknown>({ method, url, ...options }));
    if (response.status < 300 || tolerated.includes(response.status)) return response.data;
    throw new ProductError('The bucket', String(response.status), `${method} ${url}`, `bucket ${this.bucket}`);
  }
}

/** The bucket that keeps OpenTofu's states. */
export function connectStateBucket(inventory: Inventory): BucketClient {
  return new BucketClient(inventory.endpoints.bucket, inventory.stateBucket);
}

/** The bucket that keeps the backups. */
export function connectBackupBucket(inventory: Inventory): BucketClient {
  return new BucketClient(inventory.endpoints.bucket, inventory.backupBucket);
}
