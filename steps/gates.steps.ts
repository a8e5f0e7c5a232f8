import { Given, Then, When, type DataTable } from '@cucumber/cucumber';
import { dnsGate } from '../support/gates/dns/gate';
import { idempotenceGate } from '../support/gates/idempotence/gate';
import { withoutApp, type RootCopy } from '../support/gates/plan/copy';
import { planGate } from '../support/gates/plan/gate';
import { withLiteralName, type ChangedTemplate } from '../support/gates/render/copy';
import { renderOverDeployed } from '../support/gates/render/deployed';
import { renderTemplate } from '../support/gates/render/template';
import { asText } from '../support/gates/report';
import { findingsOf, names, planned, redAlone, titledByGates } from '../support/gates/expectations';
import { recordedDnsPlan } from '../support/gates/dns/recorded';
import type { GateResult } from '../support/gates/result';
import { connectGitea } from '../support/gitea/client';
import { Fact, type SandboxWorld } from '../support/world';

const judged = new Fact<GateResult[]>("the gate's results");
const template = new Fact<ChangedTemplate>('the factory with a changed template');
const copy = new Fact<RootCopy>('the copy of a root module');

async function keep(world: SandboxWorld, results: GateResult[]): Promise<void> {
  world.remember(judged, results);
  await world.show('gate', asText(results));
}

Given(
  'a copy of the root module {string} without the app {string}',
  function (this: SandboxWorld, root: string, app: string) {
    const made = this.remember(copy, withoutApp(root, app));
    this.undo(`the copy ${made.folder} is gone`, made.remove);
  },
);

When('the idempotence gate checks every playbook', async function (this: SandboxWorld) {
  await keep(this, await idempotenceGate(undefined, { inventory: this.target.inventory }));
});

When('the plan gate plans every root module', async function (this: SandboxWorld) {
  await keep(this, await planGate(undefined, { inventory: this.target.inventory }));
});

When('the plan gate plans the copy with changes allowed', async function (this: SandboxWorld) {
  const { folder, root } = this.recall(copy);
  await keep(this, await planGate(folder, { as: root, allowChanges: true, inventory: this.target.inventory }));
});

When("the render gate compares the factory's charts with the deployed ones", async function (this: SandboxWorld) {
  const { inventory } = this.target;
  await keep(this, await renderOverDeployed(connectGitea(inventory), inventory));
});

Given('a factory whose template names the app where it should name the instance', async function (this: SandboxWorld) {
  const changed = this.remember(template, await withLiteralName());
  this.undo(`the copy ${changed.chart} is gone`, changed.remove);
});

When('the render gate compares that template with the one before', async function (this: SandboxWorld) {
  await keep(this, await renderTemplate(this.recall(template).chart, { before: 'HEAD' }));
});

Then('the gate is red for the instance {string} alone', async function (this: SandboxWorld, instance: string) {
  await this.expectMet('what the gate is red for', redAlone(this.recall(judged), instance));
});

When("the DNS gate judges the factory's plan for the zone {string}", async function (this: SandboxWorld, zone: string) {
  const plan = recordedDnsPlan();
  if (plan === undefined) return this.skip('environment', 'this factory has no recorded plan dns/plan.json');
  await keep(this, [await dnsGate(plan, { zone })]);
  return undefined;
});

Then('the gate is green', async function (this: SandboxWorld) {
  const results = this.recall(judged);
  await this.expectMet(titledByGates('the gate is green', results), findingsOf(results));
});

Then('it planned these root modules:', async function (this: SandboxWorld, table: DataTable) {
  const wanted = table.hashes().map((row) => row['root module'] ?? '');
  await this.expectMet('planned root modules', planned(this.recall(judged), wanted));
});

Then('the gate is red and names:', async function (this: SandboxWorld, table: DataTable) {
  const wanted = table.hashes().map((row) => row['loss'] ?? '');
  await this.expectMet('what the gate names', names(this.recall(judged), wanted));
});
