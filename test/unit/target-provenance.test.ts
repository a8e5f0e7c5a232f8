import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { V1Node, V1Pod } from '@kubernetes/client-node';
import { judgeImage, readImage, readMirrors } from '../../support/target/configured/image';
import { clusterParts, kubernetesPart, provenanceLabel } from '../../support/target/configured/provenance';

const none = new Set<string>();
const official = ['docker.io/longhornio/longhorn-manager'];

function node(kubeletVersion: string, containerRuntimeVersion: string): V1Node {
  return { status: { nodeInfo: { kubeletVersion, containerRuntimeVersion } as never } };
}

function pod(image: string, labels: Record<string, string> = {}): V1Pod {
  return {
    metadata: { namespace: 'longhorn-system', name: 'longhorn-manager-x', labels },
    spec: { containers: [{ name: 'longhorn-manager', image }] },
  };
}

describe('provenance of Kubernetes', () => {
  it('is upstream k3s when API server, kubelets and runtime say the same', () => {
    const part = kubernetesPart('v1.34.3+k3s1', [node('v1.34.3+k3s1', 'containerd://2.1.5-k3s1')]);
    deepEqual([part.name, part.provenance], ['k3s', 'upstream']);
  });

  it('is a substitute without the suffix', () => {
    const part = kubernetesPart('v1.34.3', [node('v1.34.3', 'containerd://1.7.2')]);
    deepEqual([part.name, part.role, part.provenance], ['kubernetes', 'k3s', 'substitute']);
  });

  it('is unknown when only the API server says k3s', () => {
    equal(kubernetesPart('v1.34.3+k3s1', [node('v1.34.3', 'containerd://1.7.2')]).provenance, 'unknown');
  });
});

describe('an image', () => {
  it('is read with Docker’s defaults', () => {
    deepEqual(readImage('postgres'), { registry: 'docker.io', repository: 'library/postgres', tag: undefined });
    deepEqual(readImage('localhost:5000/a/b:v1'), { registry: 'localhost:5000', repository: 'a/b', tag: 'v1' });
    deepEqual(readImage('quay.io/argoproj/argocd:v3.2.0@sha256:00'), {
      registry: 'quay.io',
      repository: 'argoproj/argocd',
      tag: 'v3.2.0',
    });
  });

  it('proves itself by repository, version and registry together', () => {
    equal(judgeImage('longhornio/longhorn-manager:v1.9.1', official, none).provenance, 'upstream');
  });

  const unproven: [string, string, ReadonlySet<string> | undefined, RegExp][] = [
    ['of another repository', 'someone/longhorn-manager:v1.9.1', none, /own repository/],
    ['of the same name in another registry', 'quay.io/longhornio/longhorn-manager:v1.9.1', none, /own repository/],
    ['without a version', 'longhornio/longhorn-manager:latest', none, /names no version/],
    ['through a mirror', 'longhornio/longhorn-manager:v1.9.1', new Set(['docker.io']), /mirror/],
    ['through a mirror for everything', 'longhornio/longhorn-manager:v1.9.1', new Set(['*']), /mirror/],
    ['where nobody could look for mirrors', 'longhornio/longhorn-manager:v1.9.1', undefined, /could not be read/],
  ];
  for (const [what, image, mirrors, why] of unproven) {
    it(`proves nothing ${what}`, () => {
      const { provenance, basis } = judgeImage(image, official, mirrors);
      equal(provenance, 'unknown');
      match(basis, why);
    });
  }

  it('of every registry is mirrored where the nodes have a default of their own', () =>
    deepEqual(readMirrors('_default\nquay.io\n\n'), ['*', 'quay.io']));
});

describe('a part in the cluster', () => {
  const kinds = ['volumes.longhorn.io'];

  it('needs its kind and its pods', () => {
    equal(clusterParts(kinds, [pod('longhornio/longhorn-manager:v1.9.1')], none)[0]?.provenance, 'upstream');
    equal(clusterParts([], [pod('longhornio/longhorn-manager:v1.9.1')], none)[0]?.provenance, 'unknown');
    deepEqual(
      clusterParts(kinds, [], none).map(({ provenance }) => provenance),
      ['unknown'],
    );
    deepEqual(clusterParts([], [], none), []);
  });

  it('that says it is a stand-in is one, whatever its image is called', () => {
    const standIn = pod('longhornio/longhorn-manager:v1.9.1', { [provenanceLabel]: 'stand-in' });
    equal(clusterParts(kinds, [standIn], none)[0]?.provenance, 'stand-in');
  });
});
