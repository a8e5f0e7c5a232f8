import { existsSync, statSync } from 'node:fs';
import { chosenConfiguration } from '../../configuration/read';
import type { Configuration } from '../../configuration/shape';
import { reason } from '../../failure';
import { compare, type Finding } from '../../finding';
import { connectKubernetes } from '../../kubernetes/client';
import { probeCluster } from '../configured/boundary';
import type { Part, Target } from '../target';
import { outlook, readNeeds, type FeatureOutlook } from './features';

/** All that can be said about a target before a scenario runs on it. */
export interface Check {
  target: string;
  configuration: string | undefined;
  capabilities: string[];
  findings: Finding[];
  parts: Part[];
  /** Why the parts could not be told, if so. */
  partsUnknown?: string;
  features: FeatureOutlook[];
  /** True when all that was asked answers as it should. */
  good: boolean;
}

/** Looks at the target: files, cluster, stages, parts, features. Changes nothing and waits for nothing. */
export async function checkTarget(target: Target): Promise<Check> {
  const chosen = chosenConfiguration(target.name);
  const read = chosen !== undefined && 'read' in chosen ? chosen.read : undefined;
  const files = read === undefined ? [] : fileFindings(read.configuration);
  const cluster =
    read === undefined ? [] : await probeCluster(read, connectKubernetes()).catch(cannotAsk('the cluster'));
  const needs = readNeeds();
  // In the order in which they become ready, and only what a feature asks for.
  const wanted = new Set(['machines', ...needs.flatMap(({ stages }) => stages)]);
  const asked = [...target.stages().filter((stage) => wanted.has(stage)), ...wanted].filter(unique);
  const stages = new Map<string, Finding>();
  for (const stage of asked) {
    const { final: _, ...finding } = await target.ready(stage);
    stages.set(stage, finding);
  }
  const parts = await target.parts().catch((thrown: unknown) => reason(thrown));
  const findings = [
    ...files,
    ...cluster,
    ...[...stages].map(([stage, finding]) => ({ ...finding, subject: `${stage}: ${finding.subject}` })),
  ];
  return {
    target: target.name,
    configuration: read?.file,
    capabilities: [...target.capabilities],
    findings,
    ...(typeof parts === 'string' ? { parts: [], partsUnknown: parts } : { parts }),
    features: outlook(needs, target.capabilities, stages),
    good: findings.every(({ status }) => status === 'met') && typeof parts !== 'string',
  };
}

function unique(stage: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(stage) === index;
}

function cannotAsk(subject: string): (thrown: unknown) => Finding[] {
  return (thrown) => [
    { subject, status: 'unknown', expected: 'an answer', actual: reason(thrown), source: 'GET nodes' },
  ];
}

/** Files the configuration names: there, and secrets for the operator's eyes only. */
function fileFindings(given: Configuration): Finding[] {
  const secret = [
    given.kubernetes.kubeconfig,
    given.vault.keys,
    given.postgres.credentials,
    given.gitea.credentials,
    ...(given.target === 'vms' && given.ssh !== undefined ? [given.ssh.key] : []),
    ...(given.ci_key === undefined ? [] : [given.ci_key]),
  ];
  const others = [given.factory, given.runbook, given.deviations, given.ca?.certificate].filter(
    (file) => file !== undefined,
  );
  return [
    ...secret.map((file) =>
      compare(file, '600', existsSync(file) ? mode(file) : 'no such file', 'stat', `chmod 600 ${file}`),
    ),
    compare(
      given.secrets,
      '700',
      existsSync(given.secrets) ? mode(given.secrets) : 'no such folder',
      'stat',
      `chmod 700 ${given.secrets}`,
    ),
    ...others.map((file) => compare(file, 'there', existsSync(file) ? 'there' : 'missing', 'stat')),
  ];
}

function mode(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}
