import type {
  ApiException,
  AppsV1Api,
  ConfigurationOptions,
  CoreV1Api,
  CustomObjectsApi,
  VersionApi,
} from '@kubernetes/client-node';

/** What the suite uses of Kubernetes' own client. */
export interface Apis {
  core: CoreV1Api;
  apps: AppsV1Api;
  custom: CustomObjectsApi;
  versions: VersionApi;
  /** Has the body of a PATCH merged into the object. */
  mergePatch: ConfigurationOptions;
  /** Whether the API server answered, and refused. */
  isRefusal(thrown: unknown): thrown is ApiException<unknown>;
}

/** Reads Kubernetes' client only when something is asked of a cluster: it is most of what a command's start would take. */
export async function loadApis(kubeconfig: string): Promise<Apis> {
  const library = await import('@kubernetes/client-node');
  const config = new library.KubeConfig();
  config.loadFromString(kubeconfig);
  return {
    core: config.makeApiClient(library.CoreV1Api),
    apps: config.makeApiClient(library.AppsV1Api),
    custom: config.makeApiClient(library.CustomObjectsApi),
    versions: config.makeApiClient(library.VersionApi),
    mergePatch: library.setHeaderOptions('Content-Type', library.PatchStrategy.MergePatch),
    isRefusal: (thrown): thrown is ApiException<unknown> => thrown instanceof library.ApiException,
  };
}
