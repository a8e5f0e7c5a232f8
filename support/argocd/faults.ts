import type { Fault, FaultContext } from '../fault';
import { appOfApps, skipReconcile } from './client';

/** Tells the controller to leave an Application alone. Nothing that a playbook owns is touched, so healing leaves no trace. */
function skipped(value: 'true' | null): (context: FaultContext) => Promise<void> {
  return ({ systems }) => systems.argocd.patch(appOfApps, { metadata: { annotations: { [skipReconcile]: value } } });
}

/** New Applications are no longer rendered by themselves. */
export const appOfAppsManual: Fault = {
  name: 'app-of-apps-manual',
  breaks: 'The app-of-apps is no longer reconciled.',
  plant: skipped('true'),
  heal: skipped(null),
};
