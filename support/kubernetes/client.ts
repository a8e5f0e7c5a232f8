import {
  ApiException,
  CoreV1Api,
  AppsV1Api,
  VersionApi,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type CoreV1Event,
  type V1Deployment,
  type V1Node,
  type V1PersistentVolume,
  type V1PersistentVolumeClaim,
  type V1Pod,
  type V1Service,
} from '@kubernetes/client-node';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { redactor } from '../evidence/redaction';
import { assertAllowed } from '../isolation';
import { ProductError, answered, withTransport } from '../product-error';
import { secretFile } from '../sandbox-secrets';

/** A kind of custom resource: its API group, version and plural. */
export interface ResourceKind {
  group: string;
  version: string;
  plural: string;
}

/** What says that a node's machine has no power: its pods are forgotten, and their volumes may move. */
const outOfService = 'node.kubernetes.io/out-of-service';

const listOf = <T>(item: z.ZodType<T>) => z.object({ items: z.array(item) });

/** The Kubernetes API as the suite uses it. Absent objects are `undefined`; other refusals are `ProductError`s. */
export class KubernetesClient {
  private readonly core: CoreV1Api;
  private readonly apps: AppsV1Api;
  private readonly custom: CustomObjectsApi;
  private readonly versions: VersionApi;

  constructor(readonly config: KubeConfig) {
    this.core = config.makeApiClient(CoreV1Api);
    this.apps = config.makeApiClient(AppsV1Api);
    this.custom = config.makeApiClient(CustomObjectsApi);
    this.versions = config.makeApiClient(VersionApi);
  }

  /** The API server's version, such as `v1.34.3`. */
  async version(): Promise<string> {
    return (await this.ask('GET version', () => this.versions.getCode())).gitVersion;
  }

  async nodes(): Promise<V1Node[]> {
    return (await this.ask('GET nodes', () => this.core.listNode())).items;
  }

  async namespaces(): Promise<string[]> {
    const list = await this.ask('GET namespaces', () => this.core.listNamespace());
    return list.items.flatMap((namespace) => namespace.metadata?.name ?? []);
  }

  /** Tells this cluster from every other: the uid of its namespace kube-system, which is made once. */
  async identity(): Promise<string> {
    const found = await this.ask('GET namespace kube-system', () => this.core.readNamespace({ name: 'kube-system' }));
    return found.metadata?.uid ?? '';
  }

  /** Names of the kinds that were added to the API, such as `volumes.longhorn.io`. */
  async customKinds(): Promise<string[]> {
    const kind = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
    const found: unknown = await this.ask('GET customresourcedefinitions', () =>
      this.custom.listClusterCustomObject(kind),
    );
    const named = z.object({ metadata: z.object({ name: z.string() }) });
    return listOf(named)
      .parse(found)
      .items.map(({ metadata }) => metadata.name);
  }

  /** The phase of a namespace, `Active` or `Terminating`. */
  async namespacePhase(name: string): Promise<string | undefined> {
    const found = await this.optional(`GET namespace ${name}`, () => this.core.readNamespace({ name }));
    return found?.status?.phase;
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.optional(`DELETE namespace ${name}`, () => this.core.deleteNamespace({ name }));
  }

  /** Pods of a namespace, or of all when none is given. */
  async pods(namespace?: string, labelSelector?: string): Promise<V1Pod[]> {
    const selector = labelSelector === undefined ? {} : { labelSelector };
    const list = await this.ask(`GET pods of ${namespace ?? 'all namespaces'}`, () =>
      namespace === undefined
        ? this.core.listPodForAllNamespaces(selector)
        : this.core.listNamespacedPod({ namespace, ...selector }),
    );
    return list.items;
  }

