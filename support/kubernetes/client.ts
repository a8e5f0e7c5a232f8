import type {
  CoreV1Event,
  V1Deployment,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Service,
} from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import { assertAllowed } from '../isolation';
import { ProductError, answered } from '../product-error';
import { withTransport } from '../transport';
import { secretFile } from '../sandbox-secrets';
import { loadApis, type Apis } from './apis';

/** A kind of custom resource: its API group, version and plural. */
export interface ResourceKind {
  group: string;
  version: string;
  plural: string;
}

const listOf = <T>(item: z.ZodType<T>) => z.object({ items: z.array(item) });

/** The Kubernetes API as the suite uses it. Absent objects are `undefined`; other refusals are `ProductError`s. */
export class KubernetesClient {
  private loaded: Promise<Apis> | undefined;

  /** @param kubeconfig its text. */
  constructor(private readonly kubeconfig: string) {}

  /** The API server's version, such as `v1.34.3`. */
  async version(): Promise<string> {
    return (await this.ask('GET version', ({ versions }) => versions.getCode())).gitVersion;
  }

  async nodes(): Promise<V1Node[]> {
    return (await this.ask('GET nodes', ({ core }) => core.listNode())).items;
  }

  async namespaces(): Promise<string[]> {
    const list = await this.ask('GET namespaces', ({ core }) => core.listNamespace());
    return list.items.flatMap((namespace) => namespace.metadata?.name ?? []);
  }

  /** Tells this cluster from every other: the uid of its namespace kube-system, which is made once. */
  async identity(): Promise<string> {
    const found = await this.ask('GET namespace kube-system', ({ core }) =>
      core.readNamespace({ name: 'kube-system' }),
    );
    return found.metadata?.uid ?? '';
  }

  /** Names of the kinds that were added to the API, such as `volumes.longhorn.io`. */
  async customKinds(): Promise<string[]> {
    const kind = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    const found: unknown = await this.ask('GET customresourcedefinitions', ({ custom }) =>
      custom.listClusterCustomObject(kind),
    );
    const named = z.object({ metadata: z.object({ name: z.string() }) });
    return listOf(named)
      .parse(found)
      .items.map(({ metadata }) => metadata.name);
  }

  /** The phase of a namespace, `Active` or `Terminating`. */
  async namespacePhase(name: string): Promise<string | undefined> {
    const found = await this.optional(`GET namespace ${name}`, ({ core }) => core.readNamespace({ name }));
    return found?.status?.phase;
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.optional(`DELETE namespace ${name}`, ({ core }) => core.deleteNamespace({ name }));
  }

  /** Pods of a namespace, or of all when none is given. */
  async pods(namespace?: string, labelSelector?: string): Promise<V1Pod[]> {
    const selector = labelSelector === undefined ? {} : { labelSelector };
    const list = await this.ask(`GET pods of ${namespace ?? 'all namespaces'}`, ({ core }) =>
      namespace === undefined
        ? core.listPodForAllNamespaces(selector)
        : core.listNamespacedPod({ namespace, ...selector }),
    );
    return list.items;
  }

