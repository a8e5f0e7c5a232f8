import { createHash } from 'node:crypto';
import axios, { type AxiosInstance } from 'axios';
import { z } from 'zod';
import { assertAllowed } from '../../isolation';
import type { InstanceNames } from '../../naming';
import { ProductError } from '../../product-error';
import { withTransport } from '../../transport';
import { assertSandboxUrl } from '../guard';

/** SHA-256 of the content of every file of an instance's documents, by path; empty for what is no plain file. */
export type Listing = ReadonlyMap<string, string>;

const treeShape = z.array(z.object({ path: z.string(), sha256: z.string() }));

/** SHA-256 in hexadecimal digits, as listings have it. */
export function contentHash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** An instance's documents for reading, through a carrier. */
export class Folder {
  protected readonly http: AxiosInstance;

  /** @param address of the carrier, as `http://10.42.0.7:8080`. */
  constructor(
    readonly names: InstanceNames,
    address: string,
  ) {
    assertAllowed(address);
    this.http = axios.create({
      baseURL: address,
      timeout: 30_000,
      maxRedirects: 0,
      proxy: false,
      maxBodyLength: Infinity,
      validateStatus: () => true,
      responseType: 'arraybuffer',
    });
  }

  async list(): Promise<Listing> {
    const tree = treeShape.parse(JSON.parse((await this.send('GET', '/tree')).toString('utf8')));
    return new Map(tree.map(({ path, sha256 }) => [path, sha256]));
  }

  read(path: string): Promise<Buffer> {
    return this.send('GET', fileUrl(path));
  }

  protected async send(method: string, url: string, data?: Buffer): Promise<Buffer> {
    const response = await withTransport(() =>
      this.http.request<Buffer>({ method, url, ...(data === undefined ? {} : { data }) }),
    );
    if (response.status < 300) return response.data;
    const place = `${method} ${this.names.instance}:${url}`;
    throw new ProductError('The volume of the documents', String(response.status), place, String(response.data));
  }
}

/** The sandbox's documents for writing. There is no such class for any other instance (ADR-0003: host guard). */
export class SandboxFolder extends Folder {
  /** @throws RefusedByBoundary for any other instance. */
  constructor(names: InstanceNames, address: string) {
    assertSandboxUrl(`http://${names.host}/`);
    super(names, address);
  }

  /** Writes a file in the place of one that may be there. Answered when it is on the volume. */
  async write(path: string, content: Buffer): Promise<void> {
    await this.send('PUT', fileUrl(path), content);
  }

  /** Removes a file, and the folders that are empty then. */
  async remove(path: string): Promise<void> {
    await this.send('DELETE', fileUrl(path));
  }
}

function fileUrl(path: string): string {
  return `/files/${path.split('/').map(encodeURIComponent).join('/')}`;
}
