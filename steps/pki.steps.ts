import { Then } from '@cucumber/cucumber';
import { eventually } from '../support/eventually';
import { firstTrouble } from '../support/finding';
import { clusterMachines } from '../support/inventory';
import { connectKubernetes } from '../support/kubernetes/client';
import { probeCa, probeCertificates, probeIngress, probeMachine, probePods } from '../support/pki/probes';
import type { SandboxWorld } from '../support/world';

Then('the private CA answers', async function (this: SandboxWorld) {
  await this.expectMet('private CA', [await probeCa(this.target)]);
});

Then('every Certificate is Ready and leads to the CA’s root', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  await eventually(
    'every Certificate is issued',
    async () => firstTrouble(await probeCertificates(this.target, kubernetes)),
    'issue',
  );
});

Then('the ingress serves the wildcard to any name of the zone', async function (this: SandboxWorld) {
  // It takes note of a new certificate within two seconds.
  await eventually('the ingress serves the wildcard', () => probeIngress(this.target), 'api');
});

Then('every machine and a pod on each verify it with their own trust', async function (this: SandboxWorld) {
  const kubernetes = connectKubernetes();
  const machines = clusterMachines(this.target.inventory).map((machine) => probeMachine(this.target, machine));
  await this.expectMet('TLS from machines', await Promise.all(machines));
  // A pod that verified once looks every ten seconds.
  await eventually(
    'a pod on every machine verifies it',
    async () => firstTrouble(await probePods(this.target, kubernetes)),
    'boot',
  );
});
