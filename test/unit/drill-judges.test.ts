import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { judgeErpLast } from '../../support/erp-order';
import { judgeDeploymentsComplete } from '../../support/kubernetes/probes';
import { judgeSecretReached } from '../../support/vault/after-seal';
import { markerKey } from '../../support/vault/config-marker';

test('a Deployment is complete by a status that is of it as it is now', () => {
  const judge = (generation: number, status: object): [string, string] => {
    const named = { namespace: 'documents', name: 'documents', generation };
    const spec = { replicas: 1, selector: {}, template: {} };
    const { status: found, actual } = judgeDeploymentsComplete([{ metadata: named, spec, status }]);
    return [found, actual];
  };
  assert.deepEqual(judge(2, { observedGeneration: 2, availableReplicas: 1 }), ['met', 'available']);
  assert.deepEqual(judge(2, { observedGeneration: 2 }), ['unmet', 'documents/documents 0 of 1']);
  const stale = { observedGeneration: 1, availableReplicas: 1 };
  assert.deepEqual(judge(2, stale), ['unmet', 'documents/documents changed just now']);
  assert.equal(judgeDeploymentsComplete([]).status, 'unmet');
});

test('the ERP was scaled up last when its pods were made after the others ran, not when they only began last', () => {
  const pod = (namespace: string, made: string, began: string): V1Pod => ({
    metadata: { namespace, creationTimestamp: new Date(made) },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'one',
          image: '',
          imageID: '',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: new Date(began) } },
        },
      ],
    },
  });
  const cms = pod('cms', '2026-11-28T20:00Z', '2026-11-28T21:15:59Z');
  const proxy = pod('kube-system', '2026-11-28T20:00Z', '2026-11-28T21:17Z');
  const judge = (...pods: V1Pod[]): string => judgeErpLast(pods).status;
  assert.equal(judge(cms, proxy, pod('erp', '2026-11-28T21:15:59Z', '2026-11-28T21:16:01Z')), 'met');
  assert.equal(judge(cms, proxy, pod('erp', '2026-11-28T20:00Z', '2026-11-28T21:16:01Z')), 'unmet');
  assert.equal(judge(cms, pod('erp-sandbox', '2026-11-28T21:15:58Z', '2026-11-28T21:16:01Z')), 'unmet');
  assert.equal(judge(cms), 'unmet');
  assert.equal(judge(pod('erp', '2026-11-28T21:16Z', '2026-11-28T21:16:01Z')), 'unmet');
});

test('a secret has reached its pod when both have the marker, and is as before when neither has', () => {
  const judge = (marker: string | undefined, written: string | undefined, keys?: string[]): string =>
    judgeSecretReached('cms', marker, { written, keys }).actual;
  const [both, own] = [['greeting', markerKey], ['greeting']];
  assert.equal(judge('1', '1', both), 'read by the pod');
  assert.equal(judge('2', '1', both), 'not in the Secret yet');
  assert.equal(judge('1', '1', own), 'in the Secret, not in the pod yet');
  assert.equal(judge(undefined, '1', both), 'not in the Secret yet');
  assert.equal(judge(undefined, undefined, both), 'in the Secret, not in the pod yet');
  assert.equal(judge(undefined, undefined, own), 'read by the pod');
  assert.equal(judge(undefined, undefined), 'in the Secret, not in the pod yet');
});
