import type { Finding } from '../finding';
import type { Application, ArgoCdClient } from './client';

const conditionErrors = ['ComparisonError', 'InvalidSpecError', 'SyncError', 'OperationError'];

/** Whether an Application is rendered, compared and Synced; a comparison error is definite. */
export async function probeSynced(argocd: ArgoCdClient, name: string): Promise<Finding> {
  return judgeSynced(name, await argocd.application(name));
}

/** Whether an Application is Healthy. */
export async function probeHealthy(argocd: ArgoCdClient, name: string): Promise<Finding> {
  return judgeHealthy(name, await argocd.application(name));
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
      final: !/context deadline exceeded|connection refused|Unavailable|i\/o timeout/i.test(error.message),
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
