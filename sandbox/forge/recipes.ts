import { OperatorError } from '../../support/failure';
import { parseRecipes, type Recipe, type RecipeInput } from './recipe';
import { pkiRecipes } from './recipes-pki';

const kubernetesBinaries = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

const definitions: RecipeInput[] = [
  {
    name: 'fake-gcs-server',
    role: 'backup bucket and OpenTofu state backend',
    provenance: 'substitute',
    stage: 'cluster',
    module: {
      path: 'github.com/fsouza/fake-gcs-server',
      version: 'v1.52.3',
      sum: 'h1:hXddOPMGDKq5ENmttw6xkodVJy0uVhf7HhWvQgAOH6g=',
    },
    binaries: [{ package: 'github.com/fsouza/fake-gcs-server', binary: 'fake-gcs-server' }],
    diskGiB: 2,
  },
  {
    name: 'etcd',
    role: "the cluster's store",
    provenance: 'upstream',
    stage: 'cluster',
    module: {
      path: 'go.etcd.io/etcd/server/v3',
      version: 'v3.6.5',
      sum: 'h1:4RbUb1Bd4y1WkBHmuF+cZII83JNQMuNXzyjwigQ06y0=',
    },
    binaries: [{ package: 'go.etcd.io/etcd/server/v3', binary: 'etcd' }],
    diskGiB: 1,
  },
  {
    name: 'etcdutl',
    role: "restores a snapshot of the cluster's store",
    provenance: 'upstream',
    stage: 'cluster',
    module: {
      path: 'go.etcd.io/etcd/etcdutl/v3',
      version: 'v3.6.5',
      sum: 'h1:SUjemEE2fVTr2Wlfutj6GNn92Cc4oioBEU1bMxNx50M=',
    },
    binaries: [{ package: 'go.etcd.io/etcd/etcdutl/v3', binary: 'etcdutl' }],
    diskGiB: 1,
  },
  {
    name: 'kubernetes',
    role: 'the cluster (production runs k3s)',
    provenance: 'substitute',
    stage: 'cluster',
    module: {
      path: 'k8s.io/kubernetes',
      version: 'v1.34.3',
      sum: 'h1:0TfljWbhEF5DBks+WFMSrvKfxBLo4vnZuqORjLMiyT4=',
    },
    binaries: kubernetesBinaries.map((binary) => ({ package: `k8s.io/kubernetes/cmd/${binary}`, binary })),
    defines: {
      'k8s.io/component-base/version.gitVersion': 'v1.34.3',
      'k8s.io/component-base/version.gitMajor': '1',
      'k8s.io/component-base/version.gitMinor': '34',
      'k8s.io/client-go/pkg/version.gitVersion': 'v1.34.3',
    },
    c: { source: 'build/pause/linux/pause.c', binary: 'pause', defines: { VERSION: 'v3.10.1' } },
    diskGiB: 4,
  },
  {
    name: 'coredns',
    role: "the cluster's DNS",
    provenance: 'upstream',
    stage: 'cluster',
    module: {
      path: 'github.com/coredns/coredns',
      version: 'v1.14.0',
      sum: 'h1:fjrQlxEoONeIcviXyyPXtNbxLspBj8I35TJthmtiuN4=',
    },
    binaries: [{ package: 'github.com/coredns/coredns', binary: 'coredns' }],
    diskGiB: 4,
  },
  {
    name: 'standins',
    role: 'volumes in Longhorn’s place, the web app of every instance, the ERP in Dolibarr’s place, the OpenTofu providers for PostgreSQL, Vault and Gitea',
    provenance: 'stand-in',
    stage: 'storage',
    local: 'standins',
    binaries: [],
    diskGiB: 2,
  },
  {
    name: 'vault',
    role: 'secrets store',
    provenance: 'upstream',
    stage: 'secrets',
    module: {
      path: 'github.com/hashicorp/vault',
      version: 'v1.21.0',
      sum: 'h1:Fip95/8GZy7kqddL26/42AXmBJPsvgaXil/M93Q1/N0=',
    },
    binaries: [{ package: 'github.com/hashicorp/vault', binary: 'vault' }],
    tags: ['minimal'],
    pins: { 'github.com/hashicorp/vault/sdk': 'v0.20.0' },
    diskGiB: 6,
  },
  {
    name: 'vault-db-postgres',
    role: "Vault's PostgreSQL database plugin",
    provenance: 'upstream',
    stage: 'secrets',
    module: {
      path: 'github.com/hashicorp/vault',
      version: 'v1.21.4',
      sum: 'h1:KHGcdSnJtombvae1gDk+jZ50kiFngJPFDOvcCJRnU0c=',
    },
    binaries: [
      {
        package: 'github.com/hashicorp/vault/plugins/database/postgresql/postgresql-database-plugin',
        binary: 'postgresql-database-plugin',
      },
    ],
    diskGiB: 3,
  },
  {
    name: 'vault-auth-kubernetes',
    role: "Vault's Kubernetes auth plugin",
    provenance: 'upstream',
    stage: 'secrets',
    module: {
      path: 'github.com/hashicorp/vault-plugin-auth-kubernetes',
      version: 'v0.23.1',
      sum: 'h1:9SW3Qu08RR9Tyn2K0wU4rcjQtYf1ykgPcyFgWs/TqTY=',
    },
    binaries: [
      {
        package: 'github.com/hashicorp/vault-plugin-auth-kubernetes/cmd/vault-plugin-auth-kubernetes',
        binary: 'vault-plugin-auth-kubernetes',
      },
    ],
    diskGiB: 2,
  },
  {
    name: 'helm',
    role: 'chart renderer, for Argo CD and for the operator',
    provenance: 'upstream',
    stage: 'secrets',
    module: { path: 'helm.sh/helm/v3', version: 'v3.19.0', sum: 'h1:krVyCGa8fa/wzTZgqw0DUiXuRT5BPdeqE/sQXujQ22k=' },
    binaries: [{ package: 'helm.sh/helm/v3/cmd/helm', binary: 'helm' }],
    defines: {
      'helm.sh/helm/v3/internal/version.version': 'v3.19.0',
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
      'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '34',
    },
    diskGiB: 3,
  },
  {
    name: 'secrets-operator',
    role: 'Vault Secrets Operator',
    provenance: 'upstream',
    stage: 'secrets',
    module: {
      path: 'github.com/hashicorp/vault-secrets-operator',
      version: 'v0.10.0',
      sum: 'h1:BjOTBJRqx1SLo7NeyqNJWRPDyfRscbqPtGU1U2LzArg=',
    },
    binaries: [{ package: 'github.com/hashicorp/vault-secrets-operator', binary: 'vault-secrets-operator' }],
    defines: { 'github.com/hashicorp/vault-secrets-operator/internal/version.GitVersion': '0.10.0' },
    share: ['chart'],
    diskGiB: 3,
  },
  {
    name: 'kube-rbac-proxy',
    role: "the secrets operator's metrics proxy (its chart asks for it)",
    provenance: 'upstream',
    stage: 'secrets',
    module: {
      path: 'github.com/brancz/kube-rbac-proxy',
      version: 'v0.18.1',
      sum: 'h1:Hn7ZMhWjBmH2eJd8q4SuEOX7MpNnTkRUOUsHQW55h/I=',
    },
    binaries: [{ package: 'github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy', binary: 'kube-rbac-proxy' }],
    defines: { 'k8s.io/component-base/version.gitVersion': 'v0.18.1' },
    diskGiB: 2,
  },
  {
    name: 'argocd',
    role: 'GitOps controller',
    provenance: 'upstream',
    stage: 'gitops',
    module: {
      path: 'github.com/argoproj/argo-cd/v3',
      version: 'v3.2.0',
      sum: 'h1:m2eGAV+nXQGgzZbH5SyJD5laaPW27mzWXBrgisUHY/0=',
    },
    binaries: [{ package: 'github.com/argoproj/argo-cd/v3/cmd', binary: 'argocd' }],
    defines: {
      'github.com/argoproj/argo-cd/v3/common.version': '3.2.0',
      'github.com/argoproj/argo-cd/v3/common.gitTag': 'v3.2.0',
      'github.com/argoproj/argo-cd/v3/common.gitTreeState': 'clean',
    },
    share: ['manifests/install.yaml', 'hack/gpg-wrapper.sh', 'hack/git-verify-wrapper.sh', 'entrypoint.sh'],
    diskGiB: 5,
  },
  {
    name: 'tofu',
    role: 'OpenTofu',
    provenance: 'upstream',
    stage: 'provisioning',
    module: {
      path: 'github.com/opentofu/opentofu',
      version: 'v1.12.6',
      sum: 'h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=',
    },
    binaries: [{ package: 'github.com/opentofu/opentofu/cmd/tofu', binary: 'tofu' }],
    defines: { 'github.com/opentofu/opentofu/version.dev': 'no' },
    diskGiB: 5,
  },
  {
    name: 'gitea',
    role: 'Git server',
    provenance: 'upstream',
    stage: 'git',
    module: {
      path: 'code.gitea.io/gitea',
      version: 'v1.25.2',
      sum: 'h1:iZLDfAS0Qhyo5Jt2e1/mpbN/Yyy4SAslK7N5fOyTGho=',
    },
    binaries: [{ package: 'code.gitea.io/gitea', binary: 'gitea' }],
    tags: ['sqlite', 'sqlite_unlock_notify'],
    defines: { 'main.Version': '1.25.2', 'main.Tags': 'sqlite sqlite_unlock_notify' },
    cgo: true,
    share: ['templates', 'options', 'public'],
    diskGiB: 4,
  },
  ...pkiRecipes,
  {
    name: 'actions-runner',
    role: 'runner of Gitea Actions: the engine of Gitea’s own (gitea.com/gitea/act, in host mode) behind a poller written here',
    provenance: 'stand-in',
    stage: 'trials',
    local: 'runner',
    binaries: [],
    // Without the engine's containers, which the lab has no Docker for.
    tags: ['WITHOUT_DOCKER'],
    diskGiB: 2,
  },
];

/** Every component the forge can build, in build order: what the first scenarios need comes first. */
export const recipes: readonly Recipe[] = parseRecipes(definitions);

/** The components of a lab. */
export const labRecipes: readonly Recipe[] = recipes.filter(({ stage }) => stage !== 'trials');

/**
 * The recipes of `names` in build order; `all` are those of a lab.
 * @throws OperatorError naming the unknown one and the known ones.
 */
export function selectRecipes(names: readonly string[] | 'all'): Recipe[] {
  if (names === 'all') return [...labRecipes];
  const unknown = names.filter((name) => !recipes.some((recipe) => recipe.name === name));
  if (unknown.length > 0) {
    throw new OperatorError({
      attempted: `find the component ${unknown.join(', ')}`,
      expected: `one of ${recipes.map((recipe) => recipe.name).join(', ')}`,
      next: 'give one of these names, or none for all of them.',
      exitCode: 2,
    });
  }
  return recipes.filter((recipe) => names.includes(recipe.name));
}
