import { appOfApps } from '../../argocd/client';
import { compare, type Finding } from '../../finding';
import { judgeHealthy, judgeSynced, probeSynced } from '../../argocd/probes';
import type { Link } from '../link';

/** The Application, registered in the factory repository and rendered by the app-of-apps. */
export const applicationLink: Link = {
  name: 'application',
  title: 'Argo CD Application, from the app-of-apps to Synced',
  budget: 'sync',
  act: async ({ systems, workspace }) => {
    await workspace.register();
    await systems.argocd.refresh(appOfApps);
  },
  check: async ({ systems, names }) => {
    const application = await systems.argocd.application(names.instance);
    if (application === undefined)
      return [await probeSynced(systems.argocd, appOfApps), judgeSynced(names.instance, undefined)];
    const namespace = application.spec.destination.namespace ?? '';
    const source = `applications.argoproj.io argocd/${names.instance} .spec`;
    const findings: Finding[] = [
      judgeSynced(names.instance, application),
      compare(`destination of Application ${names.instance}`, names.instance, namespace, source),
    ];
    const comparison = findings[0];
    if (comparison?.status === 'met' || comparison?.final !== true) return findings;
    return [
      {
        ...comparison,
        hint: `path ${application.spec.source.path ?? ''} of ${application.spec.source.repoURL} in the factory's argocd chart`,
      },
      ...findings.slice(1),
    ];
  },
};

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
