import type { Finding } from '../finding';
import { skipReconcile, type Application, type ArgoCdClient } from './client';

const conditionErrors = ['ComparisonError', 'InvalidSpecError', 'SyncError', 'OperationError'];

/** What the repository's content causes; a repository server or a Gitea that is away may come back. */
const definiteError = /app path does not exist|error (converting|unmarshaling)|parse error|execution error|template: /i;

/** Whether an Application is rendered, compared and Synced; a comparison error is definite. */
export async function probeSynced(argocd: ArgoCdClient, name: string): Promise<Finding> {
  return judgeSynced(name, await argocd.application(name));
}

/**
 * Whether an Application has been compared at a commit and no sync of an older one is under way. Until then it may still
 * make again what the commit took away.
 */
export async function probeAtRevision(argocd: ArgoCdClient, name: string, revision: string): Promise<Finding> {
  const application = await argocd.application(name);
  const seen = application?.status?.sync?.revision ?? 'not compared yet';
  const running = application?.status?.operationState?.phase === 'Running';
  return {
    subject: `Application ${name} at its latest commit`,
    status: seen === revision && !running ? 'met' : 'unmet',
    expected: revision,
    actual: running ? `${seen}, a sync is running` : seen,
    hint: `Argo CD has not taken up the latest commit: do its controller and repository server run, does Gitea answer?`,
    source: `applications.argoproj.io argocd/${name} .status.sync.revision`,
  };
}

/** Judges what was read, without reading. */
export function judgeSynced(name: string, application: Application | undefined): Finding {
  const subject = `Application ${name} sync`;
  const expected = 'Synced';
  const source = `applications.argoproj.io argocd/${name} .status`;
  const status = application?.status;
  const error = status?.conditions?.find((condition) => conditionErrors.includes(condition.type));
  if (error !== undefined) {
    return {
      subject,
      expected,
      source,
      status: 'unmet',
      actual: `${error.type}: ${shorten(error.message)}`,
      final: definiteError.test(error.message),
    };
  }
  const operation = status?.operationState;
  if (operation !== undefined && ['Failed', 'Error'].includes(operation.phase)) {
    const actual = `operation ${operation.phase}: ${shorten(operation.message ?? '')}`;
    return { subject, expected, source, status: 'unmet', actual };
  }
  if (application === undefined) return { subject, expected, source, status: 'unmet', actual: 'no such Application' };
  const actual = status?.sync?.status ?? 'not compared yet';
  const done = actual === 'Synced' && (operation === undefined || operation.phase === 'Succeeded');
  return {
    subject,
    expected,
    source,
    status: done ? 'met' : 'unmet',
    actual: done ? actual : `${actual}, operation ${operation?.phase ?? 'none'}`,
  };
}

/** Whether Argo CD looks after an Application. One that it was told to skip keeps the status it had. */
export function judgeReconciled(name: string, application: Application | undefined): Finding {
  const skips = application?.metadata.annotations?.[skipReconcile] === 'true';
  return {
    subject: `Application ${name} reconcile`,
    status: application !== undefined && !skips ? 'met' : 'unmet',
    expected: 'by Argo CD',
    actual: application === undefined ? 'no such Application' : skips ? 'Argo CD was told to skip it' : 'by Argo CD',
    source: `applications.argoproj.io argocd/${name} .metadata.annotations`,
    hint: `hand it back: \`kubectl -n argocd annotate application ${name} ${skipReconcile}-\`.`,
  };
}

/** Judges what was read, without reading. */
export function judgeHealthy(name: string, application: Application | undefined): Finding {
  const source = `applications.argoproj.io argocd/${name} .status.health`;
  const ill = application?.status?.resources?.find((resource) =>
    ['Degraded', 'Missing', 'Progressing'].includes(resource.health?.status ?? ''),
  );
  const actual = application?.status?.health?.status ?? 'no such Application';
  return {
    subject: `Application ${name} health`,
    status: actual === 'Healthy' ? 'met' : 'unmet',
    expected: 'Healthy',
    actual,
    source,
    ...(ill === undefined
      ? {}
      : { hint: `${ill.kind} ${ill.name}: ${ill.health?.message ?? ill.health?.status ?? ''}` }),
  };
}

function shorten(message: string): string {
  return message.replaceAll(/\s+/g, ' ').slice(0, 400);
}
