import { compare, type Finding } from '../finding';
import type { Application, ArgoCdClient } from './client';

/** The revision of every Application but one. */
export async function revisions(argocd: ArgoCdClient, but: string): Promise<Record<string, string>> {
  const others = (await argocd.applications()).filter(({ metadata }) => metadata.name !== but);
  return Object.fromEntries(others.map(({ metadata, status }) => [metadata.name, status?.sync?.revision ?? 'none']));
}

/** Whether every other Application is at the revision it had. */
export async function probeOthersUntouched(argocd: ArgoCdClient, before: Record<string, string>): Promise<Finding[]> {
  const now = new Map(
    (await argocd.applications()).map(({ metadata, status }) => [metadata.name, status?.sync?.revision ?? 'none']),
  );
  const source = 'applications.argoproj.io .status.sync.revision';
  return Object.entries(before).map(([name, revision]) =>
    compare(`Application ${name}`, revision, now.get(name) ?? 'gone', source),
  );
}

/** What Argo CD made of the last commit, in words: its conditions, its operation, and what became of each resource. */
export function argoDid(application: Application | undefined): string {
  const { status } = application ?? {};
  const resources = status?.operationState?.syncResult?.resources ?? [];
  return [
    `sync ${status?.sync?.status ?? 'unknown'}, health ${status?.health?.status ?? 'unknown'}, operation ${status?.operationState?.phase ?? 'none'}`,
    ...(status?.conditions ?? []).map(({ type, message }) => `${type}: ${message.slice(0, 200)}`),
    ...resources.map(({ kind, name, status: became, message }) =>
      `${kind} ${name}: ${became ?? 'unknown'} ${message ?? ''}`.trim(),
    ),
  ].join('; ');
}
