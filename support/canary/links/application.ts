import { appOfApps, type Application } from '../../argocd/client';
import { compare, worst, type Finding } from '../../finding';
import { judgeHealthy, judgeSynced, probeAtRevision, probeSynced } from '../../argocd/probes';
import type { CanaryContext, Link } from '../link';

/** How long an asked-for comparison is waited for, in milliseconds; one that works takes a second or two. */
const askAgainMs = 8_000;

/** The Application, registered in the factory repository and rendered by the app-of-apps. */
export const applicationLink: Link = {
  name: 'application',
  title: 'Argo CD Application, from the app-of-apps to Synced',
  budget: 'sync',
  act: async (context) => {
    context.registration = await context.workspace.register();
    await ask(context);
  },
  check: async (context) => {
    const { systems, names, registration } = context;
    const { argocd } = systems;
    const rendered = await Promise.all([
      probeAtRevision(argocd, appOfApps, registration ?? 'a commit that registers the app'),
      probeSynced(argocd, appOfApps),
    ]);
    // Before the app-of-apps is at that commit, an Application of that name is a leftover.
    if (worst(rendered) !== 'met') {
      // A comparison that failed, as while the repository server comes back, is not made again for minutes unless asked for.
      if (Date.now() - (context.askedAt ?? 0) > askAgainMs) await ask(context);
      return rendered;
    }
    return [...rendered, ...judge(names.instance, await argocd.application(names.instance))];
  },
};

async function ask(context: CanaryContext): Promise<void> {
  context.askedAt = Date.now();
  await context.systems.argocd.refresh(appOfApps);
}

function judge(instance: string, application: Application | undefined): Finding[] {
  const synced = judgeSynced(instance, application);
  if (application === undefined) return [synced];
  const { source, destination } = application.spec;
  const where = `applications.argoproj.io argocd/${instance} .spec`;
  const hint = `path ${source.path ?? ''} of ${source.repoURL} in the factory's argocd chart`;
  return [
    synced.final === true ? { ...synced, hint } : synced,
    compare(`destination of Application ${instance}`, instance, destination.namespace ?? '', where),
  ];
}

/** Argo CD's own verdict over everything the Application deployed. Last: it depends on all the links before. */
export const healthLink: Link = {
  name: 'health',
  title: 'Application Healthy',
  budget: 'sync',
  check: async ({ systems, names }) => {
    const application = await systems.argocd.application(names.instance);
    return [judgeSynced(names.instance, application), judgeHealthy(names.instance, application)];
  },
};
