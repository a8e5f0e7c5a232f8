import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readClusterAccess } from '../../configuration/inventory';
import { chosenConfiguration, type ReadConfiguration } from '../../configuration/read';
import { OperatorError, reason } from '../../failure';
import { readInventory } from '../../inventory';
import { refusalExitCode } from '../../isolation';
import { connectKubernetes, type KubernetesClient } from '../../kubernetes/client';
import { targetHome } from '../../paths';
import { isTransportError, ProductError } from '../../product-error';
import { assertInsideBoundary, assertOwnCluster, probeCluster } from './boundary';
import { accepts } from './power';

/**
 * Proves that the target is the one its file describes, for commands that act on it. The lab is this project's own and
 * needs no proof.
 * @throws OperatorError (exit code 3) when another cluster answers, (exit code 2) when none does that was ever proven.
 */
export async function proveOwnCluster(): Promise<void> {
  const chosen = chosenConfiguration();
  if (chosen === undefined) return;
  if ('failure' in chosen) throw chosen.failure;
  assertInsideBoundary(chosen.read, readInventory());
  await proveCluster(chosen.read, connectKubernetes(), targetHome);
}

/**
 * As `proveOwnCluster`, of one configuration.
 * @param home where it is kept that the cluster was proven: one that a drill has left without an answer must still be healed.
 */
export async function proveCluster(read: ReadConfiguration, kubernetes: KubernetesClient, home: string): Promise<void> {
  const record = join(home, 'proven');
  const described = descriptionOf(read);
  try {
    await assertAnswers(read);
    assertOwnCluster(read, await probeCluster(read, kubernetes));
  } catch (thrown) {
    if (!isSilence(thrown)) throw unproven(read, thrown);
    if (existsSync(record) && readFileSync(record, 'utf8') === described) return;
    throw silent(read, thrown);
  }
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(record, described, { mode: 0o600 });
}

/** What a proof is of: with another server, authority, network or uid in the file it is none. */
function descriptionOf({ configuration: { kubernetes, network } }: ReadConfiguration): string {
  const { server, authority } = readClusterAccess(kubernetes.kubeconfig);
  const text = JSON.stringify([server, authority, kubernetes.cluster_uid ?? '', network]);
  return `${createHash('sha256').update(text).digest('hex')}\n`;
}

/** Nobody there at all. The client itself would wait minutes for a machine that is off. */
class Silence extends Error {}

async function assertAnswers({ configuration }: ReadConfiguration): Promise<void> {
  const url = new URL(readClusterAccess(configuration.kubernetes.kubeconfig).server);
  if (!(await accepts(url.hostname, Number(url.port || 443)))) throw new Silence(`no answer from ${url.host}`);
}

/** A server without its etcd answers, but says nothing of its cluster: 5xx. A refusal of the credentials is an answer. */
function isSilence(thrown: unknown): boolean {
  if (thrown instanceof ProductError) return thrown.code.startsWith('5');
  return thrown instanceof Silence || isTransportError(thrown);
}

function unproven(read: ReadConfiguration, thrown: unknown): OperatorError {
  if (thrown instanceof OperatorError) return thrown;
  return new OperatorError({
    attempted: 'use the target',
    where: read.file,
    expected: 'a cluster whose nodes lie inside the networks',
    seen: reason(thrown),
    next: 'check kubernetes.kubeconfig: it may lead to another cluster, or its credentials have expired.',
    exitCode: refusalExitCode,
    cause: thrown,
  });
}

function silent(read: ReadConfiguration, thrown: unknown): OperatorError {
  return new OperatorError({
    attempted: 'use the target',
    where: read.file,
    expected: 'an answer of its cluster, which was never proven to be its own',
    seen: reason(thrown),
    next: 'bring it up (`npm run target -- check` says what answers) and run the same command again.',
    exitCode: 2,
    cause: thrown,
  });
}
