import type { Finding } from '../finding';
import type { GiteaClient } from '../gitea/client';
import type { Application, ArgoCdClient } from './client';

/**
 * Where every Application but one may be afterwards if nobody touches it: at its revision, or at the commit that its
 * repository has already and that Argo CD has not looked at yet.
 */
export async function revisions(
  argocd: ArgoCdClient,
  gitea: GiteaClient,
  but: string,
): Promise<Record<string, string[]>> {
  const others = (await argocd.applications()).filter(({ metadata }) => metadata.name !== but);
  const known = others.map(async ({ metadata, status, spec }): Promise<[string, string[]]> => {
    const repository =
      spec.source.repoURL
        .replace(/\.git$/, '')
        .split('/')
        .at(-1) ?? '';
    const head = await gitea.head(repository);
    return [metadata.name, [status?.sync?.revision ?? 'none', ...(head === undefined ? [] : [head])]];
  });
  return Object.fromEntries(await Promise.all(known));
}

/** Whether every other Application is where it may be. */
export async function probeOthersUntouched(argocd: ArgoCdClient, before: Record<string, string[]>): Promise<Finding[]> {
  const all = await argocd.applications();
  const now = new Map(all.map(({ metadata, status }) => [metadata.name, status?.sync?.revision ?? 'none']));
  return Object.entries(before).map(([name, allowed]) => {
    const actual = now.get(name) ?? 'gone';
    const status = allowed.includes(actual) ? 'met' : 'unmet';
    const expected = [...new Set(allowed)].join(' or ');
    return {
      subject: `Application ${name}`,
      status,
      expected,
      actual,
      source: 'applications.argoproj.io .status.sync.revision',
    };
  });
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
