import type { Provenance } from '../forge/recipe';
import type { DebianTree } from './debian';
import { imageTools } from './debian';
import type { ImageConfig } from './layout';

/** A file or link of an image's own layer. */
export type Placement =
  | { kind: 'binary'; binary: string; path: string }
  | { kind: 'shared'; component: string; file: string; path: string; mode?: number }
  | { kind: 'sharedFolder'; component: string; folder: string; path: string }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'directory'; path: string; mode?: number; uid?: number; gid?: number }
  | { kind: 'content'; path: string; content: string };

/** How an image is put together. */
export interface ImageRecipe {
  name: string;
  /** The registry that upstream manifests name; the lab's registry answers in its place. */
  upstreamRegistry: string;
  repository: string;
  tag: string;
  provenance: Provenance;
  /** Components of the forge whose files it holds. */
  components: string[];
  /** A Debian tree below everything else; none means the image holds its placements alone. */
  base?: DebianTree;
  placements: Placement[];
  config: ImageConfig;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const users = (...own: { name: string; id: number; home: string }[]): Placement[] => [
  {
    kind: 'content',
    path: 'etc/passwd',
    content: [
      'root:x:0:0:root:/root:/bin/sh\n',
      ...own.map(({ name, id, home }) => `${name}:x:${id}:${id}::${home}:/bin/sh\n`),
      'nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
    ].join(''),
  },
  {
    kind: 'content',
    path: 'etc/group',
    content: ['root:x:0:\n', ...own.map(({ name, id }) => `${name}:x:${id}:\n`), 'nogroup:x:65534:\n'].join(''),
  },
];

/** The name under which Argo CD's binary is each of its parts (upstream's Dockerfile makes the same links). */
const argocdParts = [
  ...['server', 'repo-server', 'cmp-server', 'application-controller', 'dex', 'notifications'],
  ...['applicationset-controller', 'k8s-auth', 'commit-server'],
];

/** Every image of the lab, under the names that manifests ask for. */
export const imageRecipes: readonly ImageRecipe[] = [
  {
    name: 'pause',
    upstreamRegistry: 'docker.io',
    repository: 'arcodange/pause',
    tag: '1',
    provenance: 'upstream',
    components: ['kubernetes'],
    placements: [{ kind: 'binary', binary: 'pause', path: 'pause' }],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  },
  {
    name: 'coredns',
    upstreamRegistry: 'docker.io',
    repository: 'coredns/coredns',
    tag: 'v1.14.0',
    provenance: 'upstream',
    components: ['coredns'],
    placements: [{ kind: 'binary', binary: 'coredns', path: 'coredns' }],
    config: { Entrypoint: ['/coredns'], WorkingDir: '/' },
  },
  {
    name: 'vault',
    upstreamRegistry: 'docker.io',
    repository: 'hashicorp/vault',
    tag: '1.21.0',
    provenance: 'upstream',
    components: ['vault', 'vault-db-postgres', 'vault-auth-kubernetes'],
    placements: [
      { kind: 'binary', binary: 'vault', path: 'bin/vault' },
      { kind: 'binary', binary: 'postgresql-database-plugin', path: 'vault/plugins/postgresql-database-plugin' },
      { kind: 'binary', binary: 'vault-plugin-auth-kubernetes', path: 'vault/plugins/vault-plugin-auth-kubernetes' },
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      { kind: 'directory', path: 'vault/data', uid: 100, gid: 1000 },
      ...users({ name: 'vault', id: 100, home: '/vault' }),
    ],
    config: { Entrypoint: ['/bin/vault'], Env: [path], WorkingDir: '/' },
  },
  {
    name: 'secrets-operator',
    upstreamRegistry: 'docker.io',
    repository: 'hashicorp/vault-secrets-operator',
    tag: '0.10.0',
    provenance: 'upstream',
    components: ['secrets-operator'],
    placements: [
      { kind: 'binary', binary: 'vault-secrets-operator', path: 'vault-secrets-operator' },
      // Its chart's upgrade hook runs the operator under this name, on these files (upstream's Dockerfile).
      { kind: 'symlink', path: 'scripts/upgrade-crds', target: '../vault-secrets-operator' },
      { kind: 'sharedFolder', component: 'secrets-operator', folder: 'chart/crds', path: 'scripts/crds' },
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      ...users({ name: 'nonroot', id: 65532, home: '/home/nonroot' }),
    ],
    config: { Entrypoint: ['/vault-secrets-operator'], Env: [path], User: '65532:65532', WorkingDir: '/' },
  },
  {
    name: 'kube-rbac-proxy',
    upstreamRegistry: 'quay.io',
    repository: 'brancz/kube-rbac-proxy',
    tag: 'v0.18.1',
    provenance: 'upstream',
    components: ['kube-rbac-proxy'],
    placements: [
      { kind: 'binary', binary: 'kube-rbac-proxy', path: 'usr/local/bin/kube-rbac-proxy' },
      ...users({ name: 'nonroot', id: 65532, home: '/home/nonroot' }),
    ],
    config: { Entrypoint: ['/usr/local/bin/kube-rbac-proxy'], Env: [path], User: '65532:65532' },
  },
  {
    name: 'redis',
    upstreamRegistry: 'public.ecr.aws',
    repository: 'docker/library/redis',
    tag: '8.2.2-alpine',
    // Debian's Redis 7.0 under the name that Argo CD's manifest asks for.
    provenance: 'substitute',
    components: [],
    base: imageTools,
    placements: [
      { kind: 'directory', path: 'data', uid: 999, gid: 999 },
      ...users({ name: 'redis', id: 999, home: '/data' }),
    ],
    config: { Entrypoint: ['redis-server'], Env: [path], WorkingDir: '/data' },
  },
  {
    name: 'argocd',
    upstreamRegistry: 'quay.io',
    repository: 'argoproj/argocd',
    tag: 'v3.2.0',
    provenance: 'upstream',
    components: ['argocd', 'helm'],
    base: imageTools,
    placements: [
      { kind: 'binary', binary: 'argocd', path: 'usr/local/bin/argocd' },
      { kind: 'binary', binary: 'helm', path: 'usr/local/bin/helm' },
      ...argocdParts.map((part): Placement => ({
        kind: 'symlink',
        path: `usr/local/bin/argocd-${part}`,
        target: '/usr/local/bin/argocd',
      })),
      ...['entrypoint.sh', 'hack/gpg-wrapper.sh', 'hack/git-verify-wrapper.sh'].map((file): Placement => ({
        kind: 'shared',
        component: 'argocd',
        file,
        path: `usr/local/bin/${file.replace('hack/', '')}`,
        mode: 0o755,
      })),
      { kind: 'content', path: 'app/config/ssh/ssh_known_hosts', content: '' },
      { kind: 'symlink', path: 'etc/ssh/ssh_known_hosts', target: '/app/config/ssh/ssh_known_hosts' },
      { kind: 'directory', path: 'app/config/tls' },
      { kind: 'directory', path: 'app/config/gpg/source' },
      { kind: 'directory', path: 'app/config/gpg/keys', mode: 0o700, uid: 999 },
      { kind: 'directory', path: 'home/argocd', mode: 0o775, uid: 999 },
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      ...users({ name: 'argocd', id: 999, home: '/home/argocd' }),
    ],
    config: {
      Entrypoint: ['/usr/bin/tini', '--'],
      Env: [path, 'USER=argocd', 'HOME=/home/argocd'],
      User: '999',
      WorkingDir: '/home/argocd',
    },
  },
  {
    name: 'documents',
    upstreamRegistry: 'docker.io',
    repository: 'arcodange/documents',
    tag: '1',
    provenance: 'stand-in',
    components: ['standins'],
    placements: [
      { kind: 'binary', binary: 'documents', path: 'documents' },
      ...users({ name: 'nonroot', id: 65532, home: '/' }),
    ],
    config: { Entrypoint: ['/documents'], Env: [path], User: '65532:65532' },
  },
  {
    name: 'cert-manager',
    upstreamRegistry: 'quay.io',
    repository: 'jetstack/cert-manager-controller',
    tag: 'v1.19.1',
    provenance: 'upstream',
    components: ['cert-manager'],
    placements: [
      { kind: 'binary', binary: 'cert-manager-controller', path: 'app/cmd/controller/controller' },
      ...users({ name: 'nonroot', id: 1000, home: '/home/nonroot' }),
    ],
    config: { Entrypoint: ['/app/cmd/controller/controller'], Env: [path], User: '1000:1000', WorkingDir: '/' },
  },
  {
    name: 'traefik',
    upstreamRegistry: 'docker.io',
    repository: 'library/traefik',
    tag: 'v3.6.12',
    provenance: 'upstream',
    components: ['traefik'],
    placements: [
      { kind: 'binary', binary: 'traefik', path: 'traefik' },
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      ...users({ name: 'nonroot', id: 65532, home: '/' }),
    ],
    config: { Entrypoint: ['/traefik'], Env: [path], User: '65532:65532', WorkingDir: '/' },
  },
  {
    // Stays up, and checks from inside a pod what the ingress serves when its probe runs `step`.
    name: 'trust-probe',
    upstreamRegistry: 'docker.io',
    repository: 'arcodange/trust-probe',
    tag: '1',
    provenance: 'upstream',
    components: ['step', 'kubernetes'],
    placements: [
      { kind: 'binary', binary: 'step', path: 'usr/local/bin/step' },
      { kind: 'binary', binary: 'pause', path: 'pause' },
      { kind: 'directory', path: 'home/step', uid: 1000, gid: 1000 },
      ...users({ name: 'step', id: 1000, home: '/home/step' }),
    ],
    config: { Entrypoint: ['/pause'], Env: [path, 'HOME=/home/step'], User: '1000:1000', WorkingDir: '/' },
  },
  {
    name: 'webapp',
    upstreamRegistry: 'docker.io',
    repository: 'arcodange/webapp',
    tag: '1',
    provenance: 'stand-in',
    components: ['standins'],
    placements: [
      { kind: 'binary', binary: 'webapp', path: 'webapp' },
      ...users({ name: 'nonroot', id: 65532, home: '/' }),
    ],
    config: { Entrypoint: ['/webapp'], Env: [path], User: '65532:65532' },
  },
  {
    name: 'dolibarr',
    upstreamRegistry: 'docker.io',
    repository: 'arcodange/erp',
    tag: '1',
    // Dolibarr cannot be had here: its REST API on its own tables, written for this project.
    provenance: 'stand-in',
    components: ['standins'],
    placements: [
      { kind: 'binary', binary: 'dolibarr', path: 'dolibarr' },
      ...users({ name: 'nonroot', id: 65532, home: '/' }),
    ],
    config: { Entrypoint: ['/dolibarr'], Env: [path], User: '65532:65532' },
  },
];
