import { join } from 'node:path';
import axios from 'axios';
import { z } from 'zod';
import { run } from '../../command';
import { compare, type Finding } from '../../finding';
import { forgeProgram } from '../../paths';
import { answers, freePort, type ScratchServers } from '../../scratch-servers';
import type { BucketClient } from '../client';

const range = z.object({ kvs: z.array(z.object({ key: z.base64() })).default([]) });
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** An etcd that holds what a backup held. */
export class RestoredEtcd {
  private constructor(private readonly url: string) {}

  /**
   * Restores a backup into an etcd of its own. etcdutl checks the hash that etcd wrote at the snapshot's end.
   * @throws OperatorError with etcdutl's words when the snapshot is damaged.
   */
  static async begin(servers: ScratchServers, bucket: BucketClient, folder: string): Promise<RestoredEtcd> {
    const [snapshot, data] = [join(servers.folder, 'etcd.snapshot'), join(servers.folder, 'etcd')];
    await bucket.getFile(`${folder}/etcd.snapshot`, snapshot);
    const [client, peer] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
    const own = [
      '--name',
      'restored',
      '--initial-cluster',
      `restored=${peer}`,
      '--initial-advertise-peer-urls',
      `${peer}`,
    ];
    await run(forgeProgram('etcdutl'), ['snapshot', 'restore', snapshot, '--data-dir', data, ...own]);
    const listen = [
      '--listen-client-urls',
      `${client}`,
      '--advertise-client-urls',
      `${client}`,
      '--listen-peer-urls',
      `${peer}`,
    ];
    servers.start(forgeProgram('etcd'), ['--data-dir', data, ...own, ...listen, '--log-level', 'error']);
    const etcd = new RestoredEtcd(`${client}`);
    await answers('etcd', () => etcd.keys('/registry/namespaces/'));
    return etcd;
  }

  /** Keys under a prefix. */
  async keys(prefix: string): Promise<string[]> {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const body = { key: encoded(prefix), range_end: encoded(end), keys_only: true };
    const answer = await axios.post<unknown>(`${this.url}/v3/kv/range`, body, { proxy: false, timeout: 10_000 });
    return range.parse(answer.data).kvs.map(({ key }) => Buffer.from(key, 'base64').toString('utf8'));
  }

  /** Whether it holds every object of a kind that the cluster has. @param prefix where etcd keeps them */
  async probeHolds(kind: string, prefix: string, names: readonly string[]): Promise<Finding> {
    const held = (await this.keys(prefix)).map((key) => key.slice(prefix.length)).sort();
    return compare(kind, [...names].sort().join(', '), held.join(', '), `keys under ${prefix} of the restored etcd`);
  }
}
