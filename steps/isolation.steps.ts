import { Given, Then, When } from '@cucumber/cucumber';
import { ensureAnsible } from '../support/ansible/environment';
import { join } from 'node:path';
import { probeCredentials } from '../support/isolation/credentials';
import {
  type BoundaryProof,
  type GuardAnswer,
  type Start,
  allPermitted,
  askGuard,
  canProve,
  judgePlanted,
  judgeScoped,
  ownPlaces,
  proveInRig,
  proved,
  refusedAs,
  refusesToStart,
  startWith,
} from '../support/isolation/demonstration';
import {
  probeDocuments,
  probeEdge,
  probeOwnPostgres,
  probeOwnVault,
  probeStatePrefixes,
} from '../support/isolation/in-use';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const answer = new Fact<GuardAnswer>("the guard's answer");
const start = new Fact<Start>("the suite's start");
const proof = new Fact<BoundaryProof>('the proof of the boundary');

When('the guard is asked about {string}', async function (this: SandboxWorld, address: string) {
  this.remember(answer, await askGuard([address]));
});

When('the guard is asked about every machine and endpoint of the sandbox', async function (this: SandboxWorld) {
  this.remember(answer, await askGuard(ownPlaces(this.target.inventory)));
});

Then('it refuses as {string}', async function (this: SandboxWorld, kind: string) {
  await this.expectMet('verdict', refusedAs(this.recall(answer), kind));
});

Then('it permits them all', async function (this: SandboxWorld) {
  await this.expectMet('verdicts', allPermitted(this.recall(answer)));
});

Then(
  /^production planted in the (.*) is refused as "(.*)"$/,
  async function (this: SandboxWorld, document: string, kind: string) {
    await this.expectMet('verdict', [judgePlanted(document, kind)]);
  },
);

Then(
  '{string} is permitted where only {string} is meant',
  async function (this: SandboxWorld, address: string, scope: string) {
    await this.expectMet('verdict', [judgeScoped(address, scope, 'allowed')]);
  },
);

Then('{string} is refused there as {string}', async function (this: SandboxWorld, address: string, kind: string) {
  await this.expectMet('verdict', [judgeScoped(address, 'erp-sandbox', kind)]);
});

When('the suite is started in a shell that holds {string}', async function (this: SandboxWorld, variable: string) {
  this.remember(start, await startWith(variable));
});

Then('it refuses to start, names {string} and shows no value', async function (this: SandboxWorld, variable: string) {
  await this.expectMet('refusal', refusesToStart(this.recall(start), variable));
});

Given('a network without a way out, in which production’s addresses listen', async function (this: SandboxWorld) {
  if (!canProve()) return this.skip('environment', 'a network namespace needs root on Linux');
  return undefined;
});

When(
  'every known way to production is tried there, with the boundary whole and with it broken on purpose',
  async function (this: SandboxWorld) {
    const all = this.remember(proof, await proveInRig());
    await this.show('summary', all.summary);
  },
);

Then(
  'with the boundary whole each is refused for the right reason and no packet arrives',
  async function (this: SandboxWorld) {
    await this.expectMet('boundary whole', proved(this.recall(proof), 'whole'));
  },
);

Then('with the boundary broken the listeners see every one of them', async function (this: SandboxWorld) {
  await this.expectMet('boundary broken', proved(this.recall(proof), 'broken'));
});

Then(
  'plays on an inventory that holds production end on every host before their first task',
  async function (this: SandboxWorld) {
    await this.expectMet('plays', proved(this.recall(proof), 'plays'));
  },
);

Then('every state of OpenTofu lies under the sandbox’s prefix', async function (this: SandboxWorld) {
  await this.expectMet('states', [await probeStatePrefixes(connectSystems().states)]);
});

Then(
  'Vault is the sandbox’s own, with a key file that only the operator can read',
  async function (this: SandboxWorld) {
    await this.expectMet('Vault', await probeOwnVault(connectSystems().vault));
  },
);

Then('Postgres is the sandbox’s own', async function (this: SandboxWorld) {
  await this.expectMet('Postgres', [await probeOwnPostgres(connectSystems().postgres)]);
});

Then('every document the suite connects by leads to the sandbox alone', async function (this: SandboxWorld) {
  const bin = join(await ensureAnsible(), 'bin');
  await this.expectMet('documents', await probeDocuments(this.target.inventory, bin));
});

Then('no credential of production lies anywhere in the sandbox', async function (this: SandboxWorld) {
  const { vault, kubernetes } = connectSystems();
  await this.expectMet('credentials', await probeCredentials(this.target, vault, kubernetes));
});

Then('the sandbox’s edge has counted no packet to production or anywhere outside', async function (this: SandboxWorld) {
  await this.expectMet('edge', await probeEdge(this.target));
});
