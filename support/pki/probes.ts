import type { X509Certificate } from 'node:crypto';
import type { Finding } from '../finding';
import { clusterMachines, type Machine } from '../inventory';
import type { KubernetesClient } from '../kubernetes/client';
import type { Target } from '../target';
import {
  brokenLink,
  caMachine,
  chainOf,
  handshake,
  oneLine,
  readCertificates,
  readRoot,
  type CertificateResource,
} from './client';

/** A name that no certificate but the wildcard is for. */
const anyName = 'wherever';
/** The pods that check from inside what the ingress serves (role pki). */
const trustProbe = { namespace: 'cert-manager', labels: 'app.kubernetes.io/name=trust-probe' };

/** Whether the CA answers at its endpoint, with a certificate of its own chain. */
export async function probeCa(target: Target): Promise<Finding> {
  const { ca } = target.inventory.endpoints;
  const command = ['curl', '-sS', '--max-time', '5', '--cacert', '/data/step-ca/certs/root_ca.crt', `${ca}/health`];
  const answer = await target.onMachine(caMachine(target.inventory), command, { allowFailure: true });
  const expected = '{"status":"ok"}';
  return {
    subject: 'private CA',
    status: answer.stdout.trim() === expected ? 'met' : 'unmet',
    expected,
    actual: answer.stdout.trim() || answer.stderr.trim(),
    source: `${ca}/health`,
  };
}

/** Whether every Certificate is Ready and its chain leads to the CA's root of today. */
export async function probeCertificates(target: Target, kubernetes: KubernetesClient): Promise<Finding[]> {
  const [root, resources] = await Promise.all([readRoot(target), readCertificates(kubernetes)]);
  return Promise.all(resources.map((resource) => probeCertificate(kubernetes, resource, root)));
}

async function probeCertificate(
  kubernetes: KubernetesClient,
  { metadata, spec, status }: CertificateResource,
  root: X509Certificate,
): Promise<Finding> {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const secret = await kubernetes.secret(metadata.namespace, spec.secretName);
  const broken = brokenLink(chainOf(secret?.['tls.crt'] ?? ''), root);
  const issuing = status?.conditions?.some(({ type, status: is }) => type === 'Issuing' && is === 'True') ?? false;
  const fresh = ready?.status === 'True';
  return {
    subject: `Certificate ${metadata.namespace}/${metadata.name}`,
    status: fresh && broken === undefined ? 'met' : 'unmet',
    // Nobody asks for another one as long as it is Ready.
    final: fresh && !issuing,
    expected: `Ready, its chain leading to ${oneLine(root.subject)}`,
    actual: `${fresh ? 'Ready' : `not Ready: ${ready?.message ?? 'no condition'}`}, ${broken ?? 'its chain leading there'}`,
    source: `Certificate and secret ${metadata.namespace}/${spec.secretName}`,
  };
}

/** Whether the ingress shows the wildcard, with a chain to the CA's root of today, for a name that has no other certificate. */
export async function probeIngress(target: Target): Promise<Finding> {
  const { domain } = target.inventory;
  const shown = await handshake(target.inventory, `${anyName}.${domain}`, await readRoot(target));
  const wildcard = shown.names.includes(`*.${domain}`);
  return {
    subject: `TLS of ${anyName}.${domain}`,
    status: wildcard && shown.refused === undefined ? 'met' : 'unmet',
    expected: `*.${domain}, its chain leading to the CA's root`,
    actual: `${shown.names.join(', ')} signed by ${shown.issuer}: ${shown.refused ?? 'its chain leading there'}`,
    source: `handshake with ${target.inventory.endpoints.ingress}`,
  };
}

/** Whether a machine reaches a name of the zone over TLS with its own name server and its own trust. */
export async function probeMachine(target: Target, machine: Machine): Promise<Finding> {
  const url = `https://${anyName}.${target.inventory.domain}/`;
  const command = ['curl', '-sS', '--max-time', '5', '-o', '/dev/null', '-w', '%{ssl_verify_result}', url];
  const answer = await target.onMachine(machine.name, command, { allowFailure: true });
  const verified = answer.exitCode === 0 && answer.stdout.trim() === '0';
  return {
    subject: `TLS from ${machine.name}`,
    status: verified ? 'met' : 'unmet',
    expected: 'the name found, the chain verified',
    actual: verified ? 'the name found, the chain verified' : answer.stderr.trim() || answer.stdout.trim(),
    source: `ssh ${machine.name} curl ${url}`,
  };
}

/** Whether a pod on each machine verifies what the ingress serves, with the root that pods are given. */
export async function probePods(target: Target, kubernetes: KubernetesClient): Promise<Finding[]> {
  const pods = await kubernetes.pods(trustProbe.namespace, trustProbe.labels);
  return clusterMachines(target.inventory).map(({ name }) => {
    const pod = pods.find(({ spec, metadata }) => spec?.nodeName === name && metadata?.deletionTimestamp === undefined);
    const ready = pod?.status?.conditions?.find(({ type }) => type === 'Ready');
    return {
      subject: `TLS from a pod on ${name}`,
      status: ready?.status === 'True' ? 'met' : 'unmet',
      expected: 'the chain verified',
      actual:
        pod === undefined ? 'no pod' : ready?.status === 'True' ? 'the chain verified' : (ready?.message ?? 'not yet'),
      source: `pod ${trustProbe.namespace}/${pod?.metadata?.name ?? '?'}, step certificate verify`,
    };
  });
}

/** Whether a root is trusted nowhere any more: by no machine, and by nothing the ingress serves. */
export async function probeDistrusted(target: Target, old: X509Certificate): Promise<Finding[]> {
  const name = oneLine(old.subject);
  const served = await handshake(target.inventory, `${anyName}.${target.inventory.domain}`, old);
  const machines = await Promise.all(
    clusterMachines(target.inventory).map(async (machine): Promise<Finding> => {
      const command = ['openssl', 'verify', '-CApath', '/etc/ssl/certs', '/dev/stdin'];
      const answer = await target.onMachine(machine.name, command, { input: old.toString(), allowFailure: true });
      return {
        subject: `${name} on ${machine.name}`,
        status: answer.exitCode === 0 ? 'unmet' : 'met',
        expected: 'not trusted',
        actual: answer.exitCode === 0 ? 'trusted' : 'not trusted',
        source: `ssh ${machine.name} ${command.join(' ')}`,
      };
    }),
  );
  return [
    ...machines,
    {
      subject: `${name} at the ingress`,
      status: served.refused === undefined ? 'unmet' : 'met',
      expected: 'a chain that does not lead to it',
      actual: served.refused ?? 'a chain that leads to it',
      source: `handshake with ${target.inventory.endpoints.ingress}`,
    },
  ];
}

/** Everything that holds while the PKI is whole. */
export async function probePki(target: Target, kubernetes: KubernetesClient): Promise<Finding[]> {
  const machines = clusterMachines(target.inventory);
  const found = await Promise.all([
    probeCa(target),
    probeCertificates(target, kubernetes),
    probeIngress(target),
    Promise.all(machines.map((machine) => probeMachine(target, machine))),
    probePods(target, kubernetes),
  ]);
  return found.flat();
}
