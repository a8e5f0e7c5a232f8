import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import { linksHold } from '../support/canary/expectations';
import type { ChainResult } from '../support/canary/link';
import { asHtml, asText } from '../support/canary/report';
import type { Finding } from '../support/finding';
import {
  activate,
  isOf,
  planActivation,
  prepareActivation,
  renderActivation,
  type Activation,
} from '../support/gates/env-coordinate/activation';
import { deactivate, environmentUndo } from '../support/gates/env-coordinate/deactivation';
import { readExpected, type ExpectedInstance } from '../support/gates/env-coordinate/expected';
import { probeInstance, probeNothingElse } from '../support/gates/env-coordinate/live';
import { probePlans } from '../support/gates/env-coordinate/plans';
import { probePolicies, readPolicyRows } from '../support/gates/env-coordinate/policies';
import {
  instanceNamespaces,
  podIdentities,
  samePods,
  type PodIdentities,
} from '../support/gates/env-coordinate/untouched';
import { findingsOf, titled } from '../support/gates/expectations';
import { connectSystems } from '../support/systems';
import { Fact, type SandboxWorld } from '../support/world';

const expected = new Fact<ExpectedInstance[]>("the feature's table of instances");
const activation = new Fact<Activation>('the added environment');
const before = new Fact<PodIdentities>('the pods of every instance');
const driven = new Fact<ChainResult>("the chain's result");
const remains = new Fact<Finding[]>('what is left of the environment');

Given('these instances:', function (this: SandboxWorld, table: DataTable) {
  this.remember(expected, readExpected(table.hashes()));
});

Then('each bears these names in the live system', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const findings = (
    await Promise.all(this.recall(expected).map((instance) => probeInstance(systems, instance)))
  ).flat();
  await this.expectMet(titled('names of every instance', findings), findings);
});

Then('the live system has no others', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const findings = await probeNothingElse(systems, this.recall(expected));
  await this.expectMet(titled('nothing besides the instances', findings), findings);
});

Then('the plans of the root modules give the same names', async function (this: SandboxWorld) {
  const systems = connectSystems(this.target.inventory);
  const findings = await probePlans(systems, this.recall(expected));
  await this.expectMet(titled('names in the plans', findings), findings);
});

Then('Vault judges these policies so:', async function (this: SandboxWorld, table: DataTable) {
  const { vault } = connectSystems(this.target.inventory);
  const findings = await probePolicies(vault, readPolicyRows(table.hashes()));
  await this.expectMet(titled('policies', findings), findings);
});

Given(
  'the environment {string} is added to the app {string}',
  async function (this: SandboxWorld, env: string, app: string) {
    const systems = connectSystems(this.target.inventory);
    this.undo(`environment ${env} of ${app} is gone from every system`, environmentUndo({ app, env }));
    this.remember(activation, await prepareActivation(systems, { app, env }));
    this.remember(before, await podIdentities(systems, instanceNamespaces()));
  },
);

Then('every plan only creates what belongs to {string}', async function (this: SandboxWorld, instance: string) {
  await this.expectMet('plans', await planActivation(this.recall(activation), instance));
});

Then('the existing instances of the app render as before', async function (this: SandboxWorld) {
  await this.expectMet('renders', findingsOf([await renderActivation(this.recall(activation))]));
});

When('the environment is activated link by link', async function (this: SandboxWorld) {
  const result = this.remember(driven, await activate(this.recall(activation)));
  await this.show('convention chain', asText(result));
  await this.showHtml('convention chain', asHtml(result));
});

Then('these links of {string} hold:', async function (this: SandboxWorld, instance: string, links: DataTable) {
  const names = links.hashes().map((row) => row['link'] ?? '');
  await this.expectMet('the convention chain', [
    isOf(this.recall(driven), instance),
    ...linksHold(this.recall(driven), names),
  ]);
});

Then('every other instance runs in the same pods', async function (this: SandboxWorld) {
  const known = this.recall(before);
  const now = await podIdentities(connectSystems(this.target.inventory), [...known.keys()]);
  await this.expectMet('pods of the others', samePods(known, now));
});

When('the environment is taken back', async function (this: SandboxWorld) {
  const { environment, context } = this.recall(activation);
  this.remember(remains, await deactivate(context.systems, environment));
});

Then('nothing of it is left', async function (this: SandboxWorld) {
  await this.expectMet('remains of the environment', this.recall(remains));
});
