import { X509Certificate } from 'node:crypto';
import { connect, type PeerCertificate } from 'node:tls';
import { z } from 'zod';
import { OperatorError } from '../failure';
import type { Inventory } from '../inventory';
import { assertAllowed } from '../isolation';
import type { KubernetesClient } from '../kubernetes/client';
import type { Target } from '../target';

/** Where step-ca keeps its root on the machine it runs on. */
const rootFile = '/data/step-ca/certs/root_ca.crt';
/** How long the other side of a TLS handshake may take, in milliseconds. */
const handshakeMs = 5_000;

const certificates = { group: 'cert-manager.io', version: 'v1', plural: 'certificates' };

const certificateShape = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({ secretName: z.string(), dnsNames: z.array(z.string()).default([]) }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string(), message: z.string().optional() })) })
    .partial()
    .optional(),
});

/** A Certificate of cert-manager, as far as the suite reads it. */
export type CertificateResource = z.infer<typeof certificateShape>;

/** What a server showed in a TLS handshake. */
export interface Handshake {
  /** Names the leaf certificate is for. */
  names: string[];
  /** Subject of who signed it. */
  issuer: string;
  /** Undefined when the chain leads to the given root; else why it does not. */
  refused: string | undefined;
}

/** The machine that runs the private CA. @throws OperatorError when the inventory names none. */
export function caMachine(inventory: Inventory): string {
  const machine = inventory.machines.find(({ groups }) => groups.includes('pki'));
  if (machine !== undefined) return machine.name;
  throw new OperatorError({
    attempted: 'find the machine of the private CA',
    where: inventory.file,
    expected: 'a machine in group pki',
    seen: 'none',
    next: 'correct the inventory.',
  });
}

/** The root of the private CA today, read where the CA keeps it. */
export async function readRoot(target: Target): Promise<X509Certificate> {
  return new X509Certificate((await target.onMachine(caMachine(target.inventory), ['cat', rootFile])).stdout);
}

/** Every Certificate of the cluster. */
export function readCertificates(kubernetes: KubernetesClient): Promise<CertificateResource[]> {
  return kubernetes.resourcesEverywhere(certificates, certificateShape);
}

/** The certificates in a PEM text, leaf first. */
export function chainOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Why a chain (leaf first) does not lead to a root, or undefined when every signature does. */
export function brokenLink(chain: readonly X509Certificate[], root: X509Certificate): string | undefined {
  if (chain.length === 0) return 'no certificate';
  for (const [index, certificate] of chain.entries()) {
    const signer = chain[index + 1] ?? root;
    if (!certificate.checkIssued(signer) || !certificate.verify(signer.publicKey)) {
      return `${oneLine(certificate.subject)} is not signed by ${oneLine(signer.subject)}`;
    }
  }
  return undefined;
}

/** One line for a distinguished name, which Node gives one attribute a line. */
export function oneLine(name: string): string {
  return name.split('\n').join(', ');
}

/** What the ingress shows a client that asks for `host` and trusts only `root`. */
export function handshake(inventory: Inventory, host: string, root: X509Certificate): Promise<Handshake> {
  const { hostname } = new URL(inventory.endpoints.ingress);
  assertAllowed(hostname);
  return new Promise((resolve, reject) => {
    // A chain that cannot be verified is what is to be found out, not a failure of the connection.
    const options = { host: hostname, port: 443, servername: host, ca: [root.toString()], rejectUnauthorized: false };
    const socket = connect(options, () => {
      const shown: PeerCertificate = socket.getPeerCertificate();
      const refused: unknown = socket.authorized ? undefined : socket.authorizationError;
      resolve({
        names: (shown.subjectaltname ?? '').split(', ').map((name) => name.replace(/^DNS:/, '')),
        issuer: [shown.issuer.CN].flat().join(', '),
        refused: refused === undefined ? undefined : refused instanceof Error ? refused.message : String(refused),
      });
      socket.end();
    });
    socket.setTimeout(handshakeMs, () => socket.destroy(new Error(`no handshake within ${handshakeMs / 1000} s`)));
    socket.once('error', reject);
  });
}