  /** Deletes a pod; its controller makes another. */
  async deletePod(namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE pod ${namespace}/${name}`, () => this.core.deleteNamespacedPod({ namespace, name }));
  }

  async createPod(namespace: string, body: V1Pod): Promise<void> {
    await this.ask(`POST pod ${namespace}/${body.metadata?.name ?? ''}`, () =>
      this.core.createNamespacedPod({ namespace, body }),
    );
  }

  /** Sets what must let go of a pod before it can be gone. */
  async setPodFinalizers(namespace: string, name: string, finalizers: string[]): Promise<void> {
    await this.optional(`PATCH pod ${namespace}/${name}`, () =>
      this.core.patchNamespacedPod(
        { namespace, name, body: { metadata: { finalizers } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
  }

  async services(namespace?: string): Promise<V1Service[]> {
    const list = await this.ask(`GET services of ${namespace ?? 'all namespaces'}`, () =>
      namespace === undefined
        ? this.core.listServiceForAllNamespaces()
        : this.core.listNamespacedService({ namespace }),
    );
    return list.items;
  }

  async deployments(namespace: string): Promise<V1Deployment[]> {
    return (await this.ask(`GET deployments of ${namespace}`, () => this.apps.listNamespacedDeployment({ namespace })))
      .items;
  }

  /** Sets a Deployment's replicas. */
  async scaleDeployment(namespace: string, name: string, replicas: number): Promise<void> {
    await this.ask(`PATCH deployment ${namespace}/${name}`, () =>
      this.apps.patchNamespacedDeployment(
        { namespace, name, body: { spec: { replicas } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
  }

  /** Lets a node accept new pods, or not. */
  async setSchedulable(name: string, accept: boolean): Promise<void> {
    await this.ask(`PATCH node ${name}`, () =>
      this.core.patchNode(
        { name, body: { spec: { unschedulable: !accept } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
  }

  /** Takes back that a node was said to be out of service (`node.kubernetes.io/out-of-service`). */
  async endOutOfService(name: string): Promise<void> {
    const { metadata, spec } = await this.ask(`GET node ${name}`, () => this.core.readNode({ name }));
    const before = spec?.taints ?? [];
    const taints = before.filter(({ key }) => key !== outOfService);
    if (taints.length === before.length) return;
    // With the version that was read: what others add meanwhile must not be lost.
    const body = { metadata: { resourceVersion: metadata?.resourceVersion }, spec: { taints } };
    await this.ask(`PATCH node ${name}`, () =>
      this.core.patchNode({ name, body }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch)),
    );
  }

  /** Events of a namespace, oldest first. */
  async events(namespace: string): Promise<CoreV1Event[]> {
    const list = await this.ask(`GET events of ${namespace}`, () => this.core.listNamespacedEvent({ namespace }));
    const at = (event: CoreV1Event): number =>
      new Date(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? 0).getTime();
    return list.items.sort((one, other) => at(one) - at(other));
  }

  /** A Secret's entries, decoded. */
  async secret(namespace: string, name: string): Promise<Record<string, string> | undefined> {
    const found = await this.optional(`GET secret ${namespace}/${name}`, () =>
      this.core.readNamespacedSecret({ namespace, name }),
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
    const { items } = await this.ask(`GET secrets of ${namespace}`, () =>
      this.core.listNamespacedSecret({ namespace }),
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
    return this.ask(`GET log of ${namespace}/${name}`, () =>
      this.core.readNamespacedPodLog({ namespace, name, tailLines }),
    );
  }

  /** A custom resource, validated. */
  async resource<T>(kind: ResourceKind, namespace: string, name: string, shape: z.ZodType<T>): Promise<T | undefined> {
    const found: unknown = await this.optional(`GET ${kind.plural} ${namespace}/${name}`, () =>
      this.custom.getNamespacedCustomObject({ ...kind, namespace, name }),
    );
    return found === undefined ? undefined : shape.parse(found);
  }

  /** All custom resources of a kind in a namespace, validated. */
  async resources<T>(kind: ResourceKind, namespace: string, shape: z.ZodType<T>): Promise<T[]> {
    const found: unknown = await this.ask(`GET ${kind.plural} of ${namespace}`, () =>
      this.custom.listNamespacedCustomObject({ ...kind, namespace }),
    );
    return listOf(shape).parse(found).items;
  }

  /** All custom resources of a kind in every namespace, validated. */
  async resourcesEverywhere<T>(kind: ResourceKind, shape: z.ZodType<T>): Promise<T[]> {
    const found: unknown = await this.ask(`GET ${kind.plural}`, () => this.custom.listClusterCustomObject({ ...kind }));
    return listOf(shape).parse(found).items;
  }

  async patchResource(kind: ResourceKind, namespace: string, name: string, body: object): Promise<void> {
    await this.ask(`PATCH ${kind.plural} ${namespace}/${name}`, () =>
      this.custom.patchNamespacedCustomObject(
        { ...kind, namespace, name, body },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
  }

  async createResource(kind: ResourceKind, namespace: string, body: object): Promise<void> {
    await this.ask(`POST ${kind.plural}`, () => this.custom.createNamespacedCustomObject({ ...kind, namespace, body }));
  }

  async persistentVolumes(): Promise<V1PersistentVolume[]> {
    return (await this.ask('GET persistentvolumes', () => this.core.listPersistentVolume())).items;
  }

  async createPersistentVolume(body: V1PersistentVolume): Promise<void> {
    await this.ask(`POST persistentvolume ${body.metadata?.name ?? ''}`, () =>
      this.core.createPersistentVolume({ body }),
    );
  }

  async deletePersistentVolume(name: string): Promise<void> {
    await this.optional(`DELETE persistentvolume ${name}`, () => this.core.deletePersistentVolume({ name }));
  }

  async createClaim(namespace: string, body: V1PersistentVolumeClaim): Promise<void> {
    await this.ask(`POST persistentvolumeclaim ${namespace}/${body.metadata?.name ?? ''}`, () =>
      this.core.createNamespacedPersistentVolumeClaim({ namespace, body }),
    );
  }

  async deleteClaim(namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE persistentvolumeclaim ${namespace}/${name}`, () =>
      this.core.deleteNamespacedPersistentVolumeClaim({ namespace, name }),
    );
  }

  async deleteResource(kind: ResourceKind, namespace: string, name: string): Promise<void> {
    await this.optional(`DELETE ${kind.plural} ${namespace}/${name}`, () =>
      this.custom.deleteNamespacedCustomObject({ ...kind, namespace, name }),
    );
  }

  private async optional<T>(request: string, send: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.ask(request, send);
    } catch (thrown) {
      if (answered(thrown, '404')) return undefined;
      throw thrown;
    }
  }

  private ask<T>(request: string, send: () => Promise<T>): Promise<T> {
    return withTransport(() =>
      send().catch((thrown: unknown) => {
        if (thrown instanceof ApiException) {
          throw new ProductError('Kubernetes', String(thrown.code), request, statusMessage(thrown.body), thrown);
        }
        throw thrown;
      }),
    );
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
export function connectKubernetes(kubeconfig: string = secretFile('kubeconfig')): KubernetesClient {
  const text = readFileSync(kubeconfig, 'utf8');
  assertAllowed({ kubeconfig: text, name: kubeconfig });
  const config = new KubeConfig();
  config.loadFromString(text);
  return new KubernetesClient(config);
}
