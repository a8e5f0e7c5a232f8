import { runPlaybook } from '../ansible/client';
import type { Fault, FaultContext } from '../fault';
import { clusterMachines } from '../inventory';
import { caMachine } from './client';

const reissue = ['recover/pki-trust.yml', 'recover/pki-issuer.yml', 'recover/pki-reissue.yml'];

/** Trust, issuer and certificates as the CA's root of today wants them. Changes nothing where they are. */
async function reissueAll(): Promise<void> {
  for (const playbook of reissue) await runPlaybook(playbook);
}

/** The CA is made anew: another root, another intermediate, and every certificate it ever issued is worth nothing. */
export const caReinitialised: Fault = {
  name: 'ca-reinitialised',
  breaks: 'The private CA is initialised again, with a new root.',
  plant: async ({ target }) => {
    const script =
      'set -e; sv -w 20 down /etc/lab-service/step-ca; /usr/local/sbin/new-ca.sh /data/step-ca; sv -w 20 up /etc/lab-service/step-ca';
    await target.onMachine(caMachine(target.inventory), [script]);
  },
  heal: reissueAll,
};

const tlsStores = { group: 'traefik.io', version: 'v1alpha1', plural: 'tlsstores' };

/** The ingress serves this secret's certificate to names that have no other. */
function serveByDefault(secretName: string): (context: FaultContext) => Promise<void> {
  return ({ systems }) =>
    systems.kubernetes.patchResource(tlsStores, 'traefik', 'default', { spec: { defaultCertificate: { secretName } } });
}

/** The ingress serves the certificate it made for itself instead of the wildcard. */
export const wildcardNotServed: Fault = {
  name: 'wildcard-not-served',
  breaks: "The ingress' default certificate is not the wildcard.",
  plant: serveByDefault('planted-nowhere'),
  heal: serveByDefault('wildcard'),
};

const trusted = '/usr/local/share/ca-certificates/arcodange-lab.crt';
const lastMachine = ({ target }: FaultContext): string => clusterMachines(target.inventory).at(-1)?.name ?? '';

/** One machine does not trust the CA. */
export const machineDistrusts: Fault = {
  name: 'machine-distrusts-ca',
  breaks: 'One machine lacks the root of the private CA.',
  plant: async (context) => {
    const script = `set -e; mv ${trusted} ${trusted}.planted && /usr/sbin/update-ca-certificates --fresh`;
    await context.target.onMachine(lastMachine(context), [script]);
  },
  heal: async (context) => {
    const script = `set -e; if test -e ${trusted}.planted; then mv ${trusted}.planted ${trusted}; fi; /usr/sbin/update-ca-certificates --fresh`;
    await context.target.onMachine(lastMachine(context), [script]);
  },
};
