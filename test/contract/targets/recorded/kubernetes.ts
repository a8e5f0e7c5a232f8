/**
 * Answers of a Kubernetes API, of Vault, Gitea and the bucket, written from their documented formats for a k3s cluster of
 * three nodes with Longhorn, the secrets operator and Argo CD. Not recorded from a running one: there is none here.
 */
function node(name: string): object {
  return {
    metadata: { name },
    status: {
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: name },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
      nodeInfo: {
        architecture: 'arm64',
        kernelVersion: '6.8.0-45-generic',
        kubeletVersion: 'v1.34.3+k3s1',
        containerRuntimeVersion: 'containerd://2.1.5-k3s1',
      },
    },
  };
}

function pod(namespace: string, name: string, image: string): object {
  return {
    metadata: { namespace, name },
    spec: { containers: [{ name: 'manager', image }] },
    status: { phase: 'Running' },
  };
}

const kinds = ['volumes.longhorn.io', 'vaultstaticsecrets.secrets.hashicorp.com', 'applications.argoproj.io'];

/** By path, without the query. */
export function answers(nodes: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    '/version': { major: '1', minor: '34', gitVersion: 'v1.34.3+k3s1' },
    '/api/v1/nodes': { items: nodes.map(node) },
    '/api/v1/namespaces/kube-system': {
      metadata: { name: 'kube-system', uid: '5f1c2b9e-0000-4000-8000-000000000001' },
    },
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions': { items: kinds.map((name) => ({ metadata: { name } })) },
    '/api/v1/pods': {
      items: [
        pod('longhorn-system', 'longhorn-manager-x7k2p', 'longhornio/longhorn-manager:v1.9.1'),
        pod(
          'vault-secrets-operator-system',
          'vault-secrets-operator-controller-manager-5c8',
          'hashicorp/vault-secrets-operator:0.10.0',
        ),
        pod('argocd', 'argocd-server-7d9c', 'quay.io/argoproj/argocd:v3.2.0'),
        pod('vault', 'vault-0', 'registry.internal/vault:1.21.0'),
      ],
    },
    '/apis/apps/v1/namespaces/argocd/deployments': {
      items: [{ metadata: { name: 'argocd-server' }, status: { availableReplicas: 1 } }],
    },
    '/apis/apps/v1/namespaces/vault-secrets-operator-system/deployments': { items: [] },
    '/v1/sys/health': { initialized: true, sealed: true, version: '1.21.0' },
    '/api/v1/version': { version: '1.25.2' },
    '/storage/v1/b/sandbox-tofu-state/o': {},
  };
}
