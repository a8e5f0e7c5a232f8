import { Then } from '@cucumber/cucumber';
import { clusterMachines } from '../support/inventory';
import { connectKubernetes } from '../support/kubernetes/client';
import { probeClusterDns, judgeNodeReady } from '../support/kubernetes/probes';
import { probeHostname, probeRoutes } from '../support/machines/probes';
import { connectPostgres } from '../support/postgres/client';
import { probeOutsideCluster, probePasswordNeeded } from '../support/postgres/probes';
import type { SandboxWorld } from '../support/world';

Then('every machine answers by SSH under its own name', async function (this: SandboxWorld) {
  const { target } = this;
  await this.expectMet(
    'host names',
    await Promise.all(target.inventory.machines.map((machine) => probeHostname(target, machine))),
  );
});

Then('no machine has a route to anywhere but the sandbox', async function (this: SandboxWorld) {
  const { target } = this;
  await this.expectMet(
    'routes',
    await Promise.all(target.inventory.machines.map((machine) => probeRoutes(target, machine))),
  );
});

Then('Postgres answers at the address of a machine', async function (this: SandboxWorld) {
  await this.expectMet('Postgres', [await probeOutsideCluster(this.target.inventory)]);
});

Then('its superuser logs in with the sandbox’s own credential only', async function (this: SandboxWorld) {
  await this.expectMet('superuser', await probePasswordNeeded(connectPostgres(this.target.inventory)));
});

Then('every cluster machine is a Ready node', async function (this: SandboxWorld) {
  const nodes = await connectKubernetes().nodes();
  const machines = clusterMachines(this.target.inventory);
  await this.expectMet(
    'nodes',
    machines.map(({ name }) => judgeNodeReady(nodes, name)),
  );
});

Then('the cluster’s DNS runs on every node and answers from each', async function (this: SandboxWorld) {
  await this.expectMet(
    'cluster DNS',
    await probeClusterDns(
      connectKubernetes(),
      clusterMachines(this.target.inventory),
      this.target.inventory.serviceCidr,
    ),
  );
});
