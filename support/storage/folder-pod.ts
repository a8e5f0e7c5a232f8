import type { V1Pod } from '@kubernetes/client-node';

/** Where the pod's program answers. */
export const folderPort = 8080;

/** A pod that serves the files of one claim. */
export interface FolderPod {
  name: string;
  claimName: string;
  /** Mounted so by the kernel, whatever runs in the pod. */
  readOnly: boolean;
  /** The machine the volume is attached to, if it is: a volume is on one machine at a time. */
  node?: string | undefined;
}

/** What nobody took away (its command was killed) ends by itself and lets the volume go. Seconds. */
const longestLifeSeconds = 600;

/** A pod with the program of the app documents over a volume, for the time of a look or a copy. */
export function folderPod({ name, claimName, readOnly, node }: FolderPod): V1Pod {
  return {
    metadata: { name, labels: { 'app.kubernetes.io/name': name } },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      restartPolicy: 'Never',
      activeDeadlineSeconds: longestLifeSeconds,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name: 'documents',
          image: 'docker.io/arcodange/documents:1',
          readinessProbe: { httpGet: { path: '/livez', port: folderPort }, periodSeconds: 1, failureThreshold: 30 },
          resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '64Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [{ name: 'documents', mountPath: '/files', readOnly }],
        },
      ],
      volumes: [{ name: 'documents', persistentVolumeClaim: { claimName, readOnly } }],
    },
  };
}
