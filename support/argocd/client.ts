import { z } from 'zod';
import type { KubernetesClient } from '../kubernetes/client';

/** Where Argo CD keeps its Applications. */
export const argocdNamespace = 'argocd';
/** The annotation that, set to `true`, makes the controller leave an Application alone. */
export const skipReconcile = 'argocd.argoproj.io/skip-reconcile';
/** The Application that renders all others from the factory repository. */
export const appOfApps = 'factory';
const applicationKind = { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' };

const applicationShape = z.object({
  metadata: z.object({
    name: z.string(),
    deletionTimestamp: z.string().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  spec: z.object({
    source: z.object({ repoURL: z.string(), path: z.string().optional(), targetRevision: z.string().optional() }),
    destination: z.object({ namespace: z.string().optional() }),
    syncPolicy: z
      .object({ automated: z.object({ prune: z.boolean(), selfHeal: z.boolean() }).partial().optional() })
      .optional(),
  }),
  status: z
    .object({
      sync: z.object({ status: z.string(), revision: z.string().optional() }).optional(),
      health: z.object({ status: z.string().optional(), message: z.string().optional() }).optional(),
      conditions: z.array(z.object({ type: z.string(), message: z.string() })).optional(),
      operationState: z
        .object({
          phase: z.string(),
          message: z.string().optional(),
          syncResult: z
            .object({
              resources: z
                .array(
                  z.object({
                    kind: z.string(),
                    name: z.string(),
                    status: z.string().optional(),
                    message: z.string().optional(),
                  }),
                )
                .optional(),
            })
            .optional(),
        })
        .optional(),
      resources: z
        .array(
          z.object({
            kind: z.string(),
            name: z.string(),
            status: z.string().optional(),
            health: z.object({ status: z.string().optional(), message: z.string().optional() }).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

/** An Argo CD Application with the parts of its status that the suite judges. */
export type Application = z.infer<typeof applicationShape>;

/** Argo CD through its Application resources. */
export class ArgoCdClient {
  constructor(private readonly kubernetes: KubernetesClient) {}

  async applications(): Promise<Application[]> {
    return this.kubernetes.resources(applicationKind, argocdNamespace, applicationShape);
  }

  async application(name: string): Promise<Application | undefined> {
    return this.kubernetes.resource(applicationKind, argocdNamespace, name, applicationShape);
  }

  /** Asks the controller to compare now (`hard` also forgets the rendered manifests). */
  async refresh(name: string, kind: 'normal' | 'hard' = 'normal'): Promise<void> {
    // Any word but `hard` is a plain request. Another each time: one that was lost stays on record, and the same changes nothing.
    const word = kind === 'hard' ? kind : String(Date.now());
    const body = { metadata: { annotations: { 'argocd.argoproj.io/refresh': word } } };
    await this.kubernetes.patchResource(applicationKind, argocdNamespace, name, body);
  }

  /**
   * Asks for a sync to what Git has now. By itself, selfHeal waits longer each time it has put the same commit back: 2 s at
   * first, 5 min at most, and begins anew only after the Application was in sync for 5.5 min.
   */
  async sync(name: string): Promise<void> {
    const operation = { initiatedBy: { username: 'suite' }, retry: { limit: 5 }, sync: { prune: true } };
    await this.patch(name, { operation });
  }

  /** Changes an Application (JSON merge patch). */
  async patch(name: string, body: object): Promise<void> {
    await this.kubernetes.patchResource(applicationKind, argocdNamespace, name, body);
  }

  /** Asks for the deletion; with its finalizer, Argo CD removes what the Application deployed first. */
  async delete(name: string): Promise<void> {
    await this.kubernetes.deleteResource(applicationKind, argocdNamespace, name);
  }
}