  /** Deletes a pod; its controller makes another. */
  async deletePod(namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE pod ${namespace}/${name}`, ({ core }) => core.deleteNamespacedPod({ namespace, name }));
  }

  async createPod(namespace: string, body: V1Pod): Promise<void> {
    await this.ask(`POST pod ${namespace}/${body.metadata?.name ?? ''}`, ({ core }) =>
      core.createNamespacedPod({ namespace, body }),
    );
  }

  /** Sets what must let go of a pod before it can be gone. */
  async setPodFinalizers(namespace: string, name: string, finalizers: string[]): Promise<void> {
    await this.optional(`PATCH pod ${namespace}/${name}`, ({ core, mergePatch }) =>
      core.patchNamespacedPod({ namespace, name, body: { metadata: { finalizers } } }, mergePatch),
    );
  }

  async services(namespace?: string): Promise<V1Service[]> {
    const list = await this.ask(`GET services of ${namespace ?? 'all namespaces'}`, ({ core }) =>
      namespace === undefined ? core.listServiceForAllNamespaces() : core.listNamespacedService({ namespace }),
    );
    return list.items;
  }

  /** Deployments of a namespace, or of all when none is given. */
  async deployments(namespace?: string): Promise<V1Deployment[]> {
    const list = await this.ask(`GET deployments of ${namespace ?? 'all namespaces'}`, ({ apps }) =>
      namespace === undefined ? apps.listDeploymentForAllNamespaces() : apps.listNamespacedDeployment({ namespace }),
    );
    return list.items;
  }

  /** Sets a Deployment's replicas. */
  async scaleDeployment(namespace: string, name: string, replicas: number): Promise<void> {
    await this.ask(`PATCH deployment ${namespace}/${name}`, ({ apps, mergePatch }) =>
      apps.patchNamespacedDeployment({ namespace, name, body: { spec: { replicas } } }, mergePatch),
    );
  }

  /** Lets a node accept new pods, or not. */
  async setSchedulable(name: string, accept: boolean): Promise<void> {
    await this.ask(`PATCH node ${name}`, ({ core, mergePatch }) =>
      core.patchNode({ name, body: { spec: { unschedulable: !accept } } }, mergePatch),
    );
  }

  /** Takes every taint off a node, also one that was mistyped. Kubernetes sets its own again while they hold. */
  async clearTaints(name: string): Promise<void> {
    const { metadata, spec } = await this.ask(`GET node ${name}`, ({ core }) => core.readNode({ name }));
    if ((spec?.taints ?? []).length === 0) return;
    // With the version that was read: what others add meanwhile must not be lost.
    const body = { metadata: { resourceVersion: metadata?.resourceVersion }, spec: { taints: [] } };
    await this.ask(`PATCH node ${name}`, ({ core, mergePatch }) => core.patchNode({ name, body }, mergePatch));
  }

  /** Events of a namespace, oldest first. */
  async events(namespace: string): Promise<CoreV1Event[]> {
    const list = await this.ask(`GET events of ${namespace}`, ({ core }) => core.listNamespacedEvent({ namespace }));
    const at = (event: CoreV1Event): number =>
      new Date(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? 0).getTime();
    return list.items.sort((one, other) => at(one) - at(other));
  }

  /** A Secret's entries, decoded. */
  async secret(namespace: string, name: string): Promise<Record<string, string> | undefined> {
    const found = await this.optional(`GET secret ${namespace}/${name}`, ({ core }) =>
      core.readNamespacedSecret({ namespace, name }),
    );
    if (found === undefined) return undefined;
    const entries = Object.entries(found.data ?? {});
    const decoded = entries.map(([key, value]): [string, string] => [
      key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]);
    redactor.register(...decoded.filter(([key]) => /pass|token|key|secret|_raw/i.test(key)).map(([, value]) => value));
    return Object.fromEntries(decoded);
  }

  /** The decoded values of every Secret of a namespace, by `<secret>/<key>`. They are secrets: judge them, never show them. */
  async secretValues(namespace: string): Promise<Record<string, string>> {
    const { items } = await this.ask(`GET secrets of ${namespace}`, ({ core }) =>
      core.listNamespacedSecret({ namespace }),
    );
    const values: Record<string, string> = {};
    for (const { metadata, data } of items) {
      for (const [key, value] of Object.entries(data ?? {})) {
        values[`${metadata?.name ?? ''}/${key}`] = Buffer.from(value, 'base64').toString('utf8');
      }
    }
    return values;
  }

  /** The last lines of a pod's log. */
  async log(namespace: string, name: string, tailLines = 50): Promise<string> {
    return this.ask(`GET log of ${namespace}/${name}`, ({ core }) =>
      core.readNamespacedPodLog({ namespace, name, tailLines }),
    );
  }

  /** A custom resource, validated. */
  async resource<T>(kind: ResourceKind, namespace: string, name: string, shape: z.ZodType<T>): Promise<T | undefined> {
    const found: unknown = await this.optional(`GET ${kind.plural} ${namespace}/${name}`, ({ custom }) =>
      custom.getNamespacedCustomObject({ ...kind, namespace, name }),
    );
    return found === undefined ? undefined : shape.parse(found);
  }

  /** All custom resources of a kind in a namespace, validated. */
  async resources<T>(kind: ResourceKind, namespace: string, shape: z.ZodType<T>): Promise<T[]> {
    const found: unknown = await this.ask(`GET ${kind.plural} of ${namespace}`, ({ custom }) =>
      custom.listNamespacedCustomObject({ ...kind, namespace }),
    );
    return listOf(shape).parse(found).items;
  }

  /** All custom resources of a kind in every namespace, validated. */
  async resourcesEverywhere<T>(kind: ResourceKind, shape: z.ZodType<T>): Promise<T[]> {
    const found: unknown = await this.ask(`GET ${kind.plural}`, ({ custom }) =>
      custom.listClusterCustomObject({ ...kind }),
    );
    return listOf(shape).parse(found).items;
  }

  async patchResource(kind: ResourceKind, namespace: string, name: string, body: object): Promise<void> {
    await this.ask(`PATCH ${kind.plural} ${namespace}/${name}`, ({ custom, mergePatch }) =>
      custom.patchNamespacedCustomObject({ ...kind, namespace, name, body }, mergePatch),
    );
  }

  async createResource(kind: ResourceKind, namespace: string, body: object): Promise<void> {
    await this.ask(`POST ${kind.plural}`, ({ custom }) =>
      custom.createNamespacedCustomObject({ ...kind, namespace, body }),
    );
  }

  async persistentVolumes(): Promise<V1PersistentVolume[]> {
    return (await this.ask('GET persistentvolumes', ({ core }) => core.listPersistentVolume())).items;
  }

  async createPersistentVolume(body: V1PersistentVolume): Promise<void> {
    await this.ask(`POST persistentvolume ${body.metadata?.name ?? ''}`, ({ core }) =>
      core.createPersistentVolume({ body }),
    );
  }

  async deletePersistentVolume(name: string): Promise<void> {
    await this.optional(`DELETE persistentvolume ${name}`, ({ core }) => core.deletePersistentVolume({ name }));
  }

  async createClaim(namespace: string, body: V1PersistentVolumeClaim): Promise<void> {
    await this.ask(`POST persistentvolumeclaim ${namespace}/${body.metadata?.name ?? ''}`, ({ core }) =>
      core.createNamespacedPersistentVolumeClaim({ namespace, body }),
    );
  }

  async deleteClaim(namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE persistentvolumeclaim ${namespace}/${name}`, ({ core }) =>
      core.deleteNamespacedPersistentVolumeClaim({ namespace, name }),
    );
  }

  async deleteResource(kind: ResourceKind, namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE ${kind.plural} ${namespace}/${name}`, ({ custom }) =>
      custom.deleteNamespacedCustomObject({ ...kind, namespace, name }),
    );
  }

  private async optional<T>(request: string, send: (apis: Apis) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ask(request, send);
    } catch (thrown) {
      if (answered(thrown, '404')) return undefined;
      throw thrown;
    }
  }

  private ask<T>(request: string, send: (apis: Apis) => Promise<T>): Promise<T> {
    return withTransport(async () => {
      const apis = await (this.loaded ??= loadApis(this.kubeconfig));
      return send(apis).catch((thrown: unknown) => {
        if (apis.isRefusal(thrown)) {
          throw new ProductError('Kubernetes', String(thrown.code), request, statusMessage(thrown.body), thrown);
        }
        throw thrown;
      });
    });
  }
}

/** The API server's own sentence out of a Status body, which comes parsed or as text. */
function statusMessage(body: unknown): string {
  const shape = z.object({ message: z.string() });
  let candidate = body;
  if (typeof body === 'string') {
    try {
      candidate = JSON.parse(body);
    } catch {
      return body;
    }
  }
  return shape.safeParse(candidate).data?.message ?? 'no message';
}

/** The sandbox's cluster, by the kubeconfig in the secrets folder. @throws OperatorError when that file is missing. */
export function connectKubernetes(kubeconfig?: string): KubernetesClient {
  return new KubernetesClient(readKubeconfig(kubeconfig));
}

/** A kubeconfig's text, past the isolation boundary. @throws OperatorError when the file is missing, or leads elsewhere. */
export function readKubeconfig(path: string = secretFile('kubeconfig')): string {
  const text = readFileSync(path, 'utf8');
  assertAllowed({ kubeconfig: text, name: path });
  return text;
}
