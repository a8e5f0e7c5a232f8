import type { RecipeInput } from './recipe';

/** What the lab's certificates need: built last, because nothing else waits for them. */
export const pkiRecipes: readonly RecipeInput[] = [
  {
    name: 'step-ca',
    role: 'private CA',
    provenance: 'upstream',
    stage: 'pki',
    module: {
      path: 'github.com/smallstep/certificates',
      version: 'v0.30.2',
      sum: 'h1:1G3xBi8sJ740iA1mMPW2Svv7EIZKJ4Zf/iQtA5QlN0Y=',
    },
    binaries: [{ package: 'github.com/smallstep/certificates/cmd/step-ca', binary: 'step-ca' }],
    defines: { 'main.Version': '0.30.2' },
    diskGiB: 3,
  },
  {
    name: 'step',
    role: "the private CA's client",
    provenance: 'upstream',
    stage: 'pki',
    module: {
      path: 'github.com/smallstep/cli',
      version: 'v0.28.7',
      sum: 'h1:3a1Nu0JMbColjJMxsms166Q7cHc8DgSzXgYvE5psucY=',
    },
    binaries: [{ package: 'github.com/smallstep/cli/cmd/step', binary: 'step' }],
    defines: { 'main.Version': '0.28.7' },
    diskGiB: 3,
  },
  {
    name: 'cert-manager',
    role: 'certificates as resources, requested by ACME from the private CA',
    provenance: 'upstream',
    stage: 'pki',
    module: {
      path: 'github.com/cert-manager/cert-manager',
      version: 'v1.19.1',
      sum: 'h1:Txh8L/nLWTDcb7ZnXuXbTe15BxQnLbLirXmbNk0fGgY=',
    },
    main: 'cert-manager-controller',
    binaries: [{ package: '.', binary: 'cert-manager-controller' }],
    // Upstream gives a challenge's record a minute to spread, whatever its zone says. Records of the lab's zone live 5 s.
    changed: {
      module: 'github.com/cert-manager/cert-manager',
      file: 'pkg/issuer/acme/dns/dns.go',
      text: 'ttl := 60',
      to: 'ttl := 5',
    },
    defines: { 'github.com/cert-manager/cert-manager/pkg/util.AppVersion': 'v1.19.1' },
    share: ['deploy/crds'],
    diskGiB: 4,
  },
  {
    name: 'traefik',
    role: 'ingress that terminates TLS',
    provenance: 'upstream',
    stage: 'pki',
    module: {
      path: 'github.com/traefik/traefik/v3',
      version: 'v3.6.12',
      sum: 'h1:6pe4s7aaDTQs+AsF7KP3sM/xnq7zOVvibRQe5tw9eFo=',
    },
    binaries: [{ package: 'github.com/traefik/traefik/v3/cmd/traefik', binary: 'traefik' }],
    changed: {
      module: 'github.com/go-acme/lego/v4',
      file: 'providers/dns/zz_gen_dns_providers.go',
      by: 'lego-dns-providers.go',
    },
    defines: {
      'github.com/traefik/traefik/v3/pkg/version.Version': '3.6.12',
      'github.com/traefik/traefik/v3/pkg/version.Codename': 'ramequin',
    },
    share: ['docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml'],
    diskGiB: 6,
  },
];
