import { readFactoryApps } from '../../factory/repositories';
import type { Finding } from '../../finding';
import { namesOf } from '../../naming';
import type { Systems } from '../../systems';

/** The pods of every instance but one: namespace to uid of each pod. */
export type PodIdentities = Map<string, string[]>;

/** The namespaces of every instance that the factory declares. */
export function instanceNamespaces(): string[] {
  return readFactoryApps().flatMap(({ name, envs }) => envs.map((env) => namesOf(name, env).instance));
}

/** Who the pods of the instances are; a pod made anew has another uid. @param namespaces of the instances. */
export async function podIdentities({ kubernetes }: Systems, namespaces: readonly string[]): Promise<PodIdentities> {
  const pods = await kubernetes.pods();
  return new Map(
    namespaces.map((namespace) => {
      const own = pods.filter(({ metadata }) => metadata?.namespace === namespace);
      return [namespace, own.map(({ metadata }) => metadata?.uid ?? '').sort()];
    }),
  );
}

/** One finding an instance: its pods are the same as before. */
export function samePods(before: PodIdentities, after: PodIdentities): Finding[] {
  return [...before].map(([namespace, uids]) => {
    const now = after.get(namespace) ?? [];
    const same = uids.length > 0 && uids.join() === now.join();
    return {
      subject: `pods of ${namespace}`,
      status: same ? 'met' : 'unmet',
      expected: `the same ${uids.length}, by uid`,
      actual: same
        ? 'the same'
        : uids.length === 0
          ? 'none before'
          : `${now.filter((uid) => !uids.includes(uid)).length} new`,
      source: 'GET pods',
    };
  });
}
