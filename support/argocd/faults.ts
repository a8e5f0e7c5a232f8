import type { Fault } from '../fault';
import { appOfApps } from './client';

/** New Applications are no longer rendered by themselves. */
export const appOfAppsManual: Fault = {
  name: 'app-of-apps-manual',
  breaks: 'The app-of-apps no longer syncs by itself.',
  plant: ({ systems }) => systems.argocd.patch(appOfApps, { spec: { syncPolicy: { automated: null } } }),
  heal: ({ systems }) =>
    systems.argocd.patch(appOfApps, { spec: { syncPolicy: { automated: { prune: true, selfHeal: true } } } }),
};
